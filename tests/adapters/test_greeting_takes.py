"""Greetings that are being recorded by telephone: on the disk, and the fake."""

import asyncio
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.adapters.greeting_sounds import speech_like
from tests.fake_greeting_takes import FakeGreetingTakes
from vm_ari.adapters.greeting_takes import FileGreetingTakes
from vm_ari.domain.recording import Take
from vm_ari.ports import GreetingsUnavailable, GreetingTake, GreetingTakes

Record = Callable[[GreetingTake, float], None]


class TakesContract:
    """The promises of the port `GreetingTakes`."""

    @pytest.fixture
    def takes(self, tmp_path: Path) -> GreetingTakes:
        raise NotImplementedError

    @pytest.fixture
    def record(self, takes: GreetingTakes) -> Record:
        """What Asterisk does: so many seconds of speech."""
        raise NotImplementedError

    def test_every_take_has_a_place_of_its_own(self, takes: GreetingTakes) -> None:
        given = [takes.new() for _ in range(50)]
        assert len({take.name for take in given}) == len({take.path for take in given}) == 50

    def test_nothing_is_there_before_it_is_recorded_and_after_it_is_discarded(
        self, takes: GreetingTakes, record: Record
    ) -> None:
        async def story() -> None:
            take, other = takes.new(), takes.new()
            assert await takes.inspect(take) is None
            record(take, 2.0)
            found = await takes.inspect(take)
            assert found is not None
            assert found.seconds == pytest.approx(2.0, abs=0.01)
            assert 1.0 < found.speech_seconds <= 2.0
            assert await takes.inspect(other) is None
            for _ in range(2):
                await takes.discard(take)
            assert await takes.inspect(take) is None

        asyncio.run(story())


class TestFakeGreetingTakes(TakesContract):
    """The contract in memory."""

    @pytest.fixture
    def takes(self) -> FakeGreetingTakes:
        return FakeGreetingTakes({})

    @pytest.fixture
    def record(self, takes: FakeGreetingTakes) -> Record:
        return lambda take, seconds: takes.recorded.update({take.name: Take(seconds, seconds)})


class TestFileGreetingTakes(TakesContract):
    """The contract on the disk."""

    @pytest.fixture
    def takes(self, tmp_path: Path) -> FileGreetingTakes:
        found = FileGreetingTakes(tmp_path / "recording" / "vm-ari")
        asyncio.run(found.claim())
        return found

    @pytest.fixture
    def record(self, takes: FileGreetingTakes, tmp_path: Path) -> Record:
        def write(take: GreetingTake, seconds: float) -> None:
            speech_like(tmp_path / "recording" / f"{take.name}.wav", seconds, rate=8000)

        return write


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "recording" / "vm-ari"


def claimed(spool: Path) -> FileGreetingTakes:
    takes = FileGreetingTakes(spool)
    asyncio.run(takes.claim())
    return takes


def test_asterisk_may_write_there_and_name_and_path_are_the_same_place(spool: Path) -> None:
    take = claimed(spool).new()
    assert spool.parent / take.name == take.path
    assert stat.S_IMODE(take.path.parent.stat().st_mode) == 0o2770


def test_what_a_crash_left_behind_is_forgotten_at_the_start(spool: Path) -> None:
    take = claimed(spool).new()
    speech_like(take.file, 1.0)
    claimed(spool)
    assert not take.file.exists()


def test_a_header_that_asterisk_could_not_finish_is_mended(spool: Path) -> None:
    takes = claimed(spool)
    take = takes.new()
    speech_like(take.file, 2.0, rate=8000)
    content = bytearray(take.file.read_bytes())
    content[4:8] = content[40:44] = bytes(4)
    take.file.write_bytes(content)
    found = asyncio.run(takes.inspect(take))
    assert found is not None
    assert found.seconds == pytest.approx(2.0, abs=0.01)


def test_a_file_that_is_no_audio_is_a_fault(spool: Path) -> None:
    takes = claimed(spool)
    take = takes.new()
    take.file.write_bytes(os.urandom(5000))
    with pytest.raises(GreetingsUnavailable, match=take.file.name):
        asyncio.run(takes.inspect(take))


def test_a_place_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(GreetingsUnavailable, match="file"):
        claimed(tmp_path / "file" / "vm-ari")
