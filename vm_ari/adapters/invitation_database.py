"""Invitations in a database that all nodes share, and that the command line writes, too."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from vm_ari.adapters import invitation_tables as tables
from vm_ari.adapters.database_schema import Database
from vm_ari.domain.invitations import Invitation
from vm_ari.ports import Clock, PortalUnavailable

T = TypeVar("T")

CONNECTIONS = 1


class InvitationDatabase:
    """`services.invitations.InvitationRows`. Every method raises `PortalUnavailable`."""

    def __init__(self, url: str, clock: Clock) -> None:
        self._database = Database(url, CONNECTIONS, prepare=tables.create_tables)
        self._workers = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="invitations")
        self._clock = clock

    async def add(self, invitation: Invitation) -> None:
        """See `InvitationRows`."""
        now = self._clock.now()
        await self._do(lambda db: tables.add(db, invitation, now))

    async def waiting(self, key: str, now: datetime) -> Invitation | None:
        """See `InvitationRows`."""
        return await self._do(lambda db: tables.waiting_in(db, key, now))

    async def begin_visit(
        self, key: str, proof: str, visit: str, now: datetime, ends: datetime
    ) -> bool:
        """See `InvitationRows`."""
        return await self._do(lambda db: tables.begin_visit(db, key, proof, visit, now, ends))

    async def visited(self, visit: str, now: datetime) -> Invitation | None:
        """See `InvitationRows`."""
        return await self._do(lambda db: tables.visited_in(db, visit, now))

    async def count_call(self, visit: str) -> bool:
        """See `InvitationRows`."""
        return await self._do(lambda db: tables.count_call(db, visit))

    async def end(self, key: str) -> None:
        """See `InvitationRows`."""
        await self._do(lambda db: tables.end(db, key))

    async def close(self) -> None:
        """Let running work end."""
        await asyncio.to_thread(self._workers.shutdown)
        self._database.engine.dispose()

    async def _do(self, work: Callable[[Connection], T]) -> T:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._workers, self._worked, work)
        except (SQLAlchemyError, OSError) as error:
            text = f"the portal's database cannot be used: {type(error).__name__}"
            raise PortalUnavailable(text) from error

    def _worked(self, work: Callable[[Connection], T]) -> T:
        with self._database.open().begin() as db:
            return work(db)
