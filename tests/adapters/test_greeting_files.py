"""Greetings as files: the contract, Asterisk's access, crashes, and several processes."""

import asyncio
import json
import multiprocessing
import os
import pwd
import shutil
import stat
import subprocess
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import TypeVar

import pytest

from tests.adapters.greeting_sounds import pitch, speech_like
from tests.adapters.greetings_contract import (
    ANNA,
    GLOBAL,
    IN_ENGLISH,
    WORK,
    GreetingsContract,
    Story,
    Tell,
)
from tests.fakes import FakeGreetings
from tests.patience import AT_MOST
from vm_ari.adapters import audio, greeting_tree
from vm_ari.adapters.greeting_files import FileGreetings
from vm_ari.adapters.system_clock import SystemClock
from vm_ari.adapters.wav_header import wav_seconds
from vm_ari.domain.greetings import SITE, GlobalMode, Greeting, GreetingKey, Slot, Source
from vm_ari.ports import Greetings, GreetingsUnavailable

T = TypeVar("T")
NOBODY = "nobody"


def on_files(directory: Path, story: Callable[[FileGreetings], Awaitable[T]]) -> T:
    """Run a story on the files below *directory*."""

    async def run() -> T:
        store = FileGreetings(directory)
        try:
            return await story(store)
        finally:
            await store.close()

    return asyncio.run(run())


def keep(directory: Path, file: Path, key: GreetingKey = WORK) -> Greeting:
    return on_files(directory, lambda store: store.keep(key, file, Source.PHONE))


def of(directory: Path, owner: str = ANNA) -> dict[GreetingKey, Greeting]:
    return dict(on_files(directory, lambda store: store.of(owner)))


class TestFileGreetings(GreetingsContract):
    """The contract on files."""

    @pytest.fixture
    def tell(self, tmp_path: Path) -> Tell:
        return lambda story: on_files(tmp_path / "greetings", story)


class TestFakeGreetings(GreetingsContract):
    """The contract on the fake that tests of dialogues use."""

    @pytest.fixture
    def tell(self, unusable: Path) -> Tell:
        fake = FakeGreetings(SystemClock(), unusable={unusable})

        def run(story: Story) -> object:
            async def told() -> object:
                return await story(fake)

            return asyncio.run(told())

        return run


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "greetings"


@pytest.fixture
def take(tmp_path: Path) -> Path:
    return speech_like(tmp_path / "take.wav", 2.0)


def test_both_rates_lie_side_by_side_levelled_and_trimmed(directory: Path, take: Path) -> None:
    kept = keep(directory, take)
    for suffix, rate in ((".wav", 8000), (".wav16", 16_000)):
        file = kept.path.with_name(kept.path.name + suffix)
        samples, found = audio.read(file)
        assert found == rate
        assert wav_seconds(file) == pytest.approx(kept.seconds, abs=0.01)
        assert audio.active_level(samples, rate) == pytest.approx(-19, abs=0.5)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_asterisk_as_another_user_of_the_group_can_read_them(take: Path) -> None:
    nobody = pwd.getpwnam(NOBODY)
    base = Path(mkdtemp(prefix="vm-ari-greetings-"))  # below it others may pass
    base.chmod(0o711)
    try:
        _read_as(nobody, base / "greetings", take)
    finally:
        shutil.rmtree(base)


def _read_as(nobody: pwd.struct_passwd, directory: Path, take: Path) -> None:
    directory.mkdir()
    os.chown(directory, 0, nobody.pw_gid)
    old = os.umask(0o077)
    try:
        kept = keep(directory, take)
    finally:
        os.umask(old)
    for suffix in (".wav", ".wav16"):
        copy = subprocess.run(
            ["cat", f"{kept.path}{suffix}"],
            user=NOBODY,
            group=nobody.pw_gid,
            extra_groups=[],
            capture_output=True,
            check=True,
        )
        assert len(copy.stdout) > 10_000
    others = kept.path.with_name(f"{kept.path.name}.wav").stat().st_mode & stat.S_IRWXO
    assert others == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_what_root_stores_the_service_can_change(tmp_path: Path, take: Path) -> None:
    nobody = pwd.getpwnam(NOBODY)
    directory = tmp_path / "greetings"
    directory.mkdir()
    os.chown(directory, nobody.pw_uid, nobody.pw_gid)
    keep(directory, take)
    owners = {path.stat().st_uid for path in directory.rglob("*")}
    assert owners == {nobody.pw_uid}


def test_a_caller_who_hears_the_old_one_is_not_cut(directory: Path, take: Path) -> None:
    old = keep(directory, take)
    new = keep(directory, take)
    assert Path(f"{old.path}.wav").is_file()
    assert Path(f"{old.path}.wav16").is_file()
    assert of(directory)[WORK].path == new.path


def test_what_nobody_can_be_hearing_any_more_is_erased(directory: Path, take: Path) -> None:
    old = keep(directory, take)
    new = keep(directory, take)
    _age(directory)
    on_files(directory, lambda store: store.set_expiry(WORK, None))
    assert _files(directory) == {f"{new.path.name}.wav", f"{new.path.name}.wav16"}
    on_files(directory, lambda store: store.delete(WORK))
    assert old.path != new.path
    _age(directory)
    on_files(directory, lambda store: store.sweep())
    assert _files(directory) == set()


def test_what_a_crash_left_behind_is_swept_up(directory: Path, take: Path) -> None:
    kept = keep(directory, take)
    folder = kept.path.parent
    for name in ("work-de-0123456789abcdef.wav", "0123456789abcdef.tmp"):
        (folder / name).write_bytes(b"half of it")
    on_files(directory, lambda store: store.sweep())
    assert len(_files(directory)) == 3, "somebody may be writing it just now"
    _age(directory)
    on_files(directory, lambda store: store.sweep())
    assert _files(directory) == {f"{kept.path.name}.wav", f"{kept.path.name}.wav16"}
    assert of(directory) == {WORK: kept}
    assert list(folder.glob("*.tmp")) == []


