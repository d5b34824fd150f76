"""Open changes of mail addresses in a database that all nodes share (UM-03)."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy.exc import IntegrityError

from vm_ari.adapters import mail_change_tables as tables
from vm_ari.adapters.database_schema import Database
from vm_ari.adapters.database_work import DatabaseWork
from vm_ari.adapters.portal_database import unavailable
from vm_ari.domain.mail_changes import MailChange

CONNECTIONS = 1


class MailChangeDatabase:
    """`services.mail_changes.MailChangeRows`. Every method raises `PortalUnavailable`."""

    def __init__(self, url: str) -> None:
        database = Database(url, CONNECTIONS, prepare=tables.create_tables)
        self._work = DatabaseWork(database, CONNECTIONS, "mail changes", _telling)

    async def begin(self, change: MailChange, now: datetime) -> bool:
        """See `MailChangeRows`."""
        with suppress(IntegrityError):  # another request of the same user was faster
            return await self._work.do(lambda db: tables.begin(db, change, now))
        return await self._work.do(lambda db: tables.begin(db, change, now))

    async def open_one(self, user_id: str, now: datetime) -> MailChange | None:
        """See `MailChangeRows`."""
        return await self._work.do(lambda db: tables.open_in(db, user_id, now))

    async def count_try(self, user_id: str, now: datetime) -> MailChange | None:
        """See `MailChangeRows`."""
        return await self._work.do(lambda db: tables.count_try(db, user_id, now))

    async def mark(self, change: MailChange, now: datetime) -> bool:
        """See `MailChangeRows`."""
        with suppress(IntegrityError):
            return await self._work.do(lambda db: tables.mark(db, change, now))
        return False

    async def marked(self, before: datetime) -> Sequence[MailChange]:
        """See `MailChangeRows`."""
        return await self._work.do(lambda db: tables.marked_in(db, before))

    async def unmark(self, change: MailChange) -> None:
        """See `MailChangeRows`."""
        await self._work.do(lambda db: tables.unmark(db, change))

    async def end(self, change: MailChange) -> None:
        """See `MailChangeRows`."""
        await self._work.do(lambda db: tables.end(db, change))

    async def close(self) -> None:
        """Let running work end."""
        await self._work.close()


def _telling(error: Exception) -> Exception:
    return error if isinstance(error, IntegrityError) else unavailable(error)
