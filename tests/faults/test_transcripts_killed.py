"""A controller that dies at any step: the message arrives once, and what was said once.

It is killed before each step that changes files, and started again.
"""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.transcripts_process import leave
from tests.patience import AT_MOST
from tests.services.transcript_house import WORDS, House, text_of

ROOT = Path(__file__).parents[2]


class Controller:
    """Lives of a controller."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.transcripts_process"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def live(self, base: Path, wait_seconds: int, killed_before: int = 0) -> str:
        """How many steps it took, or ``killed``."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{base} {wait_seconds} {killed_before}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def close(self) -> None:
        """No more of them."""
        self._process.communicate(timeout=AT_MOST)


@pytest.fixture
def controller() -> Iterator[Controller]:
    one = Controller()
    yield one
    one.close()


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A controller that stopped when a message had been kept."""
    asyncio.run(leave(tmp_path / "kept"))
    assert [path.name for path in (tmp_path / "kept" / "spool" / "new").iterdir()] == ["a"]
    return tmp_path / "kept"


@pytest.mark.slow
@pytest.mark.parametrize("wait_seconds", [0, 20])
def test_killed_at_any_step_it_comes_once_with_what_was_said_once(
    controller: Controller, kept: Path, tmp_path: Path, wait_seconds: int
) -> None:
    shutil.copytree(kept, tmp_path / "whole")
    steps = int(controller.live(tmp_path / "whole", wait_seconds))
    assert steps > 12
    for step in range(1, steps + 1):
        base = tmp_path / f"killed-{step}"
        shutil.copytree(kept, base)
        first = controller.live(base, wait_seconds, step)
        assert first == "killed" or step > steps - 3, f"step {step}"
        assert controller.live(base, wait_seconds).isdigit(), f"after step {step}"
        mails = House(base).mails
        voice = [mail for mail in mails if mail["Message-Context"] == "voice-message"]
        assert len(voice) == 1, f"step {step}: {len(voice)} messages"
        said = [mail for mail in mails if WORDS in text_of(mail)]
        assert len(said) == 1, f"step {step}: written down {len(said)} times"
