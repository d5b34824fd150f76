"""What is remembered of notices, in a database that several controllers share (NOTIFY-03)."""

from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from vm_ari.adapters import notification_tables as tables
from vm_ari.adapters.database_schema import Database
from vm_ari.adapters.database_work import DatabaseWork, reason_of
from vm_ari.adapters.notification_tables import Decide, Stale
from vm_ari.domain.notifications import Announcement, Channel, State, Tally
from vm_ari.ports import NoticeBookUnavailable

CONNECTIONS = 2
TRIES = 20
AT_ONCE = 200
"""Mailboxes changed in one transaction."""

T = TypeVar("T")


class DatabaseNoticeBook:
    """The port `NoticeBook` on SQLite or PostgreSQL; *url* is SQLAlchemy's."""

    def __init__(self, url: str) -> None:
        database = Database(url, connections=CONNECTIONS, prepare=tables.create_tables)
        self._work = DatabaseWork(database, CONNECTIONS, "notices", _unavailable)

    async def note(self, user_id: str, decide: Decide) -> State:
        """See `NoticeBook`."""
        return await self._until_fresh(partial(tables.note, user_id=user_id, decide=decide))

    async def state(self, user_id: str) -> State | None:
        """What is remembered of that mailbox; None: nobody has counted it."""
        return await self._work.do(partial(tables.state_of, user_id=user_id))

    async def taken(self, announcement_id: str, channel: Channel) -> None:
        """See `NoticeBook`."""
        work = partial(tables.taken, announcement_id=announcement_id, channel=channel)
        await self._until_fresh(work)

    async def unfinished(self, node: str, before: datetime) -> Sequence[Announcement]:
        """See `NoticeBook`."""
        return await self._work.do(partial(tables.unfinished, node=node, before=before))

    async def change(
        self, change: Callable[[Tally], Tally], user_ids: Collection[str] | None = None
    ) -> int:
        """See `NoticeBook`; a few at a time, so that counts do not wait for long."""
        wanted = await self._work.do(tables.all_ids) if user_ids is None else sorted(user_ids)
        count = 0
        for start in range(0, len(wanted), AT_ONCE):
            some = wanted[start : start + AT_ONCE]
            count += await self._until_fresh(partial(tables.change, how=change, user_ids=some))
        return count

    async def changed_since(self, mark: int) -> tuple[int, Sequence[str]]:
        """See `NoticeBook`."""
        return await self._work.do(partial(tables.changed_since, mark=mark))

    async def close(self) -> None:
        """Let running work end, and release the database."""
        await self._work.close()

    async def _until_fresh(self, work: Callable[[Connection], T]) -> T:
        """Again, as long as another controller was faster."""
        for _ in range(TRIES):
            with suppress(Stale, IntegrityError):
                return await self._work.do(work)
        raise NoticeBookUnavailable("Other controllers change the same mailbox all the time.")


def _unavailable(error: Exception) -> Exception:
    match error:
        case IntegrityError():
            return error
        case SQLAlchemyError():
            return NoticeBookUnavailable(f"The database of notices: {reason_of(error)}")
        case OSError():
            return NoticeBookUnavailable(f"The database of notices: {error}")
        case ValueError() | KeyError() | TypeError():
            return NoticeBookUnavailable(f"The database of notices is damaged: {error}")
    return error
