"""The controller's clock jumps by hours, forward and back, while people call.

Asterisk's clock stays, so this is the harder case: on one machine both jump together. Pauses of
the outbox under a jumping clock: `tests/services/test_outbox.py`; hours that do not exist or come
twice: `tests/domain/`.
"""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from tests.faults.test_fallback import GREETING
from tests.patience import AT_MOST
from tests.system.callers import BEEP, assert_kept, babble, calling
from tests.system.mails import arrived, mails
from tests.system.worlds import NewWorld
from vm_ari.demo.world import Person, World

LIBRARY = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
HOURS = 5


class JumpingClock:
    """What a process sees that was started with `environment` (libfaketime)."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "clock"
        self.jump(0)

    def jump(self, hours: int) -> None:
        """It is so much later than it is, at once; time that only passes is not changed."""
        new = self._file.with_suffix(".new")
        new.write_text(f"{hours * 3600:+d}\n")
        new.rename(self._file)

    @property
    def environment(self) -> dict[str, str]:
        """For the process."""
        return {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }


@contextmanager
def surroundings(more: dict[str, str]) -> Iterator[None]:
    """Programs that are started now get these variables, too."""
    before = {name: os.environ.get(name) for name in more}
    os.environ.update(more)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


async def beat(world: World) -> int:
    """When the controller has last said that it is there, by its own clock."""
    shown = await world.asterisk.command("dialplan eval function GLOBAL(VM_ARI_BEAT)")
    return int(shown.rpartition("Result: ")[2].split()[0])


async def clock_is(world: World, hours: int) -> None:
    """Wait until the controller has seen the jump."""
    async with asyncio.timeout(AT_MOST):
        while abs(await beat(world) - datetime.now(UTC).timestamp() - hours * 3600) > 5:
            await asyncio.sleep(0.1)


async def leaves(world: World, person: Person, seed: int, *, by_dialplan: bool) -> None:
    """A message that arrives, whoever takes it."""
    said = babble(3.0, seed)
    async with world.outside_phone() as phone, calling(phone, person.number) as caller:
        if not by_dialplan:
            await caller.presses("0")
        await caller.hears(BEEP)
        assert (GREETING in caller.told()) == by_dialplan
        await caller.speaks(said)
    async with asyncio.timeout(AT_MOST):
        while not (found := [m for m in mails(world, person) if m.caller == caller.number]):
            await asyncio.sleep(0.1)
    [mail] = found
    assert_kept(said, mail.audio, lost=0.5)


@pytest.mark.skipif(not LIBRARY.exists(), reason="NOT TESTED: libfaketime is not installed")
def test_a_clock_that_jumps_costs_no_message(new_world: NewWorld, tmp_path: Path) -> None:
    clock = JumpingClock(tmp_path)

    async def story() -> None:
        async with new_world() as world:
            anna, ben = world.people
            await world.stop_controller()
            with surroundings(clock.environment):
                await world.start_controller()
            said, began = babble(8.0, 1), datetime.now(UTC)
            async with world.outside_phone() as phone, calling(phone, anna.number) as caller:
                await caller.presses("0")
                await caller.hears(BEEP)
                speaking = asyncio.create_task(caller.speaks(said))
                await asyncio.sleep(1)
                clock.jump(HOURS)
                await clock_is(world, HOURS)
                await asyncio.sleep(1)
                clock.jump(0)
                await clock_is(world, 0)
                await speaking
                await caller.presses("#")
                await caller.hears("to-send")
                await caller.presses("1")
                await caller.hears("thank-you-goodbye")
            [mail] = await arrived(world, anna)
            assert_kept(said, mail.audio)
            assert abs((parsedate_to_datetime(mail["Date"]) - began).total_seconds()) < 60
            clock.jump(HOURS)
            await clock_is(world, HOURS)
            await leaves(world, ben, 2, by_dialplan=False)
            clock.jump(-HOURS)  # a heartbeat of long ago: the dialplan takes the messages
            await clock_is(world, -HOURS)
            await leaves(world, ben, 3, by_dialplan=True)
            clock.jump(0)
            await clock_is(world, 0)
            await leaves(world, ben, 4, by_dialplan=False)
            assert "Traceback" not in world.controller_log.read_text()

    asyncio.run(story())
