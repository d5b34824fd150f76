"""Remote inquiry: every key of the message menu, wherever it is pressed."""

import pytest

from tests.dialogues.exchange import ANNA, audio_of, logged_in
from tests.dialogues.listening import (
    PLACES,
    A,
    B,
    C,
    at_audio,
    at_heading,
    at_options,
    inbox_of,
    played,
)
from tests.phone import Phone
from vm_ari.dialogues.inbox import OPTIONS, OPTIONS_DELETED
from vm_ari.dialogues.listening import CONTROLS
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Digits, Duration, Number
from vm_ari.telephony.menu import spoken

# --- every key at every place


@pytest.mark.feature_part("INBOX-04", "keys at any time")
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("1", (P.MESSAGE_NUMBER, Number(2), audio_of(B))),
        ("2", (P.MESSAGE_KEPT_NEW, P.TO_REPEAT)),
        ("4", (P.MESSAGE_NUMBER, Number(1), audio_of(A))),
        ("6", (P.MESSAGE_NUMBER, Number(3), audio_of(C))),
        ("7", (P.MESSAGE_DELETED, P.TO_UNDELETE)),
        ("9", (P.RECEIVED, P.FROM, Digits("102"), P.LENGTH, Duration(65), P.TO_REPEAT)),
        ("0", (P.TO_REPEAT, P.TO_DELETE)),
        ("*", (P.FOR_NEW_VOICE_MESSAGES,)),
        ("5", (P.KEY_NOT_USED, P.TO_REPEAT)),
    ],
)
def test_each_key_does_its_work_wherever_it_is_pressed(
    place: str, key: str, said: tuple[P, ...]
) -> None:
    site = inbox_of()
    if place == "audio" and key in {site.desk.keys[action] for action in CONTROLS}:
        pytest.skip("tests/dialogues/test_playback_keys.py")

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_heading(phone)
        phone.presses("6")
        await at_heading(phone, 2)
        if place != "heading":
            await phone.hears(audio_of(B), *([P.TO_REPEAT] if place == "options" else []))
        await phone.waits(0.5)
        pressed.append(phone.now())
        phone.presses(key)
        await phone.hears(said[0])
        pressed.append(phone.now())
        await phone.hears(*said[1:])
        phone.hangs_up()

    pressed: list[float] = []
    logged_in(site, caller)
    assert pressed[1] == pressed[0]


@pytest.mark.feature_part("INBOX-05", "skip")
def test_the_skip_key_goes_from_part_to_part_and_then_on() -> None:
    site = inbox_of()

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_heading(phone)
        phone.presses("#")
        await at_audio(phone)
        assert phone.now() == pytest.approx(1, abs=0.01)
        phone.presses("#")
        await phone.hears(P.TO_REPEAT)
        phone.presses("#")
        await at_heading(phone, 2)
        assert phone.now() == pytest.approx(1.1 + 1, abs=0.01)
        phone.presses("###")
        await at_heading(phone, 3)
        phone.hangs_up()

    logged_in(site, caller)
    assert site.counts() == (2, 1)


def test_every_message_offers_what_the_menu_holds() -> None:
    keys = inbox_of().desk.keys
    offered = {item.action for item in OPTIONS if item.offer}
    silent = {item.action for item in OPTIONS if not item.offer}
    assert {str(action) for action in silent} == {"message.options", "message.skip"}
    assert not offered & silent
    for menu in (OPTIONS, OPTIONS_DELETED):
        pressed = [keys[item.action] for item in menu]
        assert len(set(pressed)) == len(pressed)


# --- moving about


def test_the_list_ends_at_both_ends() -> None:
    site = inbox_of(A, B)

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_options(phone, A)
        phone.presses("4")
        await phone.hears(P.NO_EARLIER_MESSAGE)
        await at_options(phone, A)
        phone.presses("6")
        await at_options(phone, B)
        phone.presses("4")
        await at_options(phone, A)
        phone.presses("66")
        await phone.hears(P.NO_MORE_MESSAGES, P.FOR_NEW_VOICE_MESSAGES)
        phone.hangs_up()

    assert played(logged_in(site, caller)) == ["a", "a", "b", "a"]


def test_keys_meant_for_an_earlier_message_do_not_strike_the_first() -> None:
    site = inbox_of()

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_options(phone)
        phone.presses("47")
        await phone.hears(P.NO_EARLIER_MESSAGE)
        await at_options(phone)
        phone.hangs_up()

    logged_in(site, caller)
    assert len(site.mailboxes.of(ANNA)) == 3


def test_going_back_and_in_again_shows_what_is_new_then() -> None:
    site = inbox_of()

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_options(phone)
        phone.presses("*")
        await phone.hears(P.FOR_NEW_VOICE_MESSAGES)
        phone.presses("1")
        await at_options(phone, B)
        phone.hangs_up()

    assert played(logged_in(site, caller)) == ["a", "b"]


# --- deleting


@pytest.mark.feature_part("INBOX-06", "delete and undelete")
@pytest.mark.feature_part("NOTIFY-02", "the lamp follows at once")
def test_a_message_is_deleted_and_comes_back_as_it_was() -> None:
    site = inbox_of()

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_heading(phone)
        phone.presses("7")
        await phone.hears(P.MESSAGE_DELETED, P.TO_UNDELETE)
        assert site.counts() == (2, 0)
        assert site.lamps.shown == {"101": (2, 0)}
        phone.presses("7")
        await phone.hears(P.MESSAGE_RESTORED, P.TO_DELETE)
        assert site.lamps.shown == {"101": (3, 0)}
        phone.presses("7")
        await phone.hears(P.MESSAGE_DELETED)
        phone.hangs_up()

    logged_in(site, caller)
    assert site.counts() == (2, 0)
    assert list(site.mailboxes.deleted["anna"]) == ["a"]


@pytest.mark.feature_part("INBOX-06", "a deleted message can be heard and restored until the end")
@pytest.mark.parametrize("way", ["1", "64"])
def test_a_deleted_message_can_be_heard_again_and_restored(way: str) -> None:
    site = inbox_of()

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_options(phone)
        phone.presses("7")
        await phone.hears(P.MESSAGE_DELETED, P.TO_UNDELETE)
        phone.presses(way)
        await phone.hears(P.MESSAGE_NUMBER, Number(1), audio_of(A), P.TO_UNDELETE)
        phone.presses("9")
        await phone.hears(P.RECEIVED, P.TO_UNDELETE)
        phone.presses("7")
        await phone.hears(P.MESSAGE_RESTORED)
        phone.hangs_up()

    logged_in(site, caller)
    assert site.counts() == (2, 1)


def test_what_is_deleted_cannot_be_kept_as_new() -> None:
    site = inbox_of()

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await at_options(phone)
        phone.presses("72")
        always = [item for item in OPTIONS_DELETED if item.hideable is None]
        await phone.hears(P.KEY_NOT_USED, *spoken(always, site.desk.keys))
        phone.hangs_up()

    told = logged_in(site, caller)
    assert "en/message-gone" not in told.phone.heard_names()
