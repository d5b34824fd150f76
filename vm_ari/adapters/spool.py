"""The spool for asyncio: the blocking `SpoolTree` in a few threads of its own.

Its own, because a directory or mail server that hangs may fill the common ones, and a caller
waits for this disk. Design §4, ADR 0002.
"""

import asyncio
import functools
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar
from weakref import WeakValueDictionary

from vm_ari.adapters import spool_hurry
from vm_ari.adapters.spool_tree import SpoolTree
from vm_ari.domain.delivery import Attempts, FallbackFile
from vm_ari.domain.messages import CallFacts, VoiceMessage
from vm_ari.domain.recording import Take
from vm_ari.ports import SpoolFull, Whole

MIN_FREE = 50_000_000
"""Bytes that must be free before a recording begins: nine of the longest at 16 kHz."""
GRACE = timedelta(hours=24)
"""So long delivered audio is kept."""
DIRECTORY_MODE = 0o2770
"""Asterisk, perhaps another user of the same group, writes its files into ours."""
THREADS = 4

T = TypeVar("T")


class FileSpool:
    """The port `Spool` on files below *root*, which lies in Asterisk's recording directory."""

    def __init__(
        self,
        root: Path,
        *,
        min_free: int = MIN_FREE,
        grace: timedelta = GRACE,
        directory_mode: int = DIRECTORY_MODE,
        threads: Executor | None = None,
    ) -> None:
        self._tree = SpoolTree(root, min_free=min_free, mode=directory_mode)
        self._grace = grace
        self._in_hand: WeakValueDictionary[str, CallFacts] = WeakValueDictionary()
        """A dialogue that fails lets go of its item by being forgotten, whatever happened to it."""
        self._threads = threads or ThreadPoolExecutor(THREADS, thread_name_prefix="spool")

    async def claim(self) -> None:
        """Become its only user; call it once before everything else but `held` and `release`.

        Raises `SpoolInUse`, `SpoolFull`.
        """
        await self._run(self._tree.claim)

    def close(self) -> None:
        """Let another controller have it."""
        self._tree.close()

    async def _run(self, work: Callable[..., T], *args: object, **options: object) -> T:
        loop = asyncio.get_running_loop()
        call = functools.partial(work, *args, **options)
        try:
            return await loop.run_in_executor(self._threads, call)
        except OSError as error:
            where = error.filename or self._tree.root
            raise SpoolFull(f"{error.strerror or error}: {where}") from error

    def recording_name(self, facts_id: str, take: int) -> str:
        """Below Asterisk's recording directory, without suffix."""
        item = self._tree.item("open", facts_id)
        return f"{self._tree.root.name}/{item.parent.name}/{item.name}/take-{take}"

    def recording_path(self, facts_id: str, take: int) -> Path:
        """Absolute, without suffix."""
        return self._tree.item("open", facts_id) / f"take-{take}"

    async def begin(self, facts: CallFacts) -> None:
        """See `Spool.begin`."""
        before = self._in_hand.get(facts.id)
        self._in_hand[facts.id] = facts
        try:
            await self._run(self._tree.begin, facts)
        except SpoolFull:
            if before is not None:
                self._in_hand[facts.id] = before
            raise

    async def inspect(self, facts_id: str, take: int) -> Take | None:
        """See `Spool.inspect`."""
        return await self._run(self._tree.inspect, facts_id, take)

    def was_cut(self, facts_id: str, take: int) -> bool:
        """See `Spool.was_cut`."""
        return self._tree.was_cut(facts_id, take)

    async def attach(self, facts_id: str, source: Path) -> None:
        """See `Spool.attach`."""
        await self._run(self._tree.attach, facts_id, source)

    async def keep(self, facts: CallFacts, take: int | None, *, partial: bool) -> VoiceMessage:
        """See `Spool.keep`."""
        return await self._run(self._tree.keep, facts, take, partial=partial)

    async def discard(self, facts_id: str) -> None:
        """See `Spool.discard`."""
        await self._run(self._tree.discard, facts_id)

    async def set_aside(self, facts: CallFacts, take: int, reason: str) -> None:
        """See `Spool.set_aside`."""
        await self._run(self._tree.set_aside, facts, take, reason)

    async def unfinished(self) -> Sequence[tuple[CallFacts, Sequence[int]]]:
        """See `Spool.unfinished`."""
        found = await self._run(self._tree.unfinished, frozenset(self._in_hand))
        return [(facts, takes) for facts, takes in found if facts.id not in self._in_hand]

    async def fallback_files(self) -> Sequence[FallbackFile]:
        """See `Spool.fallback_files`."""
        return await self._run(self._tree.fallback_files)

    async def fallback_id(self, name: str) -> str:
        """See `Spool.fallback_id`."""
        return await self._run(self._tree.fallback_id, name)

    async def import_fallback(self, name: str, facts: CallFacts) -> None:
        """See `Spool.import_fallback`."""
        await self._run(self._tree.import_fallback, name, facts)

    async def set_aside_fallback(self, name: str) -> None:
        """See `Spool.set_aside_fallback`."""
        await self._run(self._tree.set_aside_fallback, name)

    async def waiting(self) -> Sequence[tuple[VoiceMessage, Attempts, bool]]:
        """See `Spool.waiting`."""
        return await self._run(self._tree.waiting)

    async def divide(self, message: VoiceMessage, parts: Sequence[CallFacts], whole: Whole) -> None:
        """See `Spool.divide`."""
        await self._run(self._tree.divide, message, parts, whole)

    async def mark_attempt(self, message: VoiceMessage) -> None:
        """See `Spool.mark_attempt`."""
        await self._run(self._tree.mark_attempt, message)

    async def clear_attempt(self, message: VoiceMessage, attempts: Attempts) -> None:
        """See `Spool.clear_attempt`."""
        await self._run(self._tree.clear_attempt, message, attempts)

    async def done(self, message: VoiceMessage) -> None:
        """See `Spool.done`."""
        await self._run(self._tree.done, message)

    async def hold(self, message: VoiceMessage, attempts: Attempts) -> None:
        """See `Spool.hold`."""
        await self._run(self._tree.hold, message, attempts)

    async def held(self) -> Sequence[tuple[CallFacts, Attempts]]:
        """See `Spool.held`."""
        return await self._run(self._tree.held)

    async def release(self, facts_id: str) -> None:
        """See `Spool.release`."""
        await self._run(self._tree.release, facts_id)

    async def hurry(self, facts_id: str, attempts: Attempts) -> None:
        """Let the controller try a waiting item now: *attempts* is its history without a pause.

        May be called beside a controller that has the spool.
        """
        await self._run(spool_hurry.hurry, self._tree.item("new", facts_id), attempts)

    async def sweep(self, now: datetime) -> None:
        """See `Spool.sweep`."""
        await self._run(self._tree.sweep, now - self._grace)
