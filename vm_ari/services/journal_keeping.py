"""What the journal forgets, and when: numbers first, then whole entries, into the archive."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from vm_ari.domain.journal import JournalEntry
from vm_ari.ports import Clock, JournalStore, JournalUnavailable

log = structlog.get_logger("vm_ari.journal")

EVERY = 3600.0
AT_ONCE = 100
"""Entries in one transaction: callers' own changes come in between."""
ARCHIVED_AT_ONCE = 2_000
PAUSE = 0.05

Archive = Callable[[Sequence[JournalEntry]], Awaitable[None]]
"""Keeps them durably elsewhere. Raises `JournalUnavailable`."""


@dataclass(frozen=True)
class Retention:
    """How long what is remembered."""

    days: int = 0
    """0: for ever."""
    days_of_numbers: int = 0
    """After so many days only three digits of numbers are left, and no names; 0: never."""

    def ends(self, now: datetime) -> datetime | None:
        """Entries from before this time go: whole days (UTC)."""
        return _midnight(now, self.days)

    def numbers_end(self, now: datetime) -> datetime | None:
        """The numbers of entries from before this time are shortened."""
        return _midnight(now, self.days_of_numbers)


def _midnight(now: datetime, days: int) -> datetime | None:
    if not days:
        return None
    return (now - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass(frozen=True)
class Swept:
    """What one sweep has done."""

    removed: int = 0
    shortened: int = 0


@dataclass(frozen=True)
class JournalKeeping:
    """Sweeps the journal."""

    store: JournalStore
    clock: Clock
    retention: Retention
    archive: Archive | None = None
    """None: what is removed is gone."""

    async def run(self) -> None:
        """From time to time, until cancelled."""
        while True:
            try:
                swept = await self.sweep()
                if swept != Swept():
                    log.info("journal swept", removed=swept.removed, shortened=swept.shortened)
            except JournalUnavailable as error:
                log.error("journal not swept", reason=str(error))
            await asyncio.sleep(EVERY)

    async def sweep(self) -> Swept:
        """All that is due. Raises `JournalUnavailable`; what was done till then stays done."""
        now = self.clock.now()
        removed = await self._remove(end) if (end := self.retention.ends(now)) else 0
        shortened = await self._shorten(end) if (end := self.retention.numbers_end(now)) else 0
        return Swept(removed, shortened)

    async def _remove(self, before: datetime) -> int:
        """First into the archive; an entry may come there twice, but none is lost."""
        removed = 0
        while oldest := await self.store.oldest(before, ARCHIVED_AT_ONCE):
            if self.archive:
                await self.archive(oldest)
            ids = [entry.id for entry in oldest]
            for place in range(0, len(ids), AT_ONCE):
                removed += await self.store.remove(ids[place : place + AT_ONCE])
                await asyncio.sleep(PAUSE)
        return removed

    async def _shorten(self, before: datetime) -> int:
        shortened = 0
        while count := await self.store.shorten(before, AT_ONCE):
            shortened += count
            await asyncio.sleep(PAUSE)
        return shortened
