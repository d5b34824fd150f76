"""The controller is killed at random moments of many calls, while Asterisk goes on."""

import asyncio
import contextlib
import os
import random
from collections import Counter
from dataclasses import dataclass, field
from itertools import cycle

import pytest

from tests.patience import AT_MOST
from tests.system.callers import BEEP, Caller, babble, calling, likeness
from tests.system.listening import only
from tests.system.mails import Mail, mails, on_their_way
from tests.system.worlds import NewWorld, somebody
from vm_ari.adapters.ear import RATE, Audio, identify
from vm_ari.adapters.softphone import CallEnded
from vm_ari.demo.world import ControllerFailed, Person, World

CALLS = 50
SPREAD = 36.0
"""Seconds in which they begin: about nine at the same time."""
LIFE = (0.2, 7.0)
"""Seconds that a controller serves calls."""
CHILDHOOD = (0.2, 2.5)
"""Seconds that every fifth one has to live at all: some die before they are ready."""
AIM = (0.05, 0.6)
"""Seconds after a caller has pressed 0 when others die: around the tone."""
FALLBACK = "fallback-greeting"


@dataclass
class Told:
    """What one caller can tell afterwards."""

    number: str
    said: Audio
    spoke: bool = False
    """Was the tone heard, and everything said?"""
    caller: Caller | None = None

    @property
    def by_dialplan(self) -> bool:
        """Was it the dialplan that took the message?"""
        assert self.caller
        return bool(identify(self.caller.call.heard, only("de", f"de/{FALLBACK}")))

    def __repr__(self) -> str:
        heard = self.caller.told() if self.caller else "nothing"
        return f"{self.number}, who said {len(self.said) / RATE:.2f} s and heard {heard}"


@dataclass
class Killer:
    """Kills the controller and starts it at once, until all calls are over."""

    world: World
    chance: random.Random
    pressed: asyncio.Event = field(default_factory=asyncio.Event)
    """A caller goes for the tone."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    kills: int = 0

    async def run(self) -> None:
        """At random moments, when somebody is about to hear the tone, and sometimes at once."""
        while not self.over.is_set():
            starting = asyncio.create_task(self.world.start_controller())
            await self._lives(starting)
            self.world.kill_controller()
            self.kills += 1
            with contextlib.suppress(ControllerFailed):
                await starting

    async def _lives(self, starting: asyncio.Task[None]) -> None:
        if self.kills % 5 == 4:
            await self._until_over(self.chance.uniform(*CHILDHOOD))
            return
        await starting
        await self._until_over(self.chance.uniform(*LIFE))
        if self.kills % 2 and not self.over.is_set():
            self.pressed.clear()
            await self.pressed.wait()
            await self._until_over(self.chance.uniform(*AIM))

    async def _until_over(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.over.wait()

    def stop(self) -> None:
        """No more."""
        self.over.set()
        self.pressed.set()


async def one_call(
    world: World, person: Person, told: Told, chance: random.Random, pressed: asyncio.Event
) -> None:
    """Skip the greeting, speak after the tone, end in one of the ways people do."""
    ending = chance.choice(("hangs up", "presses #", "sends", "waits"))
    await asyncio.sleep(chance.uniform(0, SPREAD))
    async with (
        world.outside_phone() as phone,
        calling(phone, person.number, number=told.number, within=AT_MOST) as caller,
    ):
        await asyncio.sleep(chance.uniform(0, 1))
        told.caller = caller
        with contextlib.suppress(CallEnded):
            pressed.set()
            await caller.presses("0")
            await caller.hears(BEEP)
            await caller.speaks(told.said)
            told.spoke = True
            await end(caller, ending)


async def end(caller: Caller, ending: str) -> None:
    match ending:
        case "presses #":
            await caller.presses("#")
        case "sends":
            await caller.presses("#1")
            await asyncio.wait([asyncio.create_task(caller.call.ended.wait())], timeout=5)
        case "waits":
            await caller.presses("#")
            await asyncio.sleep(3)
        case _:
            pass


async def all_is_delivered(world: World) -> None:
    """Wait until nothing is on its way, and no channel is left."""
    async with asyncio.timeout(AT_MOST):
        while on_their_way(world):
            await asyncio.sleep(0.1)
        while "0 active channels" not in await world.asterisk.command("core show channels count"):
            await asyncio.sleep(0.1)


@pytest.mark.slow
@pytest.mark.feature("CALL-10")
def test_every_message_is_found_once_however_often_the_controller_is_killed(
    new_world: NewWorld,
) -> None:
    seed = int(os.environ.get("VM_ARI_SEED", random.SystemRandom().randrange(1_000_000)))
    print(f"VM_ARI_SEED={seed}")
    chance = random.Random(seed)
    calls = [
        Told(f"+4930770{10000 + n}", babble(chance.uniform(2.2, 5.0), n)) for n in range(CALLS)
    ]

    async def scenario() -> tuple[int, list[Mail], str]:
        async with new_world() as world:
            people = [await somebody(world) for _ in range(5)]
            await world.stop_controller()
            killer = Killer(world, chance)
            killing = asyncio.create_task(killer.run())
            await asyncio.gather(
                *(
                    one_call(world, person, told, random.Random(seed + 1 + n), killer.pressed)
                    for n, (told, person) in enumerate(zip(calls, cycle(people), strict=False))
                )
            )
            killer.stop()
            await killing
            await world.start_controller()
            await all_is_delivered(world)
            received = [mail for person in people for mail in mails(world, person)]
            return killer.kills, received, world.controller_log.read_text()

    kills, received, log = asyncio.run(scenario())
    found = Counter(mail.caller for mail in received)
    expected = [told for told in calls if told.spoke]
    print(
        f"{kills} kills, {CALLS} calls, {len(expected)} spoke after the tone, "
        f"{sum(told.by_dialplan for told in calls)} of them without a controller; "
        f"{log.count('orphaned call adopted')} callers and {log.count('recording adopted')} "
        f"recordings adopted; {len(received)} messages"
    )
    missing = [told for told in expected if found[told.number] == 0]
    assert missing == []
    assert [(number, count) for number, count in found.items() if count > 1] == []
    by_number = {mail.caller: mail for mail in received}
    for told in expected:
        seconds, alike = likeness(told.said, by_number[told.number].audio)
        assert alike > 0.95, told
        lost = 0.5 if told.by_dialplan else 0.1  # Record() cuts 1/4 s and more before a #
        assert seconds > len(told.said) / RATE - lost, told
    assert len(expected) > 0.9 * CALLS
    assert kills >= 4
