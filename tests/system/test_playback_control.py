"""The keys of a message that plays, over SIP and RTP: the tone that is heard tells the place."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from tests.patience import AT_MOST
from tests.system.callers import Caller, calling, side_by_side
from tests.system.marked_message import MARK, Stretch, position, put, stretches
from tests.system.worlds import somebody
from vm_ari.adapters.ear import RATE
from vm_ari.demo.world import Person, World

SECONDS = 20.0
NEAR = 0.6
"""Seconds between where it should go on and where it does: a mark, and a machine that is busy."""


async def at_content(caller: Caller, person: Person) -> None:
    """Log in, go to the message and over its heading: all typed ahead."""
    await caller.presses(f"*{person.pin}#1#", ms=60)
    await reaches(caller, 0.0)


async def reaches(caller: Caller, second: float) -> None:
    """Wait until that second of the message is heard."""
    async with asyncio.timeout(AT_MOST):
        while (now := position(caller.call.heard)) is None or now < second:
            await asyncio.sleep(0.05)


async def presses_while_playing(caller: Caller, keys: str, then: float) -> None:
    """Press them, and hear on for so many seconds."""
    await caller.presses(keys)
    await asyncio.sleep(then)


async def speed(caller: Caller) -> float:
    """How fast it plays now."""
    await asyncio.sleep(0.8)
    begin = len(caller.call.heard)
    await asyncio.sleep(2.5)
    [heard] = stretches(caller.call.heard[begin:])
    return heard.speed


@dataclass
class Told:
    """What a listener noticed."""

    heard: Sequence[Stretch]
    speeds: Sequence[float]
    stream_in_pause: float
    """Seconds."""


async def listens(caller: Caller, person: Person) -> Told:
    """Press every key once."""
    await at_content(caller, person)
    await reaches(caller, 4.0)
    await presses_while_playing(caller, "3", 1.5)
    await presses_while_playing(caller, "9", 1.5)
    await caller.presses("0")
    await asyncio.sleep(0.5)
    quiet = len(caller.call.heard)
    await asyncio.sleep(2)
    quiet = len(caller.call.heard) - quiet
    await presses_while_playing(caller, "0", 1.0)
    await caller.presses("5")
    speeds = [await speed(caller)]
    await caller.presses("88")
    speeds.append(await speed(caller))
    await caller.presses("#")
    await caller.hears("to-repeat")
    return Told(stretches(caller.call.heard), speeds, quiet / RATE)


RATES = (8000, 16000)


@pytest.mark.feature("INBOX-05")
def test_a_message_that_plays_is_controlled_by_keys(world: World) -> None:
    async def heard_at(rate: int) -> Told:
        person = await somebody(world, "en")
        put(world, person, SECONDS, rate)
        async with (
            world.outside_phone() as phone,
            calling(phone, person.number, person.language) as caller,
        ):
            return await listens(caller, person)

    for told in asyncio.run(side_by_side(map(heard_at, RATES))):
        every_key_has_worked(told)


def every_key_has_worked(told: Told) -> None:
    first, back, forward, resumed = told.heard  # another speed is no jump: the last is one stretch
    assert first.begin <= MARK
    assert back.begin == pytest.approx(first.end - 3, abs=NEAR)
    assert forward.begin == pytest.approx(back.end + 3, abs=NEAR)
    assert resumed.begin == pytest.approx(forward.end, abs=NEAR)
    assert resumed.heard_from - forward.heard_to > 2
    assert resumed.end < SECONDS - 1, "the skip key left the rest out"
    assert told.stream_in_pause > 1, "a trunk sees that the call goes on"
    assert told.speeds == pytest.approx([1.25, 0.75], abs=0.15)


@pytest.mark.feature_part("INBOX-05", "at the beginning and at the end")
def test_the_beginning_and_the_end_are_ends(world: World) -> None:
    async def heard_at(rate: int) -> Sequence[Stretch]:
        person = await somebody(world, "en")
        put(world, person, 8.0, rate)
        async with (
            world.outside_phone() as phone,
            calling(phone, person.number, person.language) as caller,
        ):
            await at_content(caller, person)
            await reaches(caller, 1.0)
            await presses_while_playing(caller, "3", 1.0)
            await reaches(caller, 5.5)
            await caller.presses("9")
            await caller.hears("to-repeat")
            return stretches(caller.call.heard)

    for first, again in asyncio.run(side_by_side(map(heard_at, RATES))):
        assert first.begin <= MARK
        assert again.begin <= MARK
        assert 5.5 <= again.end < 8 - MARK


@pytest.mark.feature_part("INBOX-05", "a pause tells how to go on")
def test_a_pause_says_how_to_go_on_and_goes_on(world: World) -> None:
    async def scenario() -> list[Stretch]:
        person = await somebody(world, "en")
        put(world, person, 12.0, 8000)
        async with (
            world.outside_phone() as phone,
            calling(phone, person.number, person.language) as caller,
        ):
            await at_content(caller, person)
            await reaches(caller, 3.0)
            await caller.presses("0")
            await caller.hears("to-go-on", "press", "digits/0")
            await caller.presses("0")
            await reaches(caller, 5.0)
            return stretches(caller.call.heard)

    first, again = asyncio.run(scenario())
    assert again.begin == pytest.approx(first.end, abs=NEAR)
