"""What the journal says of a call, for every way in which it can end."""

from dataclasses import replace

import pytest

from tests.clock import run_virtually
from tests.dialogues.exchange import ANNA, BERT, CALLER, PIN, START, Exchange, message, tell
from tests.dialogues.leaving import is_thanked, records
from tests.dialogues.test_reception import make_a_mistake
from tests.fake_channel import FakeChannel
from tests.phone import Caller as Story
from tests.phone import Phone, on_the_phone
from vm_ari.dialogues.play_on_phone import serve_playing_call
from vm_ari.dialogues.record_greeting import serve_recording_call
from vm_ari.domain.callers import Caller
from vm_ari.domain.greetings import GreetingKey, Slot
from vm_ari.domain.journal import JournalEntry, Kind, Result
from vm_ari.domain.playing_call import PlayingCall
from vm_ari.domain.preferences import Access
from vm_ari.domain.profiles import ProfileName
from vm_ari.domain.redirection import Claims, redirection
from vm_ari.domain.settings import Rules
from vm_ari.domain.users import User
from vm_ari.speech.catalogue import P
from vm_ari.telephony.channel import Cause

HEIR = Rules(default_recipient=BERT.mail)
TRANSFERS = replace(ANNA, transfers=((ProfileName.WORK, "+493012345699"),))


def only_entry(site: Exchange) -> JournalEntry:
    """Of the only call."""
    [entry] = site.noted()
    assert entry.id.startswith("node/")
    return entry


def told(site: Exchange, caller: Story, **how: object) -> tuple[Kind, Result, str]:
    """What, how it ended, and whose it is."""
    site.phone_call(caller, **how)
    entry = only_entry(site)
    assert entry.ended is not None
    return entry.kind, entry.result, entry.user_id


async def hangs_up_at_once(phone: Phone) -> None:
    await phone.waits(0.5)
    phone.hangs_up()


async def leaves(phone: Phone) -> None:
    await records(phone, 5, "#1")
    await is_thanked(phone)


async def logs_in(phone: Phone) -> None:
    phone.presses(f"{PIN}#")
    await phone.waits(30)
    phone.hangs_up()


# --- calls


@pytest.mark.feature_part("STORE-05", "who called when, which greeting played and why, the result")
def test_an_entry_says_who_called_when_what_was_heard_and_why() -> None:
    site = Exchange()
    site.phone_call(leaves)
    [kept] = site.spool.kept
    entry = only_entry(site)
    assert entry.ended
    assert entry.ended > START
    assert replace(entry, ended=None) == JournalEntry(
        id="node/fake1",
        kind=Kind.CALL,
        started=START,
        result=Result.MESSAGE_LEFT,
        user_id="anna",
        mailbox="101",
        caller=CALLER,
        called="101",
        greeting="default",
        profile="work",
        why="It plays where no other greeting applies.",
        message_id=kept.facts.message_id,
        node="node",
    )


async def says_nothing(phone: Phone) -> None:
    phone.presses("0")
    await phone.is_recorded()
    phone.hangs_up()


async def speaks_and_hangs_up(phone: Phone) -> None:
    phone.presses("0")
    await phone.speaks(7)
    phone.hangs_up()


@pytest.mark.parametrize(
    ("caller", "result"),
    [
        (hangs_up_at_once, Result.HUNG_UP),
        (says_nothing, Result.NOTHING_SAID),
        (speaks_and_hangs_up, Result.MESSAGE_LEFT),
        (leaves, Result.MESSAGE_LEFT),
    ],
)
def test_calls_to_a_mailbox(caller: Story, result: Result) -> None:
    assert told(Exchange(), caller) == (Kind.CALL, result, "anna")


def test_notices_and_announcements() -> None:
    announcing = replace(ANNA, takes_messages=False)
    disabled = replace(ANNA, voice_mail_enabled=False)
    for user, result in (
        (announcing, Result.HEARD_GREETING),
        (disabled, Result.DISABLED),
    ):
        site = Exchange(users=(user,))
        assert told(site, Phone.hears_the_end) == (Kind.CALL, result, "anna")
    site = Exchange()
    assert told(site, Phone.hears_the_end, dialled="199") == (Kind.CALL, Result.NO_MAILBOX, "")
    assert only_entry(site).called == "199"


@pytest.mark.parametrize(("refuses", "purpose"), [("keep", "leave"), ("begin", "leave")])
def test_a_full_disk(refuses: str, purpose: str) -> None:
    site = Exchange()
    site.spool.refuses = {refuses}

    async def caller(phone: Phone) -> None:
        phone.presses("0")
        if refuses == "keep":
            await phone.speaks(5)
            phone.presses("#1")
        await phone.hears(P.CANNOT_STORE)
        await phone.hears_the_end()

    assert told(site, caller, purpose=purpose) == (Kind.CALL, Result.NOT_STORED, "anna")


def test_faults_of_ours() -> None:
    site = Exchange()
    site.spool.inspect = make_a_mistake  # type: ignore[method-assign]

    async def caller(phone: Phone) -> None:
        phone.presses("0")
        await phone.speaks(3)
        phone.presses("#")
        await phone.hears_the_end()

    assert told(site, caller) == (Kind.CALL, Result.FAILED, "anna")
    site = Exchange()
    line = site.line()
    line.refuses = {"play"}
    left = told(site, Phone.hears_the_end, line=line)
    assert left == (Kind.CALL, Result.LEFT_TO_DIALPLAN, "anna")
    site = Exchange()
    site.directory.unavailable = True
    assert told(site, Phone.hears_the_end, purpose="login")[:2] == (
        Kind.REMOTE_INQUIRY,
        Result.FAILED,
    )


