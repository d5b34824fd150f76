"""Names said by the machine: never late, and never a reason to stop."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.clock import run_virtually
from vm_ari.ports import Unspeakable, VoiceUnavailable
from vm_ari.services.spoken_names import PATIENCE, SpokenNames


@dataclass
class Machine:
    """A voice that needs its time, or has a fault."""

    seconds: float = 0.1
    fault: Exception | None = None
    stopped: int = 0

    async def spoken(self, text: str, language: str) -> Path:
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.stopped += 1
            raise
        if self.fault:
            raise self.fault
        return Path(f"/said/{language}/{text}.wav")


def test_a_name_is_a_sound_file_without_its_suffix() -> None:
    said = run_virtually(SpokenNames(Machine()).of("Anna Berg", "de"))
    assert said == Path("/said/de/Anna Berg")


@pytest.mark.parametrize("fault", [Unspeakable("no words"), VoiceUnavailable("no engine")])
def test_what_cannot_be_said_is_left_to_the_number(fault: Exception) -> None:
    assert run_virtually(SpokenNames(Machine(fault=fault)).of("…", "de")) is None


def test_a_slow_voice_is_not_waited_for() -> None:
    machine = Machine(seconds=PATIENCE * 2)
    assert run_virtually(SpokenNames(machine).of("Anna", "de")) is None
    assert machine.stopped == 1
