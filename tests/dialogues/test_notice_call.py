"""We call somebody who has new messages: offered, put off, declined, heard; never without proof."""

from dataclasses import replace

import pytest

from tests.clock import run_virtually
from tests.dialogues.called_people import (
    guesses,
    no_call_failed,
    types_a_wrong_pin_and_the_right_one,
    types_the_pin_of_a_locked_login,
)
from tests.dialogues.conftest import Logs
from tests.dialogues.exchange import ANNA, Exchange, audio_of, message
from tests.fake_channel import FakeChannel
from tests.phone import Caller, Phone, Told, on_the_phone
from vm_ari.dialogues.notice_call import serve_notice_call
from vm_ari.domain.login_phones import LoginFrom, PhoneLogin
from vm_ari.domain.messages import MessageKind
from vm_ari.domain.notice_call import NoticeCall, Report
from vm_ari.domain.pin import FAILURES_BEFORE_LOCK
from vm_ari.domain.preferences import Access
from vm_ari.domain.users import User
from vm_ari.speech.catalogue import Noun, P
from vm_ari.speech.parts import Counted, Digits

A, B = message("a", minutes_ago=20), message("b", minutes_ago=10)
OWN, OTHER = "101", "102"
KEYS = (
    *(P.FOR_NEW_VOICE_MESSAGES, P.PRESS, Digits("1")),
    *(P.TO_BE_CALLED_LATER, P.PRESS, Digits("2")),
    *(P.FOR_NO_CALLS_TODAY, P.PRESS, Digits("3")),
)
OFFER = (P.NOTICE_CALL, P.YOU_HAVE, Counted(2, Noun.NEW_VOICE_MESSAGE), *KEYS)


def called(
    site: Exchange, caller: Caller, *, phone: str = OWN, line: FakeChannel | None = None
) -> Told:
    """The telephone rings, is answered, and that is its story."""
    wanted = NoticeCall("anna", phone)
    return run_virtually(
        on_the_phone(lambda call: serve_notice_call(call, site.desk, wanted), caller, channel=line)
    )


def site_of(owner: User = ANNA) -> Exchange:
    site = Exchange(users=(owner,))
    site.put(A, B)
    return site


@pytest.mark.feature_part("NOTIFY-03", "a call to the office phone offers to play the messages")
def test_whoever_presses_the_key_hears_the_messages_and_is_in_the_menu() -> None:
    site = site_of()

    async def caller(phone: Phone) -> None:
        await phone.hears(*OFFER)
        phone.presses("1")
        await phone.hears(audio_of(B), P.TO_REPEAT)
        phone.presses("6")
        await phone.hears(audio_of(A), P.TO_REPEAT)
        phone.presses("*")
        await phone.hears(P.YOU_HAVE, P.FOR_NEW_VOICE_MESSAGES)
        phone.presses("#")
        await phone.hears(P.GOODBYE)
        await phone.hears_the_end()

    told = called(site, caller)
    assert told.channel.reports == [Report.HEARD]
    assert told.channel.left == ("SUCCESS", "")
    assert site.counts() == (0, 2)
    assert site.lamps.shown == {"101": (0, 2)}
    assert "en/enter-pin" not in told.phone.heard_names()


@pytest.mark.parametrize(("key", "report"), [("2", Report.LATER), ("3", Report.NOT_TODAY)])
def test_who_does_not_want_it_says_so(key: str, report: Report) -> None:
    site = site_of()

    async def caller(phone: Phone) -> None:
        await phone.hears(*OFFER)
        phone.presses(key)
        await phone.hears(P.GOODBYE)
        await phone.hears_the_end()

    assert called(site, caller).channel.reports == [report]
    assert site.counts() == (2, 0)


@pytest.mark.parametrize("keys", ["", "7", "89"])
def test_an_answering_machine_presses_no_key(keys: str) -> None:
    site = site_of()

    async def caller(phone: Phone) -> None:
        await phone.hears(*OFFER)
        phone.presses(keys)
        await phone.hears(*KEYS, P.GOODBYE)
        await phone.hears_the_end()

    assert called(site, caller).channel.reports == []
    assert site.counts() == (2, 0)


