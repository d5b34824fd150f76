"""We call somebody who hears a message: never a machine, never a stranger without the PIN."""

from dataclasses import replace

import pytest

from tests.clock import run_virtually
from tests.dialogues.called_people import (
    accepts,
    guesses,
    no_call_failed,
    types_a_wrong_pin_and_the_right_one,
    types_the_pin_of_a_locked_login,
)
from tests.dialogues.conftest import Logs
from tests.dialogues.exchange import ANNA, PIN, Exchange, audio_of, message
from tests.fake_channel import FakeChannel
from tests.phone import Caller, Phone, Told, on_the_phone
from vm_ari.dialogues.play_on_phone import serve_playing_call
from vm_ari.domain.callers import Caller as Sender
from vm_ari.domain.login_phones import ListedPhone, LoginFrom, PhoneLogin
from vm_ari.domain.messages import MessageKind
from vm_ari.domain.pin import FAILURES_BEFORE_LOCK
from vm_ari.domain.playing_call import PlayingCall, Report
from vm_ari.domain.preferences import Access
from vm_ari.domain.users import User
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Digits

A = replace(message("a"), genuine=True)
QUESTION = (P.MESSAGE_CALL, P.TO_HEAR, P.PRESS, Digits("1"))
OWN, MOBILE, OTHER = "101", "+491701234567", "102"


def called(
    site: Exchange,
    caller: Caller,
    *,
    phone: str = OWN,
    uid: str = "a",
    owner: str = "anna",
    line: FakeChannel | None = None,
) -> Told:
    """The telephone rings, is answered, and that is its story."""
    wanted = PlayingCall(owner, uid, phone)
    return run_virtually(
        on_the_phone(lambda call: serve_playing_call(call, site.desk, wanted), caller, channel=line)
    )


def site_of(owner: User = ANNA) -> Exchange:
    site = Exchange(users=(owner,))
    site.put(A)
    return site


@pytest.mark.feature_part("INBOX-14", "the message is played with the keys of listening")
def test_whoever_presses_the_key_on_the_own_telephone_hears_the_message() -> None:
    site = site_of()

    async def caller(phone: Phone) -> None:
        await phone.hears(*QUESTION)
        phone.presses("1")
        await phone.hears(P.MESSAGE_NUMBER, audio_of(A))
        assert site.counts() == (1, 0)
        await phone.waits(0.3)
        phone.presses("0")
        await phone.hears(P.TO_GO_ON)
        phone.presses("0")
        await phone.hears(P.TO_REPEAT, P.TO_DELETE)
        assert site.counts() == (0, 1)
        assert site.lamps.shown == {"101": (0, 1)}
        phone.presses("*")
        await phone.hears(P.GOODBYE)
        await phone.hears_the_end()

    told = called(site, caller)
    assert told.channel.reports == [Report.PLAYED]
    assert told.channel.left == ("SUCCESS", "")
    heard = told.phone.heard_names()
    assert not {"en/enter-pin", "en/for-next", "en/for-previous"} & set(heard)


@pytest.mark.parametrize("key", ["1", "2", "7", "9"])
def test_the_keys_of_a_message_do_their_work(key: str) -> None:
    site = site_of()
    said = {
        "1": (P.MESSAGE_NUMBER, audio_of(A)),
        "2": (P.MESSAGE_KEPT_NEW,),
        "7": (P.MESSAGE_DELETED, P.TO_UNDELETE),
        "9": (P.RECEIVED, P.LENGTH),
    }[key]

    async def caller(phone: Phone) -> None:
        await phone.hears(*QUESTION)
        phone.presses("1")
        await phone.hears(audio_of(A), P.TO_REPEAT)
        phone.presses(key)
        await phone.hears(*said)
        phone.presses("#*")
        await phone.hears(P.GOODBYE)

    called(site, caller)
    assert site.counts() == {"2": (1, 0), "7": (0, 0)}.get(key, (0, 1))


@pytest.mark.feature_part("INBOX-14", "no answering machine gets the message")
@pytest.mark.parametrize("keys", ["", "2", "55"])
def test_without_the_key_nothing_is_played(keys: str) -> None:
    site = site_of()

    async def caller(phone: Phone) -> None:
        await phone.hears(*QUESTION)
        phone.presses(keys)
        await phone.hears(P.GOODBYE)
        await phone.hears_the_end()

    told = called(site, caller)
    assert told.channel.reports == []
    assert site.counts() == (1, 0)


# --- whose telephone it is


@pytest.mark.feature_part("INBOX-14", "the PIN, but on the user's own telephone")
@pytest.mark.parametrize(
    ("owner", "phone", "asked"),
    [
        (ANNA, OWN, False),
        (replace(ANNA, login_office=PhoneLogin.PIN), OWN, True),
        (replace(ANNA, login_office=PhoneLogin.NO_PIN, login_from=LoginFrom.NOWHERE), OWN, False),
        (ANNA, OTHER, True),
        (ANNA, MOBILE, True),
        (replace(ANNA, mobile=MOBILE), MOBILE, False),
        (replace(ANNA, mobile=MOBILE, login_mobile=PhoneLogin.PIN), MOBILE, True),
        (replace(ANNA, login_numbers=(ListedPhone(MOBILE, PhoneLogin.NO_PIN),)), MOBILE, False),
    ],
)
def test_the_pin_is_asked_on_telephones_that_are_not_the_users(
    owner: User, phone: str, asked: bool
) -> None:
    site = site_of(owner)

    async def caller(line: Phone) -> None:
        await line.hears(*QUESTION)
        line.presses("1")
        if asked:
            await types_a_wrong_pin_and_the_right_one(line)
        await line.hears(audio_of(A))
        line.hangs_up()

    told = called(site, caller, phone=phone)
    assert ("en/enter-pin" in told.phone.heard_names()) is asked
    assert told.channel.reports[-1] == Report.PLAYED


