"""What is remembered of notices, in a database that several controllers share (NOTIFY-03)."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from vm_ari.adapters import notification_tables as tables
from vm_ari.adapters.database_schema import Database
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
        self._database = Database(url, connections=CONNECTIONS, prepare=tables.create_tables)
        self._workers = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="notices")

    async def note(self, user_id: str, decide: Decide) -> State:
        """See `NoticeBook`."""
        return await self._until_fresh(partial(tables.note, user_id=user_id, decide=decide))

    async def taken(self, announcement_id: str, channel: Channel) -> None:
        """See `NoticeBook`."""
        work = partial(tables.taken, announcement_id=announcement_id, channel=channel)
        await self._until_fresh(work)

    async def unfinished(self, node: str, before: datetime) -> Sequence[Announcement]:
        """See `NoticeBook`."""
        return await self._in_worker(partial(tables.unfinished, node=node, before=before))

    async def change(
        self, change: Callable[[Tally], Tally], user_ids: Collection[str] | None = None
    ) -> int:
        """See `NoticeBook`; a few at a time, so that counts do not wait for long."""
        wanted = await self._in_worker(tables.all_ids) if user_ids is None else sorted(user_ids)
        count = 0
        for start in range(0, len(wanted), AT_ONCE):
            some = wanted[start : start + AT_ONCE]
            count += await self._until_fresh(partial(tables.change, how=change, user_ids=some))
        return count

    async def changed_since(self, mark: int) -> tuple[int, Sequence[str]]:
        """See `NoticeBook`."""
        return await self._in_worker(partial(tables.changed_since, mark=mark))

    async def close(self) -> None:
        """Let running work end, and release the database."""
        await asyncio.to_thread(self._workers.shutdown)
        self._database.engine.dispose()

    async def _until_fresh(self, work: Callable[[Connection], T]) -> T:
        """Again, as long as another controller was faster."""
        for _ in range(TRIES):
            with suppress(Stale, IntegrityError):
                return await self._in_worker(work)
        raise NoticeBookUnavailable("Other controllers change the same mailbox all the time.")

    async def _in_worker(self, work: Callable[[Connection], T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._workers, self._transaction, work)

    def _transaction(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._database.open().begin() as db:
                return work(db)
        except IntegrityError:
            raise
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
            raise NoticeBookUnavailable(f"The database of notices: {reason}") from error
        except OSError as error:
            raise NoticeBookUnavailable(f"The database of notices: {error}") from error
        except (ValueError, KeyError, TypeError) as error:
            raise NoticeBookUnavailable(f"The database of notices is damaged: {error}") from error
