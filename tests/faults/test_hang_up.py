"""Callers hang up at every moment after the tone: what they said is there, once, and whole."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import pytest

from tests.system.callers import BEEP, Caller, assert_kept, babble, calling
from tests.system.mails import arrived
from tests.system.worlds import somebody
from vm_ari.adapters.softphone import CallEnded
from vm_ari.demo.world import Person, World

SPOKEN = 3.0

Ending = Callable[[Caller], Awaitable[None]]


def after(seconds: float) -> Ending:
    """So long after the last word."""

    async def ending(_: Caller) -> None:
        await asyncio.sleep(seconds)

    return ending


def at_the_key(seconds: float) -> Ending:
    """While the # is pressed, which takes 0.1 s, or just behind."""

    async def ending(caller: Caller) -> None:
        pressing = asyncio.create_task(caller.presses("#"))
        await asyncio.sleep(seconds)
        await caller.hangs_up()
        with contextlib.suppress(CallEnded):
            await pressing

    return ending


def keys_then(keys: str, prompt: str, seconds: float = 0.0) -> Ending:
    """After keys, and so long after a prompt."""

    async def ending(caller: Caller) -> None:
        await caller.presses(keys, ms=60)
        if prompt:
            await caller.hears(prompt)
        await asyncio.sleep(seconds)

    return ending


async def says_hello_again(caller: Caller) -> None:
    """Re-recording, too short for a message: then the first one counts."""
    await caller.presses("#3", ms=60)
    await caller.hears(BEEP)
    await caller.speaks(babble(0.8, 99))


ENDINGS = (
    *(after(seconds) for seconds in (0.0, 0.01, 0.03, 0.1, 0.4, 1.2)),
    *(at_the_key(seconds) for seconds in (0.0, 0.04, 0.08, 0.1, 0.11, 0.12, 0.15, 0.2)),
    keys_then("#", "", 0.3),
    keys_then("#", "to-send"),
    keys_then("#2", "", 0.2),
    keys_then("#2", "", 1.5),
    keys_then("#4", "", 0.0),
    keys_then("#4", "marked-urgent"),
    keys_then("#3", "", 0.0),
    keys_then("#3", BEEP),
    says_hello_again,
    keys_then("#1", "", 0.0),
)


@pytest.mark.feature("CALL-07")
def test_what_was_said_before_a_hang_up_is_there_once_and_whole(world: World) -> None:
    """All at once: 24 calls."""

    async def one(ending: Ending, seed: int) -> None:
        person, said = people[seed], words[seed]
        async with world.outside_phone() as phone, calling(phone, person.number) as caller:
            await caller.presses("0")
            await caller.hears(BEEP)
            await caller.speaks(said)
            await ending(caller)

    async def scenario() -> None:
        people.extend([await somebody(world) for _ in ENDINGS])
        await asyncio.gather(*(one(ending, seed) for seed, ending in enumerate(ENDINGS)))
        for person, said in zip(people, words, strict=True):
            [mail] = await arrived(world, person)
            assert_kept(said, mail.audio, lost=0.1)
            assert mail["X-VM-ARI-Partial"] == "no"

    people: list[Person] = []
    words = [babble(SPOKEN, seed) for seed in range(len(ENDINGS))]
    asyncio.run(scenario())
