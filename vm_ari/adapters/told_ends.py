"""Of which ends users were told, in a database that all nodes share (GREET-10).

Whoever is about to tell something claims it first: of several nodes one does it. What a node has
claimed and not told, because it died, it tells itself after the next start; another node takes it
over after `ABANDONED`.
"""

import asyncio
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Engine,
    MetaData,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.schema import CreateTable

from vm_ari.adapters.database_schema import Database
from vm_ari.ports import TellingsUnavailable

ABANDONED = timedelta(days=1)
REMEMBERED = timedelta(days=30)
"""Longer than anything is still told."""
_BEGUN = "begun"
"""The row that says since when ends are told."""
_AT_ONCE = 500
"""Occasions in one question."""
_CONNECTIONS = 2

_tables = MetaData()

told_ends = Table(
    "told_ends",
    _tables,
    Column("occasion", String, primary_key=True),
    Column("node", String, nullable=False),
    Column("claimed", String, nullable=False),
    Column("told", Boolean, nullable=False),
)
"""*claimed* is ISO 8601 in UTC, always in whole seconds, so that texts compare like times."""

T = TypeVar("T")


class ToldEnds:
    """`ports.Tellings`; *node* is the name of this one."""

    def __init__(self, url: str, node: str) -> None:
        self._database = Database(url, connections=_CONNECTIONS, prepare=_create_tables)
        self._node = node
        self._threads = ThreadPoolExecutor(_CONNECTIONS, thread_name_prefix="told-ends")

    async def begun(self, now: datetime) -> datetime:
        """See `Tellings`."""
        return await self._run(lambda db: _begun(db, now), again=True)

    async def settled(self, occasions: Collection[str]) -> frozenset[str]:
        """See `Tellings`."""
        return await self._run(lambda db: _settled(db, list(occasions)))

    async def claim(self, occasion: str, now: datetime) -> bool:
        """See `Tellings`."""
        try:
            return await self._run(lambda db: self._claim(db, occasion, now))
        except IntegrityError:  # another node was faster by a moment
            return False

    async def tell(self, occasion: str) -> None:
        """See `Tellings`."""
        mine = update(told_ends).where(told_ends.c.occasion == occasion)
        await self._run(lambda db: db.execute(mine.values(told=True)).rowcount)

    async def sweep(self, now: datetime) -> None:
        """See `Tellings`."""
        old = told_ends.c.claimed < _text(now - REMEMBERED)
        gone = delete(told_ends).where(old, told_ends.c.occasion != _BEGUN)
        await self._run(lambda db: db.execute(gone).rowcount)

    async def close(self) -> None:
        """Let what is under way be finished."""
        await asyncio.to_thread(self._threads.shutdown)
        self._database.engine.dispose()

    def _claim(self, db: Connection, occasion: str, now: datetime) -> bool:
        row = db.execute(select(told_ends).where(told_ends.c.occasion == occasion)).one_or_none()
        if row is None:
            values = _row(occasion, self._node, now)
            db.execute(insert(told_ends).values(values))
            return True
        if row.told:
            return False
        if row.node == self._node:
            return True
        if row.claimed >= _text(now - ABANDONED):
            return False
        as_it_was = (told_ends.c.occasion == occasion, told_ends.c.claimed == row.claimed)
        taken = update(told_ends).where(*as_it_was, told_ends.c.told.is_(False))
        return db.execute(taken.values(node=self._node, claimed=_text(now))).rowcount == 1

    async def _run(self, work: Callable[[Connection], T], *, again: bool = False) -> T:
        """In one transaction; *again*: once more, where another node did the same just now."""

        def transaction() -> T:
            with self._database.open().begin() as db:
                return work(db)

        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, transaction)
        except IntegrityError:
            if again:
                return await self._run(work)
            raise
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
            raise TellingsUnavailable(f"The database of what users were told: {reason}") from error
        except OSError as error:
            raise TellingsUnavailable(f"{error.strerror or error}: {error.filename}") from error


def _begun(db: Connection, now: datetime) -> datetime:
    asked = select(told_ends.c.claimed).where(told_ends.c.occasion == _BEGUN)
    found = db.execute(asked).scalar_one_or_none()
    if found is None:
        values = {**_row(_BEGUN, "", now), "told": True}
        db.execute(insert(told_ends).values(values))
        found = _text(now)
    return datetime.fromisoformat(found)


def _settled(db: Connection, occasions: Sequence[str]) -> frozenset[str]:
    found: set[str] = set()
    for first in range(0, len(occasions), _AT_ONCE):
        some = told_ends.c.occasion.in_(occasions[first : first + _AT_ONCE])
        asked = select(told_ends.c.occasion).where(some, told_ends.c.told.is_(True))
        found.update(db.execute(asked).scalars())
    return frozenset(found)


def _row(occasion: str, node: str, now: datetime) -> dict[str, str | bool]:
    return {"occasion": occasion, "node": node, "claimed": _text(now), "told": False}


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(microsecond=0).isoformat()


def _create_tables(engine: Engine) -> None:
    with engine.begin() as db:
        for table in _tables.sorted_tables:
            db.execute(CreateTable(table, if_not_exists=True))
