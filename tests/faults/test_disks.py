"""Disks that are full, out of inodes or read-only: nobody is thanked, and it goes on by itself.

Disks that answer with EIO, ENOSPC and EROFS at every single system call: see
`test_kill_at_every_syscall.py`.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.patience import AT_MOST
from tests.recordings import STEP
from tests.system.callers import BEEP, Caller, babble, calling, likeness
from tests.system.mails import arrived, mails, on_their_way
from tests.system.test_journal import noted_as
from tests.system.worlds import somebody
from vm_ari.adapters.asterisk.install import AsteriskInstall
from vm_ari.adapters.ear import Audio
from vm_ari.adapters.examination.disk import examine_spool
from vm_ari.adapters.spool import MIN_FREE, FileSpool
from vm_ari.demo.world import Person, World
from vm_ari.domain.callers import Caller as CallerFacts
from vm_ari.domain.journal import Result
from vm_ari.domain.messages import CallFacts
from vm_ari.ports import SpoolFull

THANKS, NOT_STORED = "thank-you-goodbye", "cannot-store"
DISK = MIN_FREE + 8_000_000
FACTS = CallFacts(
    "a1",
    "<a1@pbx>",
    "1.1",
    "101",
    "anna",
    CallerFacts("+4989123"),
    datetime(2026, 1, 1, tzinfo=UTC),
)


@contextmanager
def disk(path: Path, options: str) -> Iterator[Path]:
    """A disk of its own, in memory; *options* of mount. Skips where that is not allowed."""
    path.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", options, "none", str(path)]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("NOT TESTED: mounting a disk is not allowed here")
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", path], check=True)


class Ballast:
    """Files of somebody else that fill a disk."""

    def __init__(self, where: Path) -> None:
        self._file = where / "ballast"
        self._crowd = where / "crowd"

    def leave(self, free: int) -> None:
        """So many bytes are free."""
        state = os.statvfs(self._file.parent)
        size = max(0, state.f_bavail * state.f_frsize - free)
        with self._file.open("ab") as file:
            file.write(bytes(size))

    def take_all_inodes(self) -> None:
        """Not one more file can be made."""
        self._crowd.mkdir()
        for n in range(os.statvfs(self._crowd).f_favail):
            (self._crowd / str(n)).touch()

    def go(self) -> None:
        """Somebody has made room."""
        self._file.unlink(missing_ok=True)
        if self._crowd.is_dir():
            for path in self._crowd.iterdir():
                path.unlink()
            self._crowd.rmdir()


# -- what the spool and vm-ari check say


def found(root: Path) -> str:
    """What `vm-ari check` complains of."""
    findings = examine_spool(root, root / "mails")
    return " ".join(f"{one.text} {one.advice}" for one in findings if not one.good)


def test_a_disk_without_inodes_refuses_before_the_tone_and_recovers(tmp_path: Path) -> None:
    async def story(root: Path) -> None:
        spool = FileSpool(root, min_free=0)
        await spool.claim()
        ballast = Ballast(root.parent)
        ballast.take_all_inodes()
        assert "has room for 0 more files" in found(root)
        with pytest.raises(SpoolFull, match="No space left"):
            await spool.begin(FACTS)
        assert await spool.unfinished() == []
        ballast.go()
        await spool.begin(FACTS)
        spool.close()

    with disk(tmp_path / "disk", f"size={DISK},nr_inodes=1500") as where:
        asyncio.run(story(where / "vm-ari"))


def test_check_tells_a_full_disk_from_a_read_only_one(tmp_path: Path) -> None:
    async def claim(root: Path) -> None:
        spool = FileSpool(root, min_free=0)
        await spool.claim()
        spool.close()

    with disk(tmp_path / "disk", f"size={DISK}") as where:
        asyncio.run(claim(where / "vm-ari"))
        assert found(where / "vm-ari") == ""
        Ballast(where).leave(1_500_000)
        assert "has 1 MB left. Make room: below 50 MB" in found(where / "vm-ari")
        subprocess.run(["mount", "-o", "remount,ro", where], check=True)
        assert "read-only" in found(where / "vm-ari")
        assert "mount it writable" in found(where / "vm-ari")
        with pytest.raises(SpoolFull, match="Read-only file system"):
            asyncio.run(claim(where / "vm-ari"))


def test_a_controller_on_a_read_only_disk_says_so_and_ends(tmp_path: Path) -> None:
    config = tmp_path / "vm-ari.toml"
    with disk(tmp_path / "disk", "size=1m,ro") as where:
        config.write_text(
            f'[asterisk]\npassword = "x"\n[spool]\ndirectory = "{where / "vm-ari"}"\n'
            f'[directory]\nurl = "sqlite:///{tmp_path / "d.db"}"\nkeys = "{tmp_path / "keys"}"\n'
            f'[store]\nkind = "local"\nmaildir = "{tmp_path / "mail"}"\n'
            f'[greetings]\ndirectory = "{tmp_path / "greetings"}"\n'
            f'[journal]\nurl = "sqlite:///{tmp_path / "journal.db"}"\n'
            f'[mail]\nsender = "voicemail@example.org"\n'
        )
        config.chmod(0o600)
        command = [sys.executable, "-m", "vm_ari", "run", "-c", str(config)]
        ended = subprocess.run(
            command, capture_output=True, text=True, timeout=AT_MOST, check=False
        )
    said = ended.stdout + ended.stderr
    assert ended.returncode == 1, said
    assert "the spool cannot be used: Read-only file system" in said
    assert "Traceback" not in said


# -- what callers hear


class WorldOnADisk(World):
    """Its spool, and what Asterisk records, lie on a disk of their own."""

    def __init__(
        self, install: AsteriskInstall, directory: Path, mount: Callable[[Path], object]
    ) -> None:
        super().__init__(install, directory)
        self._mount = mount

    async def start_controller(self) -> None:
        """As any, as soon as the disk is there."""
        if not self.spool.parent.is_mount():
            self._mount(self.spool.parent)
        await super().start_controller()


@asynccontextmanager
async def on_a_disk(
    install: AsteriskInstall, directory: Path, options: str
) -> AsyncIterator[tuple[World, Ballast]]:
    """A world on a disk in memory."""
    with ExitStack() as mounted:

        def mount(path: Path) -> object:
            return mounted.enter_context(disk(path, options))

        async with WorldOnADisk(install, directory, mount) as world:
            yield world, Ballast(world.spool.parent)


async def is_refused(world: World, person: Person) -> None:
    """Before the tone, with a sentence."""
    async with world.outside_phone() as phone, calling(phone, person.number) as caller:
        await caller.presses("0")
        await caller.hears(NOT_STORED, "goodbye")
        await caller.is_hung_up_on()
        assert not {BEEP, THANKS} & set(caller.told())


async def is_served(world: World, person: Person) -> None:
    """As if nothing had been."""
    before = len(mails(world, person))
    async with world.outside_phone() as phone, calling(phone, person.number) as caller:
        await caller.presses("0")
        await caller.hears(BEEP)
        await caller.speaks(babble(2.5, before))
        await caller.presses("#1")
        await caller.hears(THANKS)
    await arrived(world, person, before + 1)


async def hangs_up_when_it_is_full(caller: Caller, full: asyncio.Event) -> None:
    """Before Asterisk writes again, and so without its notice."""
    await caller.presses("0")
    await caller.hears(BEEP)
    speaking = asyncio.create_task(caller.speaks(babble(9.0, 2)))
    await full.wait()
    await asyncio.sleep(0.3)
    await caller.hangs_up()
    speaking.cancel()
    await asyncio.wait([speaking])


async def fills_while_they_talk(world: World, ballast: Ballast, full: asyncio.Event) -> None:
    """As soon as Asterisk has written something of both calls."""
    async with asyncio.timeout(AT_MOST):
        while len([take for take in takes(world) if take.stat().st_size >= STEP]) < 2:
            await asyncio.sleep(0.05)
    ballast.leave(0)
    full.set()


def takes(world: World) -> Iterator[Path]:
    """What is being recorded."""
    return world.spool.glob("open/*/take-1.wav")


async def talks_while_it_fills(caller: Caller) -> None:
    """Half of it finds room."""
    said = babble(9.0, 1)
    await caller.presses("0")
    await caller.hears(BEEP)
    speaking = asyncio.create_task(caller.speaks(said))
    await caller.hears("recording-interrupted")
    speaking.cancel()
    await asyncio.wait([speaking])
    await caller.presses("1")
    await caller.hears(NOT_STORED, "goodbye")
    await caller.is_hung_up_on()
    assert THANKS not in caller.told()


async def is_marked_partial(world: World, person: Person, said: Audio) -> None:
    """What found room has come; mail and journal say that the end may be missing."""
    [mail] = await arrived(world, person, within=AT_MOST)
    heard, alike = likeness(said, mail.audio)
    assert alike > 0.5, "it is another sound"
    assert heard > 1.5
    assert mail["X-VM-ARI-Partial"] == "yes"
    assert "technische Störung unterbrochen" in mail.text("plain")
    entry = await noted_as(world, person, lambda entry: entry.delivered)
    assert entry.partial
    assert entry.result is Result.MESSAGE_LEFT


@pytest.mark.feature_part("CALL-06", "a full disk is told, and never thanked for")
def test_callers_are_told_and_served_again_when_there_is_room(
    asterisk_install: AsteriskInstall, tmp_path: Path
) -> None:
    """Too little room, no inodes, and a disk that fills while two people talk; no restart."""

    async def story() -> None:
        options = f"size={DISK},nr_inodes=3000"
        async with on_a_disk(asterisk_install, tmp_path, options) as (world, ballast):
            person, other, third = [await somebody(world) for _ in range(3)]
            ballast.leave(MIN_FREE - 1_000_000)
            await is_refused(world, person)
            ballast.go()
            ballast.take_all_inodes()
            await is_refused(world, person)
            ballast.go()
            await is_served(world, person)
            full = asyncio.Event()
            async with (
                world.outside_phone() as phone,
                calling(phone, other.number) as caller,
                world.outside_phone() as third_phone,
                calling(third_phone, third.number) as another,
            ):
                await asyncio.gather(
                    talks_while_it_fills(caller),
                    hangs_up_when_it_is_full(another, full),
                    fills_while_they_talk(world, ballast, full),
                )
            assert mails(world, other) == mails(world, third) == []
            assert on_their_way(world), "what had found room is kept"
            ballast.go()
            await is_marked_partial(world, other, babble(9.0, 1))
            await is_marked_partial(world, third, babble(9.0, 2))
            await is_served(world, person)

    asyncio.run(story())
