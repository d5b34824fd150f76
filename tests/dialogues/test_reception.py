"""However a call goes, it is given back in order; what an earlier controller began is finished."""

import asyncio
from datetime import datetime

import pytest

from tests.dialogues.conftest import Logs
from tests.dialogues.exchange import THANKS, Exchange, LoopClock, tell
from tests.fake_channel import FakeChannel
from tests.fakes import FakeCourier
from tests.phone import Caller, Phone, Told, on_the_phone
from vm_ari.dialogues import orphan
from vm_ari.domain.delivery import Attempts
from vm_ari.services.outbox import Outbox
from vm_ari.speech.catalogue import P
from vm_ari.telephony.channel import LineFault, LineSilent

# --- reception


class BrokenClock(LoopClock):
    """Somebody made a mistake in a program."""

    def now(self) -> datetime:
        raise ZeroDivisionError("a mistake of ours")


@pytest.mark.feature_part("CALL-10", "a mistake of ours does not cost the message")
def test_after_a_mistake_of_ours_the_dialplan_takes_the_message(logs: Logs) -> None:
    site = Exchange(clock=BrokenClock())

    async def caller(phone: Phone) -> None:
        phone.presses("0011")
        await phone.hears_the_end()

    told = site.phone_call(caller)
    assert told.channel.left == ("FALLBACK", "")
    assert told.phone.heard_names() == []
    [entry] = logs
    assert (entry["event"], entry["log_level"]) == ("call failed", "error")


async def make_a_mistake(*_: object, **__: object) -> None:
    """Somebody made a mistake in a program."""
    raise ZeroDivisionError("a mistake of ours")


async def speaks_to_a_broken_program(phone: Phone) -> None:
    """A message that cannot be judged."""
    phone.presses("0")
    await phone.speaks(3)
    phone.presses("#")


def test_a_mistake_after_the_tone_is_told(logs: Logs) -> None:
    site = Exchange()
    site.spool.inspect = make_a_mistake  # type: ignore[method-assign]

    async def caller(phone: Phone) -> None:
        await speaks_to_a_broken_program(phone)
        await phone.hears(P.TECHNICAL_PROBLEM)
        await phone.hears_the_end()

    told = site.phone_call(caller)
    assert told.channel.left == ("FAILED", "")
    assert [entry["event"] for entry in logs if entry["log_level"] != "info"] == ["call failed"]


def test_who_hangs_up_leaves_nothing_behind(logs: Logs) -> None:
    async def caller(phone: Phone) -> None:
        await phone.hears(P.YOU_HAVE_REACHED)
        phone.hangs_up()

    told = Exchange().phone_call(caller)
    assert told.channel.left is None
    assert {entry["event"] for entry in logs} <= {"greeting"}


@pytest.mark.parametrize("moment", [0, 0.5])
def test_who_hangs_up_while_we_apologise_is_no_error(moment: float, logs: Logs) -> None:
    site = Exchange()
    site.spool.inspect = make_a_mistake  # type: ignore[method-assign]

    async def caller(phone: Phone) -> None:
        await speaks_to_a_broken_program(phone)
        await phone.waits(moment)
        phone.hangs_up()

    told = site.phone_call(caller)
    assert told.channel.left is None
    assert {entry["event"] for entry in logs} <= {"call failed", "greeting"}


def test_a_line_that_plays_nothing_is_given_back(logs: Logs) -> None:
    site = Exchange()
    line = site.line()
    line.refuses = {"play"}
    told = site.phone_call(Phone.hears_the_end, line=line)
    assert told.channel.left == ("FALLBACK", "")
    complaints = [entry["event"] for entry in logs if entry["log_level"] != "info"]
    assert complaints == ["line does not obey"]


