"""Where Asterisk records greetings by telephone, before anybody decides to keep them."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from vm_ari.adapters import durable
from vm_ari.adapters.short_takes import DIRECTORY_MODE, inspected, on_takes
from vm_ari.domain.recording import Take
from vm_ari.ports import GreetingsUnavailable, GreetingTake

FOLDER = "greetings"

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
        return await self._do(lambda: inspected(take.file))

    async def discard(self, take: GreetingTake) -> None:
        """See `GreetingTakes`."""
        await self._do(lambda: take.file.unlink(missing_ok=True))

    def _claim(self) -> None:
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        durable.ensure_directory(self._folder, DIRECTORY_MODE)
        for left in self._folder.iterdir():
            left.unlink()

    async def _do(self, work: Callable[[], T]) -> T:
        return await on_takes(work, self._folder, GreetingsUnavailable)
