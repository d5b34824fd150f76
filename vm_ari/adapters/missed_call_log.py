"""The log of calls that rang phones: durable, in SQLite or PostgreSQL, for one node or many."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from vm_ari.adapters import missed_call_tables as tables
from vm_ari.adapters.database_schema import Database, DatabaseTooNew
from vm_ari.adapters.database_work import DatabaseWork
from vm_ari.domain.messages import CallFacts
from vm_ari.domain.missed_call_records import Case, Fate, Record
from vm_ari.domain.ringing import RungCall
from vm_ari.ports import CallLogUnavailable

T = TypeVar("T")

CONNECTIONS = 2
TAKEN_AT_ONCE = 20


class DatabaseCallLog:
    """`services.missed_calls.CallLog`; every method raises `CallLogUnavailable`."""

    def __init__(self, url: str) -> None:
        database = Database(url, connections=CONNECTIONS, prepare=tables.create_tables)
        self._work = DatabaseWork(database, CONNECTIONS, "missed-calls", _unavailable)

    async def remember(self, call: RungCall, due: datetime) -> None:
        """See `CallLog`."""
        await self._once(lambda db: tables.remember(db, call, due))

    async def take(self, now: datetime, until: datetime) -> Sequence[Case]:
        """See `CallLog`."""
        return await self._work.do(lambda db: tables.take(db, now, until, TAKEN_AT_ONCE))

    async def postpone(self, key: str, due: datetime) -> None:
        """See `CallLog`."""
        await self._work.do(lambda db: tables.postpone(db, key, due))

    async def finish(self, case: Case, fates: Sequence[Fate]) -> None:
        """See `CallLog`."""
        caller, began = case.call.caller.number, tables.time_text(case.call.began)
        await self._work.do(lambda db: tables.finish(db, case.key, caller, began, fates))

    async def last_told(self, caller: str, user_ids: Collection[str]) -> Mapping[str, datetime]:
        """See `CallLog`."""
        return await self._work.do(lambda db: tables.last_told(db, caller, user_ids))

    async def note_login(self, user_id: str, at: datetime) -> None:
        """See `CallLog`."""
        await self._once(lambda db: tables.note_login(db, user_id, at))

    async def last_logins(self, user_ids: Collection[str]) -> Mapping[str, datetime]:
        """See `CallLog`."""
        return await self._work.do(lambda db: tables.last_logins(db, user_ids))

    async def note_message(self, facts: CallFacts, user_id: str) -> None:
        """See `CallLog`."""
        await self._once(lambda db: tables.note_message(db, facts, user_id))

    async def message_for(self, call: RungCall) -> frozenset[str]:
        """See `CallLog`."""
        return await self._work.do(lambda db: tables.message_for(db, call))

    async def calls_before(self, call: RungCall) -> Sequence[RungCall]:
        """See `CallLog`."""
        return await self._work.do(lambda db: tables.calls_before(db, call))

    async def records(
        self,
        *,
        call_id: str = "",
        user_id: str = "",
        user_ids: Collection[str] | None = None,
        since: datetime | None = None,
        before: datetime | None = None,
        most: int = 1000,
    ) -> Sequence[Record]:
        """Calls that are remembered, the newest first: one by its id, a user's, or all.

        *user_ids*: only those of one of these users; None: of anybody. *before*: begun before then.
        """
        users = frozenset({user_id}) if user_id else user_ids
        wanted = tables.Wanted(call_id, users, since, before, most)
        return await self._work.do(lambda db: tables.records(db, wanted))

    async def sweep(self, before: datetime) -> None:
        """See `CallLog`; in small steps, so that nobody waits for it."""
        while await self._work.do(lambda db: tables.sweep(db, before)):
            pass

    async def close(self) -> None:
        """Let running work end."""
        await self._work.close()

    async def _once(self, work: Callable[[Connection], T]) -> None:
        """What another node, or we, have written already is there."""
        with suppress(_KnownAlready):
            await self._work.do(work)


class _KnownAlready(CallLogUnavailable):
    """A row of that key is there."""


def _unavailable(error: Exception) -> Exception:
    match error:
        case IntegrityError():
            return _KnownAlready("another node has written the same just now")
        case SQLAlchemyError() | OSError() | DatabaseTooNew():
            cause = getattr(error, "orig", None) or error
            return CallLogUnavailable(f"the log of calls cannot be used: {cause}")
    return error
