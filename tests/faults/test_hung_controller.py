"""A controller that hangs: whenever a call comes in, the caller can speak within four seconds."""

import asyncio
import signal

import pytest

from tests.system.callers import calling
from tests.system.worlds import NewWorld, somebody
from vm_ari.demo.world import Person, World

PATIENCE = 4.0
FETCHED_BACK = 2.0
"""Seconds: who hears something earlier has never been handed over to the controller."""


async def silence_at_first(world: World, person: Person) -> float:
    """Seconds from the call to the first sound."""
    async with world.outside_phone() as phone, calling(phone, person.number) as caller:
        await caller.hears("fallback-greeting", within=PATIENCE + 10)
        return next(i for i, value in enumerate(caller.call.heard) if abs(value) > 0.01) / 8000


@pytest.mark.feature_part("CALL-10", "no moment of a hang leaves a caller waiting")
def test_no_caller_waits_longer_whenever_the_hang_began(new_world: NewWorld) -> None:
    """The heartbeat may be three seconds old: a call in that time is fetched back from us."""

    async def scenario() -> None:
        async with new_world() as world:
            person = await somebody(world)
            world.signal_controller(signal.SIGSTOP)

            async def call_after(seconds: float) -> float:
                await asyncio.sleep(seconds)
                return await silence_at_first(world, person)

            waits = await asyncio.gather(*(call_after(n / 2) for n in range(10)))
            world.signal_controller(signal.SIGCONT)
            told = [round(wait, 1) for wait in waits]
            assert max(waits) < PATIENCE, told
            assert max(waits) > FETCHED_BACK > min(waits), f"not one of each kind: {told}"

    asyncio.run(scenario())
