"""Callers are connected with somebody else: real calls between SIP phones through Asterisk."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from tests.system.callers import Caller, calling, digits
from tests.system.conftest import NewAsterisk
from tests.system.transfer_site import (
    CONFIGURATION,
    MODULES,
    MUSIC_HZ,
    PHONES,
    Mailboxes,
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
from vm_ari.adapters.asterisk.process import PrivateAsterisk
from vm_ari.adapters.softphone import CallEnded, Ending
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
    asyncio.run(asyncio.wait_for(story, 90))


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
    async with asyncio.timeout(10):
        assert await mailboxes.pressed.get() == "3"
    await carla.hears("goodbye")
    await carla.is_hung_up_on()


async def disposition(site: PrivateAsterisk, carla: Caller) -> str:
    """What the records say about the attempt, when the caller's own says that she was answered."""
    async with asyncio.timeout(10):
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


def test_the_caller_hangs_up_while_they_talk(site: PrivateAsterisk) -> None:
    async def scenario() -> None:
        mailboxes = Mailboxes({"101": "102"})
        async with controller(site, mailboxes), registered(site) as ben, a_call(site) as carla:
            rings = await ben.next_call(within=10)
            rings.answer()
            await asyncio.gather(carla.speaks(tone(1000, 1)), hears_tone(rings, 1000))
            await carla.hangs_up()
            await asyncio.wait_for(rings.ended.wait(), 10)
            assert await mailboxes.outcome() is Outcome.TALKED

    run(scenario())


def test_the_caller_hangs_up_while_it_rings(site: PrivateAsterisk) -> None:
    async def scenario() -> None:
        mailboxes = Mailboxes({"101": "102"})
        async with controller(site, mailboxes), registered(site) as ben, a_call(site) as carla:
            rings = await ben.next_call(within=10)
            await hears_tone(carla.call, 425)
            await carla.hangs_up()
            await asyncio.wait_for(rings.ended.wait(), 3)
            assert rings.ending is Ending.CANCELLED
            assert await mailboxes.outcome() is None

    run(scenario())


@pytest.mark.feature("XFER-02")
@pytest.mark.parametrize(
    ("destination", "status", "outcome", "record"),
    [
        ("102", 486, Outcome.BUSY, "BUSY"),
        ("222", 486, Outcome.BUSY, "BUSY"),
        ("102", 603, Outcome.REFUSED, "NO ANSWER"),
        ("222", 603, Outcome.UNREACHABLE, "NO ANSWER"),
        ("102", 480, Outcome.NO_ANSWER, "NO ANSWER"),
        ("102", 404, Outcome.UNREACHABLE, "NO ANSWER"),
        ("102", RINGS, Outcome.NO_ANSWER, "NO ANSWER"),
        ("107", RINGS, Outcome.NO_ANSWER, "NO ANSWER"),
        ("108", RINGS, Outcome.NO_ANSWER, "NO ANSWER"),
        ("104", RINGS, Outcome.UNREACHABLE, "FAILED"),
        ("199", RINGS, Outcome.UNREACHABLE, "FAILED"),
        ("105", RINGS, Outcome.UNREACHABLE, "NO ANSWER"),
        ("101", RINGS, Outcome.LOOP, ""),
        ("+49305550101", RINGS, Outcome.LOOP, ""),
        ("0900123456", RINGS, Outcome.NOT_ALLOWED, ""),
        ("102&103", RINGS, Outcome.NOT_ALLOWED, ""),
    ],
)
def test_who_is_not_connected_hears_why_and_is_back(
    site: PrivateAsterisk, destination: str, status: int, outcome: Outcome, record: str
) -> None:
    """105 leads to the mailbox itself, 101 is its own number."""

    async def scenario() -> None:
        mailboxes = Mailboxes({"101": destination})
        async with controller(site, mailboxes), registered(site) as ben, a_call(site) as carla:
            if status != RINGS:
                ben.on_call(lambda call: call.reject(status))
            why = "destination-busy" if outcome is Outcome.BUSY else "not-reached"
            await is_back(carla, mailboxes, why)
            assert await mailboxes.outcome() is outcome
            assert (mailboxes.refused == ["101"]) == (destination == "105")
        assert await disposition(site, carla) == record

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
            rings = await ben.next_call(within=10)
            await hears_tone(carla.call, MUSIC_HZ)
            await carla.presses("*")
            await asyncio.wait_for(rings.ended.wait(), 10)
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
            rings = await phone.next_call(within=10)
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
            rings = await phone.next_call(within=10)
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
                    await ben.hears("to-accept", "call-from", "to-accept", within=30)
            await carla.hears("not-reached", "leave-a-message", within=30)
            assert rings.ended.is_set()
            assert await mailboxes.outcome() is Outcome.REFUSED

    run(scenario())


def test_a_caller_who_hangs_up_while_the_destination_is_asked(site: PrivateAsterisk) -> None:
    async def scenario() -> None:
        mailboxes = Mailboxes({"101": "102"}, screening=True)
        async with controller(site, mailboxes), registered(site) as phone, a_call(site) as carla:
            rings = await phone.next_call(within=10)
            rings.answer()
            await ears(rings).hears("call-from")
            await carla.hangs_up()
            await asyncio.wait_for(rings.ended.wait(), 5)
            assert await mailboxes.outcome() is None

    run(scenario())
