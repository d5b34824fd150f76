"""Writing the journal beside the calls: nobody ever waits for it."""

import asyncio

import structlog

from vm_ari.domain.journal import JournalEntry, merged
from vm_ari.measures import JOURNAL_LOST
from vm_ari.ports import JournalUnavailable
from vm_ari.services.cost_centres import Written

log = structlog.get_logger("vm_ari.journal")

MOST_WAITING = 20_000
"""Entries kept in memory while the database does not answer (about 20 MB); then new ones are
lost."""
BATCH = 500
GATHER = 0.5
"""Seconds in which entries of several calls come together into one transaction."""
PAUSES = (1.0, 2.0, 5.0, 15.0, 30.0)
"""Seconds until a database that did not answer is asked again."""
LAST_CHANCE = 5.0
"""Seconds that the rest gets when the controller stops."""


class NoJournal:
    """`ports.Journal` where the site wants none."""

    async def note(self, entry: JournalEntry) -> None:
        """Forget it."""


class JournalWriter:
    """`ports.Journal`: remembers what is told, and writes it in the background."""

    def __init__(self, store: Written, most_waiting: int = MOST_WAITING) -> None:
        self._store = store
        self._most = most_waiting
        self._waiting: dict[str, JournalEntry] = {}
        self._lost = 0
        self._stir = asyncio.Event()
        self._writing = asyncio.Lock()

    async def note(self, entry: JournalEntry) -> None:
        """See `Journal`; there is nothing in it that waits."""
        old = self._waiting.get(entry.id)
        if old is None and len(self._waiting) >= self._most:
            self._lost += 1
            return
        self._waiting[entry.id] = merged(old, entry) if old else entry
        self._stir.set()

    async def run(self) -> None:
        """Write until cancelled; `close` writes the rest."""
        failed = 0
        while True:
            await self._stir.wait()
            await asyncio.sleep(GATHER if not failed else PAUSES[min(failed, len(PAUSES)) - 1])
            failed = 0 if await self._write() else failed + 1

    async def close(self) -> None:
        """Write what is left, if the database takes it now."""
        try:
            async with asyncio.timeout(LAST_CHANCE):
                while self._waiting and await self._write():
                    pass
        except TimeoutError:
            pass
        self._lost += len(self._waiting)
        self._waiting.clear()
        self._report_losses()

    async def _write(self) -> bool:
        """One batch; False: it has to be tried again."""
        async with self._writing:
            batch = dict(list(self._waiting.items())[:BATCH])
            if not await self._stored(list(batch.values())):
                return False
            for key, entry in batch.items():
                if self._waiting.get(key) is entry:  # else more has been told meanwhile
                    del self._waiting[key]
            if not self._waiting:
                self._stir.clear()
            self._report_losses()
            return True

    async def _stored(self, batch: list[JournalEntry]) -> bool:
        try:
            await self._store.write(batch)
        except JournalUnavailable as error:
            log.error("journal not written", waiting=len(self._waiting), reason=str(error))
            return False
        except Exception as error:  # what one entry breaks must not stop the others
            if len(batch) > 1:
                return all([await self._stored([entry]) for entry in batch])
            log.error("entry of the journal left out", why=type(error).__name__)
            self._lost += 1
        return True

    def _report_losses(self) -> None:
        if self._lost:
            JOURNAL_LOST.add(by=self._lost)
            log.error("entries of the journal lost", entries=self._lost)
            self._lost = 0
