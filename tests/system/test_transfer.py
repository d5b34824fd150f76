"""Callers are connected with somebody else: real calls between SIP phones through Asterisk."""

import asyncio
import re
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.patience import AT_MOST, STORY
from tests.system.callers import Caller, calling, digits, new_number, side_by_side
from tests.system.conftest import NewAsterisk
from tests.system.transfer_site import (
    CONFIGURATION,
    MODULES,
    MUSIC_HZ,
    PHONES,
    Mailboxes,
    Switchboard,
    controller,
    ears,
    hears_tone,
    nothing_is_left,
    phone,
    prepare_records,
    records,
    registered,
    tone,
    write_music,
)
from vm_ari.adapters.ari.application import Arrival
from vm_ari.adapters.ari.line import AriLine
from vm_ari.adapters.asterisk.process import PrivateAsterisk
from vm_ari.adapters.softphone import CallEnded, Ending, IncomingCall, Softphone
from vm_ari.domain.recording import Limits
from vm_ari.domain.transfer import Outcome, TransferRules, Waiting


@pytest.fixture(scope="module")
def site(
    new_asterisk: NewAsterisk, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PrivateAsterisk]:
    """An Asterisk with two office telephones, music and call records."""
    one = new_asterisk(
        phones=PHONES,
        music=write_music(tmp_path_factory.mktemp("music")),
        extra_configuration=CONFIGURATION,
        extra_modules=MODULES,
    )
    asyncio.run(one.start())
    prepare_records(one)
    yield one
    asyncio.run(one.stop())


RINGS = 0
"""No SIP status: the telephone rings, if there is one."""


def run(story: Coroutine[Any, Any, None]) -> None:
    """On a loop of its own, not for ever."""
    asyncio.run(asyncio.wait_for(story, STORY))


@asynccontextmanager
async def a_call(site: PrivateAsterisk, mailbox: str = "101") -> AsyncIterator[Caller]:
    """From outside; what is left of it fails the test."""
    async with (
        phone(site, "carla") as outside,
        calling(outside, mailbox, "en") as carla,
    ):
        yield carla
        await carla.hangs_up()
    await nothing_is_left(site)


async def is_back(carla: Caller, mailboxes: Mailboxes, why: str) -> None:
    """She hears what happened, and her keys are heard."""
    await carla.hears(why, "leave-a-message")
    await carla.presses("3")
    async with asyncio.timeout(AT_MOST):
        assert await mailboxes.pressed.get() == "3"
    await carla.hears("goodbye")
    await carla.is_hung_up_on()


async def disposition(site: PrivateAsterisk, carla: Caller) -> str:
    """What the records say about the attempt, when the caller's own says that she was answered."""
    async with asyncio.timeout(AT_MOST):
        while not (rows := [one for one in records(site) if one["src"] == carla.number]):
            await asyncio.sleep(0.1)
    assert {one["disposition"] for one in rows if "trunk" in one["channel"]} == {"ANSWERED"}
    legs = [one for one in rows if one["channel"].endswith(";2")]
    return legs[0]["disposition"] if legs else ""


@pytest.mark.feature("XFER-02")
def test_they_talk_until_the_destination_hangs_up(site: PrivateAsterisk) -> None:
    async def scenario() -> None:
        mailboxes = Mailboxes({"101": "102"})
        async with controller(site, mailboxes), registered(site) as ben, a_call(site) as carla:
            await carla.hears("please-hold")
            rings = await ben.next_call()
            assert f"<sip:{carla.number}@" in rings.request.get("from")
            await hears_tone(carla.call, 425)
            rings.answer()
            await asyncio.gather(
                carla.speaks(tone(1000, 2)),
                rings.speak(tone(1700, 2)),
                hears_tone(rings, 1000),
                hears_tone(carla.call, 1700),
            )
            await rings.hang_up()
            await carla.is_hung_up_on()
            assert await mailboxes.outcome() is Outcome.TALKED

    run(scenario())


@dataclass
class Attentive(Mailboxes):
    """What may happen before: a fax machine is listened for, and a voice while it is recorded."""

    async def call(self, line: AriLine, arrival: Arrival) -> None:
        await line.answer()
        await line.listen_for_fax("101")
        await line.record("attentive", Limits())
        await line.stop_recording("attentive")
        await super().call(line, arrival)