def test_who_was_never_recorded_as_nothing_answered_is_the_dialplans(
    logs: Logs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line to Asterisk that is too narrow: the tone was never ordered, and nobody can be told."""
    site = Exchange()
    line = site.line()

    async def is_not_heard_of(*_: object) -> None:
        line.refuses = {"play"}
        raise LineSilent("no answer")

    monkeypatch.setattr(line, "record", is_not_heard_of)

    async def caller(phone: Phone) -> None:
        phone.presses("0")
        await phone.hears_the_end()

    told = site.phone_call(caller, line=line)
    assert told.channel.left == ("FALLBACK", "")
    complaints = [entry["event"] for entry in logs if entry["log_level"] != "info"]
    assert complaints == ["line does not obey"]


def test_a_line_that_cannot_be_given_back_is_for_the_application_to_handle() -> None:
    site = Exchange()
    line = site.line()
    line.refuses = {"leave"}
    with pytest.raises(ExceptionGroup) as raised:
        site.phone_call(Phone.hears_the_end, dialled="199", line=line)
    assert [type(error) for error in raised.value.exceptions] == [LineFault]


@pytest.mark.parametrize("purpose", ["leave", "login"])
@pytest.mark.parametrize("dialled", ["", "101", "102", "199"])
def test_who_does_nothing_at_all_is_out_of_the_line_soon(purpose: str, dialled: str) -> None:
    told = Exchange().phone_call(Phone.hears_the_end, purpose=purpose, dialled=dialled)
    nobody = purpose == "leave" and dialled in {"", "199"}
    assert told.channel.left == ("NOMAILBOX" if nobody else "SUCCESS", "")
    assert told.seconds < 30


# --- what an earlier controller began


async def finishes(site: Exchange, line: FakeChannel, caller: Caller, code: str = "en") -> Told:
    """The next controller finds a line."""
    line.new_controller()
    site.spool.new_controller()
    outbox = Outbox(
        site.spool,
        site.directory,
        FakeCourier(site.mailboxes),
        site.clock,
        rules=site.rules,
        host="pbx.example",
    )

    async def alive(channel_id: str) -> bool:
        return channel_id != line.id

    return await on_the_phone(
        lambda call: orphan.finish(call, site.desk, lambda: outbox.adopt(alive)),
        caller,
        code,
        channel=line,
    )


async def dies_during(site: Exchange, line: FakeChannel, recorded: float, said: float) -> None:
    """A call to Bert whose controller is gone after so many seconds of recording."""

    async def caller(phone: Phone) -> None:
        phone.presses("0")
        await phone.is_recorded()
        if said:
            await phone.speaks(said)
        await phone.hears_the_end()

    call = asyncio.create_task(site.call(caller, dialled="102", line=line))
    await asyncio.sleep(1 + recorded)
    call.cancel()
    await asyncio.wait([call])
    assert not line.gone


def orphaned(
    caller: Caller, *, recorded: float, said: float, refuses: str = ""
) -> tuple[Exchange, Told]:
    """Such a call, taken over by the next controller, whose disk may refuse something."""
    site = Exchange()

    async def both() -> Told:
        line = site.line()
        await dies_during(site, line, recorded, said)
        site.spool.refuses = {refuses}
        return await finishes(site, line, caller, "de")

    return site, tell(both())


@pytest.mark.feature_part("CALL-10", "a restart in the middle of a message")
def test_a_caller_goes_on_talking_through_a_restart_and_is_thanked() -> None:
    async def caller(phone: Phone) -> None:
        await phone.waits(2)
        phone.presses("#")
        await phone.hears(P.THANK_YOU_GOODBYE)
        assert [message.facts.called for message in site.spool.kept] == ["102"]
        await phone.hears_the_end()

    site = Exchange()

    async def both() -> Told:
        line = site.line()
        await dies_during(site, line, 5, 4)
        return await finishes(site, line, caller, "de")

    told = tell(both())
    assert site.messages == [pytest.approx(7)]
    assert told.channel.left == ("SUCCESS", "")
    assert site.spool.open == {}


@pytest.mark.feature_part("CALL-10", "a restart in the middle of a message")
def test_who_hangs_up_after_the_restart_leaves_his_message() -> None:
    async def caller(phone: Phone) -> None:
        await phone.waits(1)
        phone.hangs_up()

    site, told = orphaned(caller, recorded=5, said=4)
    assert site.messages == [pytest.approx(6)]
    assert told.channel.left is None


@pytest.mark.feature_part("CALL-10", "a hang-up while nobody looked")
def test_who_hung_up_before_the_restart_leaves_his_message_too() -> None:
    site = Exchange()

    async def both() -> Told:
        line = site.line()
        await dies_during(site, line, 5, 4)
        line.caller_hangs_up()
        return await finishes(site, line, Phone.hears_the_end)

    told = tell(both())
    assert site.messages == [pytest.approx(5)]
    assert told.channel.left is None


@pytest.mark.feature_part("CALL-10", "a recording that ended while nobody looked")
def test_a_recording_that_ended_meanwhile_is_kept_and_thanked_for() -> None:
    site, told = orphaned(Phone.hears_the_end, recorded=20, said=4)
    assert site.messages == [pytest.approx(4, abs=0.5)]
    assert told.phone.heard_names()[-1] == "de/thank-you-goodbye"
    assert told.channel.left == ("SUCCESS", "")


@pytest.mark.feature_part("CALL-10", "thanks only for what is safe")
def test_who_has_said_nothing_is_not_thanked() -> None:
    site, told = orphaned(Phone.hears_the_end, recorded=5, said=0)
    assert site.messages == []
    assert told.phone.heard_names()[-2:] == ["de/nothing-recorded", "de/goodbye"]
    assert site.spool.open == {}


@pytest.mark.feature_part("CALL-10", "thanks only for what is safe")
@pytest.mark.parametrize("refused", ["keep", "inspect"])
def test_nor_is_he_when_the_disk_refuses(refused: str) -> None:
    site, told = orphaned(Phone.hears_the_end, recorded=5, said=4, refuses=refused)
    assert site.messages == []
    assert told.phone.heard_names()[-2:] == ["de/cannot-store", "de/goodbye"]
    assert len(site.spool.takes) == 1


def test_a_caller_for_whom_nothing_was_begun_goes_to_the_dialplan() -> None:
    site = Exchange()
    told = tell(finishes(site, site.line(), Phone.hears_the_end))
    assert told.channel.left == ("FALLBACK", "")
    assert told.phone.heard_names() == []


def test_while_the_directory_is_down_he_is_thanked_in_the_sites_language() -> None:
    site = Exchange()

    async def both() -> Told:
        line = site.line()
        await dies_during(site, line, 5, 4)
        site.directory.unavailable = True
        return await finishes(site, line, Phone.hears_the_end)

    assert tell(both()).phone.heard_names()[-1] == THANKS
    assert len(site.messages) == 1


def test_what_another_line_records_is_left_alone() -> None:
    site = Exchange()

    async def story() -> None:
        line, other = site.line(), site.line()
        await dies_during(site, line, 5, 4)
        told = await finishes(site, other, Phone.hears_the_end)
        assert told.channel.left == ("FALLBACK", "")
        assert site.messages == []
        told = await finishes(site, line, Phone.hears_the_end, "de")
        assert told.phone.heard_names()[-1] == "de/thank-you-goodbye"

    tell(story())
    assert len(site.messages) == 1
    assert site.spool.new[site.spool.kept[0].facts.id][1] == Attempts()
