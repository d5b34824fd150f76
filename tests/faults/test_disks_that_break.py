"""A disk that breaks while people call: Linux makes it read-only, and files stay open.

That is what ext4 does with ``errors=remount-ro`` when it reads rubbish; ``remount,abort`` does it
on purpose. Errors at every single system call: `test_kill_at_every_syscall.py`.
"""

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.faults.test_disks import NOT_STORED, THANKS, WorldOnADisk, is_refused, is_served
from tests.system.callers import BEEP, Caller, babble, calling
from tests.system.mails import mails
from tests.system.worlds import somebody
from vm_ari.adapters.asterisk.install import AsteriskInstall
from vm_ari.adapters.spool import MIN_FREE

SIZE = MIN_FREE + 40_000_000


class BreakingDisk:
    """An ext4 of its own, in a file."""

    def __init__(self, image: Path) -> None:
        self._image = image
        self._path = image.parent

    def make(self, path: Path) -> None:
        """And mount it there; skips where that is not allowed."""
        self._path = path
        with self._image.open("wb") as file:
            file.truncate(SIZE)
        if not shutil.which("mkfs.ext4") or not self._does("mkfs.ext4", "-q", self._image):
            pytest.skip("NOT TESTED: no ext4 can be made here")
        if not self.mount():
            pytest.skip("NOT TESTED: mounting a disk is not allowed here")

    def mount(self) -> bool:
        """Writable."""
        return self._does("mount", "-o", "loop", self._image, self._path)

    def breaks(self) -> None:
        """From now on nothing is written."""
        assert self._does("mount", "-o", "remount,abort", self._path)

    def unmount(self) -> None:
        """Whatever is open."""
        self._does("umount", "-l", self._path)

    def repair(self) -> None:
        """As an admin would; 1: something was mended."""
        self.unmount()
        command = ["fsck.ext4", "-p", str(self._image)]
        assert subprocess.run(command, check=False, capture_output=True).returncode in (0, 1)
        assert self.mount()

    def _does(self, *command: str | Path) -> bool:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0


async def talks_while_it_breaks(caller: Caller, disk: BreakingDisk) -> None:
    """And is told that it is in vain."""
    await caller.presses("0")
    await caller.hears(BEEP)
    speaking = asyncio.create_task(caller.speaks(babble(9.0, 1)))
    await asyncio.sleep(2.5)
    disk.breaks()
    await caller.hears(NOT_STORED, "goodbye")
    speaking.cancel()
    await asyncio.wait([speaking])
    await caller.is_hung_up_on()
    assert THANKS not in caller.told()


@pytest.mark.feature_part("CALL-06", "a disk that breaks is told, and never thanked for")
def test_nobody_is_thanked_when_the_disk_breaks_and_after_a_repair_all_is_well(
    asterisk_install: AsteriskInstall, tmp_path: Path
) -> None:
    disk = BreakingDisk(tmp_path / "disk.img")

    async def story() -> None:
        async with WorldOnADisk(asterisk_install, tmp_path / "world", disk.make) as world:
            person, other = await somebody(world), await somebody(world)
            await is_served(world, person)
            async with world.outside_phone() as phone, calling(phone, other.number) as caller:
                await talks_while_it_breaks(caller, disk)
            await is_refused(world, person)
            assert mails(world, other) == []
            log = world.controller_log.read_text()
            assert "Read-only file system" in log
            assert "Traceback" not in log
            await world.stop_controller()
            disk.repair()
            await world.start_controller()
            await is_served(world, person)

    try:
        asyncio.run(story())
    finally:
        disk.unmount()