@pytest.mark.feature_part("XFER-03", "nothing of ours keeps a driver from connecting both itself")
def test_who_is_connected_is_connected_by_the_driver(site: PrivateAsterisk) -> None:
    """As chan_dahdi, that of SIP connects two lines itself only where nothing listens to them."""

    async def scenario() -> None:
        mailboxes = Attentive({"101": "102"})
        direct = controller(site, mailboxes, endpoint="PJSIP/{number}")
        async with direct, registered(site) as ben, a_call(site) as carla:
            rings = await ben.next_call(within=AT_MOST)
            rings.answer()
            await asyncio.gather(carla.speaks(tone(1000, 1)), hears_tone(rings, 1000))
            bridges = await site.command("bridge show all")
            assert "native_rtp" in bridges, bridges

    run(scenario())


def test_the_caller_hangs_up_while_they_talk(site: PrivateAsterisk) -> None:
    async def scenario() -> None:
        mailboxes = Mailboxes({"101": "102"})
        async with controller(site, mailboxes), registered(site) as ben, a_call(site) as carla:
            rings = await ben.next_call(within=AT_MOST)
            rings.answer()
            await asyncio.gather(carla.speaks(tone(1000, 1)), hears_tone(rings, 1000))
            await carla.hangs_up()
            await asyncio.wait_for(rings.ended.wait(), AT_MOST)
            assert await mailboxes.outcome() is Outcome.TALKED

    run(scenario())


def test_the_caller_hangs_up_while_it_rings(site: PrivateAsterisk) -> None:
    async def scenario() -> None:
        mailboxes = Mailboxes({"101": "102"})
        async with controller(site, mailboxes), registered(site) as ben, a_call(site) as carla:
            rings = await ben.next_call(within=AT_MOST)
            await hears_tone(carla.call, 425)
            await carla.hangs_up()
            await asyncio.wait_for(rings.ended.wait(), AT_MOST)
            assert rings.ending is Ending.CANCELLED
            assert await mailboxes.outcome() is None

    run(scenario())


@dataclass(frozen=True)
class Attempt:
    """A destination, and what comes of trying to connect the caller with it."""

    destination: str
    status: int
    """What the telephone answers."""
    outcome: Outcome
    record: str
    """The disposition of the call record."""


ATTEMPTS = (
    Attempt("102", 486, Outcome.BUSY, "BUSY"),
    Attempt("222", 486, Outcome.BUSY, "BUSY"),
    Attempt("102", 603, Outcome.REFUSED, "NO ANSWER"),
    Attempt("222", 603, Outcome.UNREACHABLE, "NO ANSWER"),
    Attempt("102", 480, Outcome.NO_ANSWER, "NO ANSWER"),
    Attempt("102", 404, Outcome.UNREACHABLE, "NO ANSWER"),
    Attempt("102", RINGS, Outcome.NO_ANSWER, "NO ANSWER"),
    Attempt("107", RINGS, Outcome.NO_ANSWER, "NO ANSWER"),
    Attempt("108", RINGS, Outcome.NO_ANSWER, "NO ANSWER"),
    Attempt("104", RINGS, Outcome.UNREACHABLE, "FAILED"),
    Attempt("199", RINGS, Outcome.UNREACHABLE, "FAILED"),
    Attempt("105", RINGS, Outcome.UNREACHABLE, "NO ANSWER"),
    Attempt("101", RINGS, Outcome.LOOP, ""),
    Attempt("+49305550101", RINGS, Outcome.LOOP, ""),
    Attempt("0900123456", RINGS, Outcome.NOT_ALLOWED, ""),
    Attempt("102&103", RINGS, Outcome.NOT_ALLOWED, ""),
)
"""105 leads to the mailbox itself, 101 is its own number."""


def answers_by_caller(ben: Softphone, wanted: dict[str, Attempt]) -> None:
    """One telephone, called for several callers at once: each attempt gets its own answer."""

    def answer(call: IncomingCall) -> None:
        caller = re.search(r"<sip:([^@]+)@", call.request.get("from"))
        assert caller
        if (status := wanted[caller[1]].status) == RINGS:
            call.ring()
        else:
            call.reject(status)

    ben.on_call(answer)


async def what_came_of(site: PrivateAsterisk, number: str, mailboxes: Mailboxes) -> Attempt:
    """One call until the caller is hung up on; what was seen of it."""
    destination = mailboxes.destinations["101"]
    async with (
        phone(site, "carla") as outside,
        calling(outside, "101", "en", number=number) as carla,
    ):
        outcome = await mailboxes.outcome()
        assert outcome is not None, f"{destination}: she hung up"
        busy = outcome is Outcome.BUSY
        await is_back(carla, mailboxes, "destination-busy" if busy else "not-reached")
    assert (mailboxes.refused == ["101"]) == (destination == "105")
    return Attempt(destination, RINGS, outcome, await disposition(site, carla))


