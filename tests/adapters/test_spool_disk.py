"""The spool and its surroundings: rights, room, other users, a second controller."""

import asyncio
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.adapters.spool_home import FACTS, on_spool, tree
from tests.recordings import killed, record, spoken
from vm_ari.adapters.spool import FileSpool
from vm_ari.ports import SpoolFull, SpoolInUse

# -- rights, room, owners


def test_asterisk_of_the_same_group_can_write_there(tmp_path: Path) -> None:
    before = os.umask(0o077)
    (tmp_path / "vm-ari" / "fallback").mkdir(parents=True)  # as a crash at the start leaves it
    try:
        on_spool(tmp_path / "vm-ari", lambda spool: spool.begin(FACTS), mode=0o2770)
    finally:
        os.umask(before)
    for directory in (".", "open", f"open/{FACTS.id}", "fallback"):
        mode = (tmp_path / "vm-ari" / directory).stat().st_mode
        assert stat.S_IMODE(mode) == 0o2770, directory


def test_no_recording_begins_when_the_disk_is_nearly_full(tmp_path: Path) -> None:
    async def story(spool: FileSpool) -> None:
        with pytest.raises(SpoolFull, match="MB left"):
            await spool.begin(FACTS)

    on_spool(tmp_path, story, min_free=10**18)
    assert tree(tmp_path) == []


def test_a_second_controller_is_refused_until_the_first_is_gone(tmp_path: Path) -> None:
    async def story(spool: FileSpool) -> None:
        second = FileSpool(tmp_path)
        with pytest.raises(SpoolInUse, match="another controller"):
            await second.claim()
        spool.close()
        await second.claim()
        second.close()

    on_spool(tmp_path, story)


def test_the_lock_dies_with_its_process(tmp_path: Path) -> None:
    script = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from vm_ari.adapters.spool import FileSpool\n"
        "asyncio.run(FileSpool(Path(sys.argv[1])).claim())\n"
        "print('mine', flush=True)\n"
        "sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "mine\n"
        with pytest.raises(SpoolInUse):
            on_spool(tmp_path, lambda spool: asyncio.sleep(0))
        other.kill()
    on_spool(tmp_path, lambda spool: asyncio.sleep(0))


def test_half_made_things_of_a_crash_are_swept_up_at_start(tmp_path: Path) -> None:
    on_spool(tmp_path, lambda spool: asyncio.sleep(0))
    (tmp_path / "tmp" / "abc").mkdir()
    (tmp_path / "tmp" / "abc" / "facts.json").write_text("{")
    on_spool(tmp_path, lambda spool: asyncio.sleep(0))
    assert list((tmp_path / "tmp").iterdir()) == []


# -- a disk that is really full


@contextmanager
def small_disk(path: Path, kilobytes: int) -> Iterator[Path]:
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "none", str(path)]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("NOT TESTED: mounting a small disk is not allowed here")
    try:
        yield path
    finally:
        subprocess.run(["umount", path], check=True)


def test_a_full_disk_is_said_before_the_tone(tmp_path: Path) -> None:
    async def story(spool: FileSpool) -> None:
        (disk / "ballast").write_bytes(bytes(disk_free(disk)))
        with pytest.raises(SpoolFull, match="No space left"):
            await spool.begin(FACTS)

    with small_disk(tmp_path / "disk", 64) as disk:
        on_spool(disk / "vm-ari", story)


def test_a_disk_that_fills_while_the_caller_talks_keeps_what_fitted(tmp_path: Path) -> None:
    async def story(spool: FileSpool) -> None:
        await spool.begin(FACTS)
        with pytest.raises(OSError, match="No space left"):
            record(spool.recording_path(FACTS.id, 1), killed(spoken(20)))
        with pytest.raises(SpoolFull, match="No space left"):
            await spool.keep(FACTS, 1, partial=True)
        assert await spool.waiting() == []
        (disk / "ballast").unlink()
        await spool.inspect(FACTS.id, 1)
        message = await spool.keep(FACTS, 1, partial=True)
        assert message.partial
        assert message.seconds > 2

    with small_disk(tmp_path / "disk", 256) as disk:
        (disk / "ballast").write_bytes(bytes(100_000))
        on_spool(disk / "vm-ari", story)


def disk_free(path: Path) -> int:
    state = os.statvfs(path)
    return state.f_bavail * state.f_frsize


@pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: needs root, to be two other users")
def test_a_recording_that_belongs_to_asterisks_user_is_mended_all_the_same() -> None:
    controller, asterisk, group = "64001", "64002", "64000"
    with TemporaryDirectory() as directory:
        Path(directory).chmod(0o777)
        module = "tests.adapters.mend_as_another_user"
        command = [sys.executable, "-m", module, directory, controller, asterisk, group]
        here = Path(__file__).parents[2]
        result = subprocess.run(command, check=False, capture_output=True, text=True, cwd=here)
    assert result.stdout == "mended and kept\n", result.stderr
