"""Where Asterisk records greetings by telephone, before anybody decides to keep them."""

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from vm_ari.adapters import durable
from vm_ari.adapters.audio import read, speech_seconds
from vm_ari.adapters.wav_header import BadAudio, repair_wav_header, wav_seconds
from vm_ari.domain.recording import Take
from vm_ari.ports import GreetingsUnavailable, GreetingTake

FOLDER = "greetings"
DIRECTORY_MODE = 0o2770
"""Asterisk, perhaps another user of the same group, writes its files into ours."""
WAV_HEADER = 44

T = TypeVar("T")


class FileGreetingTakes:
    """The port `GreetingTakes` below the *spool*, which lies in Asterisk's recording directory.

    One node has one: what a crash left behind is forgotten at the start.
    """

    def __init__(self, spool: Path) -> None:
        self._spool = spool.absolute()
        self._folder = self._spool / FOLDER

    async def claim(self) -> None:
        """Make the folder, and empty it: nobody has said that such a recording shall be kept."""
        await self._do(self._claim)

    def new(self) -> GreetingTake:
        """See `GreetingTakes`."""
        name = secrets.token_hex(12)
        return GreetingTake(f"{self._spool.name}/{FOLDER}/{name}", self._folder / name)

    async def inspect(self, take: GreetingTake) -> Take | None:
        """See `GreetingTakes`."""
        return await self._do(lambda: _inspect(take.file))

    async def discard(self, take: GreetingTake) -> None:
        """See `GreetingTakes`."""
        await self._do(lambda: take.file.unlink(missing_ok=True))

    def _claim(self) -> None:
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        durable.ensure_directory(self._folder, DIRECTORY_MODE)
        for left in self._folder.iterdir():
            left.unlink()

    async def _do(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(work)
        except OSError as error:
            where = error.filename or self._folder
            raise GreetingsUnavailable(f"{error.strerror or error}: {where}") from error
        except BadAudio as error:
            raise GreetingsUnavailable(str(error)) from error


def _inspect(path: Path) -> Take | None:
    if not path.is_file() or path.stat().st_size <= WAV_HEADER:
        return None
    repair_wav_header(path)
    samples, rate = read(path)
    return Take(wav_seconds(path), speech_seconds(samples, rate))