@pytest.mark.parametrize(
    ("owner", "phone"),
    [(ANNA, OTHER), (replace(ANNA, login_office=PhoneLogin.PIN), OWN)],
)
def test_a_colleague_who_picks_up_must_know_the_pin(owner: User, phone: str) -> None:
    site = site_of(owner)

    async def caller(line: Phone) -> None:
        await line.hears(*OFFER)
        line.presses("1")
        await types_a_wrong_pin_and_the_right_one(line)
        await line.hears(audio_of(B))
        line.hangs_up()

    assert called(site, caller, phone=phone).channel.reports == [Report.NO_PIN, Report.HEARD]
    assert site.directory.failures["anna"] == 0


def test_a_stranger_guesses_and_hears_nothing() -> None:
    site = site_of()
    told = called(site, guesses(OFFER), phone=OTHER)
    assert told.channel.reports[-1] == Report.NO_PIN
    assert site.directory.failures["anna"] == 3
    assert not [name for name in told.phone.heard_names() if "/listening/" in name]


def test_a_locked_login_stays_locked() -> None:
    site = site_of()
    site.directory.failures["anna"] = FAILURES_BEFORE_LOCK
    assert called(site, types_the_pin_of_a_locked_login(OFFER)).channel.reports[-1] == Report.CLOSED


@pytest.mark.parametrize(
    "owner", [replace(ANNA, access=Access.PROFILES), replace(ANNA, login_from=LoginFrom.NOWHERE)]
)
def test_who_hears_no_messages_by_telephone_hears_none_here(owner: User) -> None:
    site = site_of(owner)

    async def caller(phone: Phone) -> None:
        if owner.access is Access.FULL:
            await phone.hears(*OFFER)
            phone.presses("1")
        await phone.hears(P.LOGIN_NOT_POSSIBLE, P.GOODBYE)
        await phone.hears_the_end()

    assert called(site, caller, phone=OTHER).channel.reports[-1] == Report.CLOSED


def test_messages_that_were_heard_while_it_rang_are_not_offered() -> None:
    site = Exchange(users=(ANNA,))

    async def caller(phone: Phone) -> None:
        await phone.hears(P.NO_NEW_MESSAGES, P.GOODBYE)
        await phone.hears_the_end()

    assert called(site, caller).channel.reports == [Report.NOTHING_NEW]


def test_a_fax_alone_is_offered_and_read() -> None:
    site = Exchange(users=(ANNA,))
    site.put(replace(A, kind=MessageKind.FAX))

    async def caller(phone: Phone) -> None:
        await phone.hears(P.NOTICE_CALL, P.FOR_NEW_MAILS_AND_FAXES, P.PRESS, Digits("1"))
        phone.presses("1")
        await phone.hears(P.KIND_FAX)
        phone.hangs_up()

    assert called(site, caller).channel.reports == [Report.HEARD]


def test_the_user_is_known_to_be_in_a_call_only_as_long_as_it_lasts() -> None:
    site = site_of()

    async def caller(phone: Phone) -> None:
        await phone.hears(*OFFER)
        assert "anna" in site.desk.inboxes.presence
        phone.hangs_up()

    called(site, caller)
    assert "anna" not in site.desk.inboxes.presence


def test_a_message_store_that_is_away_is_reported(logs: Logs) -> None:
    site = site_of()
    site.mailboxes.unavailable = True

    async def caller(phone: Phone) -> None:
        await phone.hears(P.TECHNICAL_PROBLEM)
        await phone.hears_the_end()

    assert called(site, caller).channel.reports == [Report.UNAVAILABLE]
    assert no_call_failed(logs)


@pytest.mark.parametrize("seconds", [0.5, 6.5, 12.0, 20.0])
def test_a_hang_up_ends_it_wherever_it_comes(seconds: float, logs: Logs) -> None:
    site = site_of()

    async def caller(phone: Phone) -> None:
        await phone.waits(seconds / 2)
        phone.presses("1")
        await phone.waits(seconds / 2)
        phone.hangs_up()

    called(site, caller, line=FakeChannel())
    assert no_call_failed(logs)
