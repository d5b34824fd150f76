"""Remote inquiry in a mailbox that changes, or goes away, meanwhile."""

import pytest

from tests.dialogues.exchange import ANNA, logged_in
from tests.dialogues.listening import PLACES, A, C, at_audio, at_heading, inbox_of
from tests.phone import Phone
from vm_ari.speech.catalogue import P


@pytest.mark.feature_part("INBOX-02", "what disappears there is gone on the phone")
@pytest.mark.parametrize("place", ["before its heading", "options"])
def test_a_message_that_has_gone_meanwhile_is_passed_over(place: str) -> None:
    site = inbox_of()

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_audio(phone, A)
        if place == "options":
            await phone.hears(P.TO_REPEAT)
            site.mailboxes.lose(ANNA, "a")
            phone.presses("7")
            await phone.hears(P.MESSAGE_GONE)
            await at_heading(phone, 2)
        else:
            site.mailboxes.lose(ANNA, "b")
            phone.presses("6")
            await phone.hears(P.MESSAGE_GONE)
            await at_heading(phone, 3)
        phone.hangs_up()

    logged_in(site, caller)
    assert len(site.mailboxes.of(ANNA)) == 2


@pytest.mark.feature_part("INBOX-02", "keys never strike another message than they were meant for")
@pytest.mark.parametrize("keys", ["677", "67"])
def test_keys_meant_for_a_message_that_has_gone_do_not_strike_the_next(keys: str) -> None:
    site = inbox_of()

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_audio(phone, A)
        site.mailboxes.lose(ANNA, "b")
        phone.presses(keys)
        await phone.hears(P.MESSAGE_GONE)
        await at_audio(phone, C)
        phone.hangs_up()

    logged_in(site, caller)
    assert sorted(m.uid for m in site.mailboxes.of(ANNA)) == ["a", "c"]


@pytest.mark.feature_part("INBOX-02", "what disappears there is gone on the phone")
def test_a_list_of_which_everything_has_gone_ends() -> None:
    site = inbox_of()

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_heading(phone)
        for uid in "abc":
            site.mailboxes.lose(ANNA, uid)
        await phone.hears(P.MESSAGE_GONE, P.MESSAGE_GONE, P.MESSAGE_GONE, P.NO_MORE_MESSAGES)
        phone.presses("1")
        await phone.hears(P.NO_NEW_MESSAGES)
        phone.hangs_up()

    logged_in(site, caller)


@pytest.mark.feature_part("INBOX-02", "a mailbox that goes down")
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("key", ["1", "2", "6", "7"])
def test_a_mailbox_that_goes_down_ends_the_call_politely(place: str, key: str) -> None:
    site = inbox_of()

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await PLACES[place](phone)
        site.mailboxes.unavailable = True
        phone.presses(key * 2)
        await phone.hears(P.MAILBOX_UNAVAILABLE, P.GOODBYE)
        await phone.hears_the_end()

    told = logged_in(site, caller)
    assert told.channel.left == ("SUCCESS", "")
    assert len(site.mailboxes.of(ANNA)) == 3


@pytest.mark.parametrize("key", ["1", "2", "0"])
def test_a_mailbox_that_goes_down_in_the_main_menu_too(key: str) -> None:
    site = inbox_of()

    async def caller(phone: Phone) -> None:
        await phone.hears(P.FOR_NEW_VOICE_MESSAGES)
        site.mailboxes.unavailable = True
        phone.presses(key)
        await phone.hears(P.MAILBOX_UNAVAILABLE, P.GOODBYE)
        await phone.hears_the_end()

    assert logged_in(site, caller).channel.left == ("SUCCESS", "")