def test_a_stranger_guesses_three_times_and_the_guesses_count() -> None:
    site = site_of()
    told = called(site, guesses(QUESTION), phone=OTHER)
    assert site.directory.failures["anna"] == 3
    assert told.channel.reports[-1] == Report.NO_PIN
    assert "/listening/a" not in told.phone.heard_names()


@pytest.mark.parametrize("phone", [OWN, OTHER])
@pytest.mark.parametrize(
    "owner",
    [replace(ANNA, access=Access.PROFILES), replace(ANNA, login_from=LoginFrom.NOWHERE)],
)
def test_who_hears_no_messages_by_telephone_hears_none_here(owner: User, phone: str) -> None:
    site = site_of(owner)
    caller = accepts(QUESTION, P.LOGIN_NOT_POSSIBLE, P.GOODBYE)
    assert called(site, caller, phone=phone).channel.reports[-1] == Report.CLOSED


@pytest.mark.parametrize("phone", [OWN, OTHER])
def test_a_locked_login_stays_locked(phone: str) -> None:
    site = site_of()
    site.directory.failures["anna"] = FAILURES_BEFORE_LOCK
    told = called(site, types_the_pin_of_a_locked_login(QUESTION), phone=phone)
    assert told.channel.reports[-1] == Report.CLOSED
    assert "/listening/a" not in told.phone.heard_names()


@pytest.mark.feature_part("INBOX-09", "off for logins without PIN")
@pytest.mark.parametrize("phone", [OWN, OTHER])
def test_calling_back_needs_the_pin_here_too(phone: str) -> None:
    site = Exchange(users=(ANNA,))
    site.put(replace(A, caller=Sender("103")))

    async def caller(line: Phone) -> None:
        await line.hears(*QUESTION)
        line.presses("1" if phone == OWN else f"1{PIN}#")
        await line.hears(audio_of(A), P.TO_REPEAT)
        line.presses("5")
        await line.hears(P.KEY_NOT_USED if phone == OWN else P.NUMBER_IS)
        line.hangs_up()

    called(site, caller, phone=phone)


# --- what can be wrong


@pytest.mark.parametrize(
    ("uid", "owner", "heard", "report"),
    [
        ("b", "anna", P.MESSAGE_GONE, Report.GONE),
        ("a", "nobody", P.LOGIN_NOT_POSSIBLE, Report.CLOSED),
    ],
)
def test_what_is_not_there_is_said_and_reported(
    uid: str, owner: str, heard: P, report: Report
) -> None:
    caller = accepts(QUESTION, heard, P.GOODBYE)
    assert called(site_of(), caller, uid=uid, owner=owner).channel.reports == [report]


def test_a_mail_that_nobody_can_read_aloud_is_no_message_here() -> None:
    site = Exchange(users=(ANNA,))
    site.desk = replace(site.desk, readings=None)
    site.put(replace(A, kind=MessageKind.MAIL))
    called(site, accepts(QUESTION, P.MESSAGE_GONE, P.GOODBYE))


@pytest.mark.parametrize("fault", ["mailboxes", "directory"])
def test_what_does_not_answer_is_said(fault: str, logs: Logs) -> None:
    site = site_of()

    async def caller(phone: Phone) -> None:
        if fault == "mailboxes":
            await phone.hears(*QUESTION)
            site.mailboxes.unavailable = True
            phone.presses("1")
        await phone.hears(P.TECHNICAL_PROBLEM)
        await phone.hears_the_end()

    site.directory.unavailable = fault == "directory"
    told = called(site, caller)
    assert told.channel.left == ("FAILED", "")
    assert told.channel.reports == ([Report.UNAVAILABLE] if fault == "mailboxes" else [])
    assert no_call_failed(logs)


def test_a_message_that_vanishes_while_it_is_heard_is_no_fault() -> None:
    site = site_of()

    async def caller(phone: Phone) -> None:
        await phone.hears(*QUESTION)
        phone.presses("1")
        await phone.hears(audio_of(A), P.TO_REPEAT)
        site.mailboxes.lose(ANNA, "a")
        phone.presses("7")
        await phone.hears(P.MESSAGE_GONE, P.GOODBYE)
        await phone.hears_the_end()

    assert called(site, caller).channel.left == ("SUCCESS", "")


@pytest.mark.parametrize("seconds", [0.5, 4.5, 9.0])
def test_a_hang_up_ends_it_wherever_it_comes(seconds: float, logs: Logs) -> None:
    site = site_of()
    line = FakeChannel()

    async def caller(phone: Phone) -> None:
        phone.presses("1")
        await phone.waits(seconds)
        phone.hangs_up()

    called(site, caller, line=line)
    assert no_call_failed(logs)
