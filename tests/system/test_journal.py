"""The journal of real calls: one entry for each, also when the controller is killed in it."""

import asyncio
from collections.abc import Callable

import pytest

from tests.patience import AT_MOST
from tests.system.callers import BEEP, Caller, babble, calling
from tests.system.mails import arrived
from tests.system.worlds import NewWorld, somebody
from vm_ari.adapters.journal_database import DatabaseJournal
from vm_ari.demo.world import Person, World
from vm_ari.domain.journal import JournalEntry, Result, Search, Viewer


async def noted(world: World, person: Person) -> list[JournalEntry]:
    """What the user sees."""
    store = DatabaseJournal(f"sqlite:///{world.directory / 'journal.db'}")
    try:
        return list(await store.page(Viewer(person.user.id), Search()))
    finally:
        await store.close()


async def noted_as(
    world: World, person: Person, so_far: Callable[[JournalEntry], bool]
) -> JournalEntry:
    """The only entry of that user, as soon as it is so far."""
    async with asyncio.timeout(AT_MOST):
        while True:
            found = await noted(world, person)
            if found and so_far(found[0]):
                [entry] = found
                return entry
            await asyncio.sleep(0.1)


async def speaks(caller: Caller, seed: int) -> None:
    await caller.presses("0")
    await caller.hears(BEEP)
    await caller.speaks(babble(2.6, seed))


@pytest.mark.feature_part("STORE-05", "a real call, and one in which the controller is killed")
def test_each_call_has_one_entry_also_when_the_controller_is_killed_in_it(
    new_world: NewWorld,
) -> None:
    async def scenario() -> None:
        async with new_world() as world:
            usual, unlucky = await somebody(world), await somebody(world)
            async with (
                world.outside_phone() as phone,
                calling(phone, usual.number) as caller,
                world.outside_phone() as other_phone,
                calling(other_phone, unlucky.number) as other,
            ):
                await asyncio.gather(speaks(caller, 1), speaks(other, 2))
                await caller.presses("#1")
                await caller.hears("thank-you-goodbye")
                first = await noted_as(world, usual, lambda e: e.delivered and bool(e.ended))
                begun = await noted_as(world, unlucky, lambda e: bool(e.greeting))
                assert begun.ended is None
                world.kill_controller()
                await other.hangs_up()
            await world.start_controller()
            [mail] = await arrived(world, unlucky)
            second = await noted_as(world, unlucky, lambda e: e.delivered)
            assert first.result is second.result is Result.MESSAGE_LEFT
            assert second.greeting == first.greeting == "default"
            assert (first.caller.number, second.caller.number) == (caller.number, other.number)
            assert second.message_id == mail["Message-ID"]
            assert second.seconds > 2
            await world.stop_controller()
            assert len(await noted(world, usual)) == len(await noted(world, unlucky)) == 1

    asyncio.run(scenario())
