"""What left on each day, in a database that all nodes share (UM-05).

A count is changed only if it is still as it was when it was judged (compare-and-change), so orders
at the same moment cannot pass a limit together. What was counted is written down beside it, by its
occasion: an order that is tried again after a crash counts once.
"""

import asyncio
import random
from collections.abc import Callable
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError

from vm_ari.adapters.database_schema import Database, creating
from vm_ari.adapters.database_work import DatabaseWork, reason_of
from vm_ari.domain.rights import Outgoing, Refused, Used
from vm_ari.ports.rights import CountsUnavailable, Judge

T = TypeVar("T")

PAUSE = 0.02
"""Seconds, at most, until somebody tries again who was slower than another."""
PATIENCE = 6.0
"""Seconds that somebody on the telephone waits for it at most."""
_CONNECTIONS = 2
_OTHERS_WRITE = ("locked", "deadlock detected")
"""What SQLite and PostgreSQL say then; the tables are written in the order in which a node that
starts makes them, so the second is rare."""

_tables = MetaData()

day_counts = Table(
    "day_counts",
    _tables,
    Column("user_id", String, primary_key=True),
    Column("day", String, primary_key=True),
    Column("what", String, primary_key=True),
    Column("items", Integer, nullable=False),
    Column("pages", Integer, nullable=False),
    Index("day_counts_by_day", "day"),
)
"""*day* is ISO 8601, the user's own."""

counted = Table(
    "counted",
    _tables,
    Column("occasion", String, primary_key=True),
    Column("user_id", String, nullable=False),
    Column("day", String, nullable=False),
    Column("what", String, nullable=False),
    Column("items", Integer, nullable=False),
    Column("pages", Integer, nullable=False),
    Index("counted_by_day", "day"),
)


class _Slower(Exception):
    """Somebody else has changed it meanwhile."""


class DatabaseCounts:
    """`ports.rights.Counts`; to be closed."""

    def __init__(self, url: str, patience: float = PATIENCE) -> None:
        self._patience = patience
        database = Database(url, connections=_CONNECTIONS, prepare=creating(_tables))
        self._work = DatabaseWork(database, _CONNECTIONS, "rights", _unavailable)

    async def take(
        self, occasion: str, user_id: str, day: date, what: Outgoing, more: Used, judge: Judge
    ) -> Refused | None:
        """See `Counts`."""
        place = {"user_id": user_id, "day": day.isoformat(), "what": what.value}
        return await self._again(lambda db: _take(db, occasion, place, more, judge))

    async def give_back(self, occasion: str) -> None:
        """See `Counts`."""
        await self._again(lambda db: _give_back(db, occasion))

    async def used(self, user_id: str, day: date, what: Outgoing) -> Used:
        """See `Counts`."""
        place = {"user_id": user_id, "day": day.isoformat(), "what": what.value}
        return await self._again(lambda db: _used(db, place) or Used())

    async def sweep(self, before: date) -> None:
        """See `Counts`."""

        def work(db: Connection) -> None:
            for table in (counted, day_counts):
                db.execute(delete(table).where(table.c.day < before.isoformat()))

        await self._again(work)

    async def close(self) -> None:
        """Let what is under way be finished."""
        await self._work.close()

    def shut(self) -> None:
        """The same, for those who cannot wait otherwise."""
        self._work.shut()

    async def _again(self, work: Callable[[Connection], T]) -> T:
        """Until nobody else was faster; what comes too late still counts, to be careful."""
        try:
            async with asyncio.timeout(self._patience):
                while True:
                    try:
                        return await self._work.do(work)
                    except (_Slower, IntegrityError):
                        await asyncio.sleep(random.uniform(0, PAUSE))  # noqa: S311 - no secret
        except TimeoutError:
            text = f"no answer within {self._patience:g} seconds"
            raise CountsUnavailable(f"The database of daily limits: {text}") from None


def _unavailable(error: Exception) -> Exception:
    match error:
        case IntegrityError():
            return error
        case OperationalError() if any(sign in reason_of(error) for sign in _OTHERS_WRITE):
            return _Slower()
        case SQLAlchemyError():
            return CountsUnavailable(f"The database of daily limits: {reason_of(error)}")
        case OSError():
            return CountsUnavailable(f"{error.strerror or error}: {error.filename}")
    return error


def _take(
    db: Connection, occasion: str, place: dict[str, str], more: Used, judge: Judge
) -> Refused | None:
    """Raises `_Slower`, `IntegrityError`: then nothing is counted."""
    if db.execute(select(counted.c.day).where(counted.c.occasion == occasion)).first():
        return None
    there = _used(db, place)
    before = there or Used()
    if refused := judge(before):
        return refused
    after = before + more
    values: dict[str, Any] = {"items": after.items, "pages": after.pages}
    db.execute(
        insert(counted).values(occasion=occasion, items=more.items, pages=more.pages, **place)
    )
    if there is None:
        db.execute(insert(day_counts).values({**place, **values}))
    else:
        _change(db, place, there, after)
    return None


def _give_back(db: Connection, occasion: str) -> None:
    """Raises `_Slower`."""
    its = counted.c.occasion == occasion
    row = db.execute(select(counted).where(its)).mappings().one_or_none()
    if row is None or db.execute(delete(counted).where(its)).rowcount != 1:
        return
    place = {name: row[name] for name in ("user_id", "day", "what")}
    if there := _used(db, place):
        left = Used(max(0, there.items - row["items"]), max(0, there.pages - row["pages"]))
        _change(db, place, there, left)


def _used(db: Connection, place: dict[str, str]) -> Used | None:
    asked = select(day_counts.c["items"], day_counts.c.pages).where(*_at(place))
    row = db.execute(asked).one_or_none()
    return Used(row[0], row[1]) if row else None


def _change(db: Connection, place: dict[str, str], before: Used, after: Used) -> None:
    as_it_was = (day_counts.c["items"] == before.items, day_counts.c.pages == before.pages)
    values: dict[str, Any] = {"items": after.items, "pages": after.pages}
    changed = db.execute(update(day_counts).where(*_at(place), *as_it_was).values(values))
    if changed.rowcount != 1:
        raise _Slower


def _at(place: dict[str, str]) -> list[ColumnElement[bool]]:
    return [day_counts.c[name] == value for name, value in place.items()]