def test_a_line_that_is_lost_leaves_an_entry_all_the_same() -> None:
    site = Exchange()
    line = site.line()
    line.refuses = {"leave"}
    with pytest.raises(ExceptionGroup):
        site.phone_call(Phone.hears_the_end, dialled="199", line=line)
    assert only_entry(site).result is Result.NO_MAILBOX


def test_exits_to_the_dialplan() -> None:
    async def caller(phone: Phone) -> None:
        phone.presses("*")
        await phone.hears_the_end()

    assert told(Exchange(), caller, exits="a") == (Kind.CALL, Result.LEFT_TO_DIALPLAN, "anna")


def test_a_redirected_call_says_who_has_sent_it() -> None:
    site = Exchange()
    judged = redirection(Claims(diversion=("<sip:102@pbx>;reason=no-answer",)), Rules().site, "500")
    result = told(site, leaves, purpose="common", dialled="500", redirection=judged, code="de")
    assert result == (Kind.CALL, Result.MESSAGE_LEFT, "bert")
    assert (only_entry(site).called, only_entry(site).redirected_from) == ("102", "102")


# --- transfers


async def wants_to_be_connected(phone: Phone) -> None:
    await phone.hears(P.YOU_HAVE_REACHED)
    phone.presses("2")
    await phone.hears(P.PLEASE_HOLD)
    await phone.waits(60)
    phone.hangs_up()


@pytest.mark.parametrize(
    ("then", "kind", "result"),
    [
        (FakeChannel.picks_up, Kind.TRANSFER, Result.TRANSFERRED),
        (lambda leg: leg.is_not_answered(Cause.BUSY), Kind.CALL, Result.NOTHING_SAID),
    ],
)
def test_transfers(then: object, kind: Kind, result: Result) -> None:
    site = Exchange(users=(TRANSFERS,))
    line = site.line()
    line.on_dial = lambda leg, _: then(leg)  # type: ignore[operator]
    assert told(site, wants_to_be_connected, line=line) == (kind, result, "anna")
    assert only_entry(site).connected_with == "+493012345699"


# --- logins


@pytest.mark.parametrize(
    ("caller", "dialled", "purpose", "result"),
    [
        (logs_in, "101", "login", Result.LOGGED_IN),
        (hangs_up_at_once, "101", "login", Result.LOGIN_FAILED),
    ],
)
def test_logins(caller: Story, dialled: str, purpose: str, result: Result) -> None:
    site = Exchange()
    got = told(site, caller, dialled=dialled, purpose=purpose)
    assert got == (Kind.REMOTE_INQUIRY, result, "anna")


def test_nobody_reads_in_the_journal_what_was_typed() -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        for mailbox, pin in (("4711", "987654"), ("101", "876543"), ("101", PIN)):
            await phone.hears(P.ENTER_MAILBOX)
            phone.presses(f"{mailbox}#")
            await phone.hears(P.ENTER_PIN)
            phone.presses(f"{pin}#")
        await phone.waits(20)
        phone.hangs_up()

    got = told(site, caller, dialled="", purpose="login")
    assert got == (Kind.REMOTE_INQUIRY, Result.LOGGED_IN, "anna")
    text = repr(site.noted())
    assert not [typed for typed in ("4711", "987654", "876543", PIN) if typed in text]


def test_who_gives_up_the_login_and_leaves_a_message_has_left_a_message() -> None:
    async def caller(phone: Phone) -> None:
        phone.presses("*")
        await phone.hears(P.ENTER_PIN)
        phone.presses("*")
        await phone.hears(P.YOU_HAVE_REACHED)
        await leaves(phone)

    assert told(Exchange(), caller) == (Kind.CALL, Result.MESSAGE_LEFT, "anna")


# --- calls of the system


def test_a_message_played_on_a_telephone() -> None:
    async def accepts(phone: Phone) -> None:
        phone.presses("1")
        await phone.waits(5)
        phone.hangs_up()

    async def nobody(phone: Phone) -> None:
        await phone.hears_the_end()

    for caller, access, result in (
        (accepts, Access.FULL, Result.SERVED),
        (accepts, Access.NONE, Result.REFUSED),
        (nobody, Access.FULL, Result.NO_ANSWER),
    ):
        site = Exchange(users=(replace(ANNA, access=access),))
        site.put(message("a"))
        wanted = PlayingCall("anna", "a", "101")
        run_virtually(on_the_phone(_playing(site, wanted), caller, channel=site.line()))
        entry = only_entry(site)
        assert (entry.kind, entry.result, entry.user_id) == (Kind.SYSTEM_CALL, result, "anna")


def _playing(site: Exchange, wanted: PlayingCall):  # type: ignore[no-untyped-def]
    return lambda call: serve_playing_call(call, site.desk, wanted)


def test_a_greeting_recorded_by_telephone() -> None:
    site = Exchange()
    key = GreetingKey("anna", Slot.WORK, "en")

    async def caller(phone: Phone) -> None:
        await phone.is_recorded()
        phone.hangs_up()

    run_virtually(
        on_the_phone(lambda c: serve_recording_call(c, site.desk, key), caller, channel=site.line())
    )
    entry = only_entry(site)
    assert (entry.kind, entry.result) == (Kind.SYSTEM_CALL, Result.HUNG_UP)


def test_a_withheld_number_is_noted_as_such() -> None:
    site = Exchange()
    opened = site.desk.records.of("c", Kind.CALL, caller=Caller(), withheld=True)

    async def story() -> None:
        async with opened:
            pass

    tell(story())
    assert only_entry(site).withheld


def test_two_calls_have_two_entries() -> None:
    site = Exchange(users=(ANNA, User("eve", "Eve", "103", ("103",), "eve@site.example")))
    site.phone_call(leaves)
    site.phone_call(leaves, dialled="103")
    assert [entry.user_id for entry in site.noted()] == ["anna", "eve"]
