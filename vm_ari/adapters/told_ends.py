"""Of which ends users were told, in a database that all nodes share (GREET-10).

Whoever is about to tell something claims it first: of several nodes one does it. What a node has
claimed and not told, because it died, it tells itself after the next start; another node takes it
over after `ABANDONED`.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    MetaData,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from vm_ari.adapters.database_schema import Database, creating
from vm_ari.adapters.database_work import DatabaseWork, reason_of
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


class ToldEnds:
    """`ports.Tellings`; *node* is the name of this one."""

    def __init__(self, url: str, node: str) -> None:
        database = Database(url, connections=_CONNECTIONS, prepare=creating(_tables))
        self._work = DatabaseWork(database, _CONNECTIONS, "told-ends", _unavailable)
        self._node = node

    async def begun(self, now: datetime) -> datetime:
        """See `Tellings`."""
        with suppress(IntegrityError):  # another node has written it just now
            return await self._work.do(lambda db: _begun(db, now))
        return await self._work.do(lambda db: _begun(db, now))

    async def settled(self, occasions: Collection[str]) -> frozenset[str]:
        """See `Tellings`."""
        return await self._work.do(lambda db: _settled(db, list(occasions)))

    async def claim(self, occasion: str, now: datetime) -> bool:
        """See `Tellings`."""
        try:
            return await self._work.do(lambda db: self._claim(db, occasion, now))
        except IntegrityError:  # another node was faster by a moment
            return False

    async def tell(self, occasion: str) -> None:
        """See `Tellings`."""
        mine = update(told_ends).where(told_ends.c.occasion == occasion)
        await self._work.do(lambda db: db.execute(mine.values(told=True)).rowcount)

    async def sweep(self, now: datetime) -> None:
        """See `Tellings`."""
        old = told_ends.c.claimed < _text(now - REMEMBERED)
        gone = delete(told_ends).where(old, told_ends.c.occasion != _BEGUN)
        await self._work.do(lambda db: db.execute(gone).rowcount)

    async def close(self) -> None:
        """Let what is under way be finished."""
        await self._work.close()

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


def _unavailable(error: Exception) -> Exception:
    match error:
        case SQLAlchemyError() if not isinstance(error, IntegrityError):
            return TellingsUnavailable(f"The database of what users were told: {reason_of(error)}")
        case OSError():
            return TellingsUnavailable(f"{error.strerror or error}: {error.filename}")
    return error


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
