"""The journal in a database, SQLite or PostgreSQL; several nodes may share one."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import (
    IntegrityError,
    InterfaceError,
    InternalError,
    OperationalError,
)
from sqlalchemy.exc import (
    TimeoutError as NoConnection,
)

from vm_ari.adapters import journal_tables as tables
from vm_ari.adapters.database_schema import Database
from vm_ari.domain.journal import JournalEntry, Search, Viewer
from vm_ari.ports import JournalUnavailable

CONNECTIONS = 3
"""One of them writes; nobody on the telephone waits for any."""
READ_PATIENCE = 15.0
WRITE_PATIENCE = 60.0
TRIES = 3
AWAY = (OperationalError, InterfaceError, InternalError, NoConnection, OSError, TimeoutError)

T = TypeVar("T")


class DatabaseJournal:
    """`ports.JournalStore`; to be closed."""

    def __init__(self, url: str) -> None:
        self._database = Database(url, connections=CONNECTIONS, prepare=tables.create_tables)
        self._readers = ThreadPoolExecutor(CONNECTIONS - 1, thread_name_prefix="journal-read")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="journal-write")

    async def write(self, entries: Sequence[JournalEntry]) -> None:
        """See `JournalStore`. An entry that no database takes raises something else."""
        if entries:
            await self._change(lambda db: tables.write(db, entries))

    async def entry(self, entry_id: str) -> JournalEntry | None:
        """See `JournalStore`."""
        return await self._ask(lambda db: tables.entry(db, entry_id))

    async def page(
        self,
        viewer: Viewer,
        search: Search,
        *,
        numbers: Collection[str] = (),
        names: Sequence[str] = (),
        after: tuple[datetime, str] | None = None,
        limit: int = 50,
    ) -> Sequence[JournalEntry]:
        """See `JournalStore`."""
        wanted = tables.Wanted(viewer, search, numbers, names, after, limit)
        return await self._ask(lambda db: tables.page(db, wanted))

    async def oldest(self, before: datetime, limit: int) -> Sequence[JournalEntry]:
        """See `JournalStore`."""
        return await self._ask(lambda db: tables.oldest(db, before, limit))

    async def remove(self, ids: Sequence[str]) -> int:
        """See `JournalStore`."""
        return await self._change(lambda db: tables.remove(db, ids))

    async def shorten(self, before: datetime, limit: int) -> int:
        """See `JournalStore`."""
        return await self._change(lambda db: tables.shorten(db, before, limit))

    async def close(self) -> None:
        """Let what is being written be finished."""
        await asyncio.to_thread(self._writer.shutdown)
        self._readers.shutdown(wait=False, cancel_futures=True)
        self._database.engine.dispose()

    async def _ask(self, work: Callable[[Connection], T]) -> T:
        def run() -> T:
            with self._database.open().connect() as db:
                return work(db)

        return await self._in(self._readers, run, READ_PATIENCE)

    async def _change(self, work: Callable[[Connection], T]) -> T:
        def run() -> T:
            for _ in range(TRIES - 1):
                try:
                    return once()
                except IntegrityError:  # somebody has written the same one just now
                    continue
            return once()

        def once() -> T:
            with self._database.open().begin() as db:
                return work(db)

        return await self._in(self._writer, run, WRITE_PATIENCE)

    async def _in(self, threads: ThreadPoolExecutor, work: Callable[[], T], patience: float) -> T:
        try:
            async with asyncio.timeout(patience):
                return await asyncio.get_running_loop().run_in_executor(threads, work)
        except AWAY as error:
            reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
            raise JournalUnavailable(
                f"The database of the journal: {reason or 'it does not answer'}"
            ) from error
