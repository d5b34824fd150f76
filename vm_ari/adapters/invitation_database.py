"""Invitations in a database that all nodes share, and that the command line writes, too."""

from datetime import datetime

from vm_ari.adapters import invitation_tables as tables
from vm_ari.adapters.database_schema import Database
from vm_ari.adapters.database_work import DatabaseWork
from vm_ari.adapters.portal_database import unavailable
from vm_ari.domain.invitations import Invitation
from vm_ari.ports import Clock

CONNECTIONS = 1


class InvitationDatabase:
    """`services.invitations.InvitationRows`. Every method raises `PortalUnavailable`."""

    def __init__(self, url: str, clock: Clock) -> None:
        database = Database(url, CONNECTIONS, prepare=tables.create_tables)
        self._work = DatabaseWork(database, CONNECTIONS, "invitations", unavailable)
        self._clock = clock

    async def add(self, invitation: Invitation) -> None:
        """See `InvitationRows`."""
        now = self._clock.now()
        await self._work.do(lambda db: tables.add(db, invitation, now))

    async def waiting(self, key: str, now: datetime) -> Invitation | None:
        """See `InvitationRows`."""
        return await self._work.do(lambda db: tables.waiting_in(db, key, now))

    async def begin_visit(
        self, key: str, proof: str, visit: str, now: datetime, ends: datetime
    ) -> bool:
        """See `InvitationRows`."""
        return await self._work.do(lambda db: tables.begin_visit(db, key, proof, visit, now, ends))

    async def visited(self, visit: str, now: datetime) -> Invitation | None:
        """See `InvitationRows`."""
        return await self._work.do(lambda db: tables.visited_in(db, visit, now))

    async def count_call(self, visit: str) -> bool:
        """See `InvitationRows`."""
        return await self._work.do(lambda db: tables.count_call(db, visit))

    async def end(self, key: str) -> None:
        """See `InvitationRows`."""
        await self._work.do(lambda db: tables.end(db, key))

    async def close(self) -> None:
        """Let running work end."""
        await self._work.close()