@pytest.mark.feature_part("GREET-05", "never silence: what is not there is not chosen")
@pytest.mark.parametrize("suffix", [".wav", ".wav16"])
def test_a_greeting_whose_file_is_gone_is_not_there(
    directory: Path, take: Path, suffix: str
) -> None:
    kept = keep(directory, take)
    english = keep(directory, take, IN_ENGLISH)
    Path(f"{kept.path}{suffix}").unlink()
    assert of(directory) == {IN_ENGLISH: english}


@pytest.mark.parametrize(
    "damage",
    ["", "{", "[]", '{"owner": "anna"}', '{"owner":"a","mode":"off","greetings":[{}]}', "[" * 9999],
)
def test_a_damaged_index_is_named(directory: Path, take: Path, damage: str) -> None:
    index = keep(directory, take).path.parent / greeting_tree.INDEX
    index.write_text(damage)
    with pytest.raises(GreetingsUnavailable, match=r"index\.json is damaged.*backup, or remove"):
        of(directory)


def test_a_generation_cannot_lead_out_of_the_folder(directory: Path, take: Path) -> None:
    index = keep(directory, take).path.parent / greeting_tree.INDEX
    content = json.loads(index.read_text())
    content["greetings"][0]["generation"] = "../../../etc/passwd"
    index.write_text(json.dumps(content))
    with pytest.raises(GreetingsUnavailable, match="generation"):
        of(directory)


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path, take: Path) -> None:
    (tmp_path / "file").write_text("no directory")
    with pytest.raises(GreetingsUnavailable, match="file"):
        keep(tmp_path / "file", take)


def test_the_path_is_absolute_though_the_directory_is_not(
    tmp_path: Path, take: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert keep(Path("greetings"), take).path.is_relative_to(tmp_path)


def _keep_some(directory: Path, take: Path, language: str) -> None:
    for slot in (Slot.WORK, Slot.HOME, Slot.NAME):
        keep(directory, take, GreetingKey(ANNA, slot, language))


def test_several_processes_lose_nothing_of_each_other(directory: Path, take: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(target=_keep_some, args=(directory, take, language))
        for language in ("de", "en", "fr")
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(AT_MOST)
        assert worker.exitcode == 0
    assert len(of(directory)) == 9


def test_both_rates_are_always_of_the_same_recording(directory: Path, tmp_path: Path) -> None:
    """Whoever asks while it is replaced hears the old or the new one, at both rates."""
    sounds = [speech_like(tmp_path / f"{hz}.wav", 0.8, hertz=hz) for hz in (300, 600)]

    async def story(store: Greetings) -> None:
        async def replace() -> None:
            for turn in range(8):
                await store.keep(WORK, sounds[turn % 2], Source.PHONE)

        await store.keep(WORK, sounds[1], Source.PHONE)
        replacing = asyncio.create_task(replace())
        seen = set()
        while not replacing.done():
            path = (await store.of(ANNA))[WORK].path
            pitches = [pitch(path.with_name(path.name + rate)) for rate in (".wav", ".wav16")]
            assert pitches[0] == pytest.approx(pitches[1], abs=10)
            seen.add(round(pitches[0], -2))
            await asyncio.sleep(0)
        await replacing
        assert seen == {300, 600}

    on_files(directory, story)


KILLED_AT = ("fsync", "rename", "chmod")


@pytest.mark.parametrize("call", KILLED_AT)
def test_a_process_that_dies_leaves_the_old_one_or_the_new_one(
    directory: Path, tmp_path: Path, call: str
) -> None:
    """It dies at each of the calls that put something on the disk, one after the other."""
    old = keep(directory, speech_like(tmp_path / "old.wav", 1.0))
    new = speech_like(tmp_path / "new.wav", 2.0)
    context = multiprocessing.get_context("fork")
    for nth in range(1, 40):
        child = context.Process(target=_dies_at, args=(directory, new, call, nth))
        child.start()
        child.join(AT_MOST)
        found = of(directory)[WORK]
        lengths = {
            round(wav_seconds(found.path.with_name(found.path.name + rate)))
            for rate in (".wav", ".wav16")
        }
        assert lengths in ({1}, {2})
        if child.exitcode == 0:
            assert lengths == {2}
            assert nth > 1
            return
        assert (found == old) or lengths == {2}
    raise AssertionError("it never came to its end")


def _dies_at(directory: Path, take: Path, name: str, nth: int) -> None:
    """Keep a greeting; the nth call of that function of `os` ends this process at once."""
    original, count = getattr(os, name), 0

    def deadly(*args: object, **options: object) -> object:
        nonlocal count
        count += 1
        if count == nth:
            os._exit(9)
        return original(*args, **options)

    setattr(os, name, deadly)
    keep(directory, take)


def test_the_mode_of_the_site_outlives_its_greeting(directory: Path, take: Path) -> None:
    keep(directory, take, GLOBAL)
    on_files(directory, lambda store: store.set_global_mode(GlobalMode.ALWAYS))
    on_files(directory, lambda store: store.delete_all(SITE))
    assert on_files(directory, lambda store: store.global_mode()) is GlobalMode.ALWAYS


def _files(directory: Path) -> set[str]:
    return {path.name for path in directory.glob("*/*.wav*")}


def _age(directory: Path) -> None:
    """An hour goes by."""
    for path in directory.rglob("*"):
        state = path.stat()
        with suppress(FileNotFoundError):
            os.utime(path, (state.st_atime - 3600, state.st_mtime - 3600))