@pytest.mark.feature("XFER-02")
def test_who_is_not_connected_hears_why_and_is_back(site: PrivateAsterisk) -> None:
    wanted = {new_number(): attempt for attempt in ATTEMPTS}
    board = Switchboard(
        {number: Mailboxes({"101": one.destination}) for number, one in wanted.items()}
    )

    async def one(number: str, mailboxes: Mailboxes) -> Attempt:
        seen = await what_came_of(site, number, mailboxes)
        return replace(seen, status=wanted[number].status)

    async def scenario() -> None:
        async with controller(site, board), registered(site) as ben:
            answers_by_caller(ben, wanted)
            seen = await side_by_side(one(*each) for each in board.by_caller.items())
        assert tuple(seen) == ATTEMPTS
        await nothing_is_left(site)

    run(scenario())


@pytest.mark.feature("XFER-02")
def test_two_mailboxes_that_lead_to_each_other_are_no_endless_loop(site: PrivateAsterisk) -> None:
    """Anna's leads to Ben's, and that one back to hers."""

    async def scenario() -> None:
        mailboxes = Mailboxes({"101": "106", "102": "105"})
        async with controller(site, mailboxes), a_call(site) as carla:
            await carla.hears("please-hold", "please-hold", "not-reached", "leave-a-message")
            assert await mailboxes.outcome() is Outcome.UNREACHABLE
            assert mailboxes.refused == ["101"]
            await carla.presses("4")
            await carla.hears("goodbye")
            await carla.is_hung_up_on()
            assert await mailboxes.outcome() is Outcome.TALKED

    run(scenario())


@pytest.mark.feature("XFER-02")
def test_the_key_brings_a_waiting_caller_back(site: PrivateAsterisk) -> None:
    async def scenario() -> None:
        mailboxes = Mailboxes({"101": "102"}, TransferRules(hears=Waiting.MUSIC))
        async with controller(site, mailboxes), registered(site) as ben, a_call(site) as carla:
            rings = await ben.next_call(within=AT_MOST)
            await hears_tone(carla.call, MUSIC_HZ)
            await carla.presses("*")
            await asyncio.wait_for(rings.ended.wait(), AT_MOST)
            await carla.hears("leave-a-message")
            assert await mailboxes.outcome() is Outcome.GIVEN_UP

    run(scenario())


# --- screening


@pytest.mark.feature("XFER-05")
def test_the_destination_hears_who_calls_and_accepts(site: PrivateAsterisk) -> None:
    async def scenario() -> None:
        rules = TransferRules(hears=Waiting.MUSIC)
        mailboxes = Mailboxes({"101": "102"}, rules, screening=True)
        async with controller(site, mailboxes), registered(site) as phone, a_call(site) as carla:
            rings = await phone.next_call(within=AT_MOST)
            rings.answer()
            ben = ears(rings)
            await ben.hears("call-from", *digits(carla.number), "to-accept", "press", "digits/1")
            await hears_tone(carla.call, MUSIC_HZ)
            await ben.presses("1")
            await asyncio.gather(
                carla.speaks(tone(1000, 2)),
                ben.speaks(tone(1700, 2)),
                hears_tone(rings, 1000),
                hears_tone(carla.call, 1700),
            )
            await rings.hang_up()
            assert await mailboxes.outcome() is Outcome.TALKED
            await carla.is_hung_up_on()

    run(scenario())


@pytest.mark.parametrize("answer", ["2", "nothing", "hangs up"])
@pytest.mark.feature("XFER-05")
def test_who_does_not_accept_is_not_connected(site: PrivateAsterisk, answer: str) -> None:
    async def scenario() -> None:
        mailboxes = Mailboxes({"101": "102"}, screening=True)
        async with controller(site, mailboxes), registered(site) as phone, a_call(site) as carla:
            rings = await phone.next_call(within=AT_MOST)
            rings.answer()
            ben = ears(rings)
            await ben.hears("call-from")
            match answer:
                case "2":
                    with suppress(CallEnded):
                        await rings.press("2")
                case "hangs up":
                    await rings.hang_up()
                case _:
                    await ben.hears("to-accept", "call-from", "to-accept")
            await carla.hears("not-reached", "leave-a-message")
            assert rings.ended.is_set()
            assert await mailboxes.outcome() is Outcome.REFUSED

    run(scenario())


def test_a_caller_who_hangs_up_while_the_destination_is_asked(site: PrivateAsterisk) -> None:
    async def scenario() -> None:
        mailboxes = Mailboxes({"101": "102"}, screening=True)
        async with controller(site, mailboxes), registered(site) as phone, a_call(site) as carla:
            rings = await phone.next_call(within=AT_MOST)
            rings.answer()
            await ears(rings).hears("call-from")
            await carla.hangs_up()
            await asyncio.wait_for(rings.ended.wait(), AT_MOST)
            assert await mailboxes.outcome() is None

    run(scenario())
