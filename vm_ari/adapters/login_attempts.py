"""Failed logins of all nodes, in the database that they share (LOGIN-03, OPS-04).

Each node has one row with what it remembers itself, and reads those of the others: a budget of
failures is that of all nodes together. Nothing here has to outlive anything.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Column, Connection, MetaData, String, Table, delete, insert, select, update
from sqlalchemy.exc import SQLAlchemyError

from vm_ari.adapters.database_schema import Database, creating
from vm_ari.adapters.database_work import DatabaseWork, reason_of
from vm_ari.domain.login_budget import Attempt
from vm_ari.ports.attempts import AttemptsNotShared

MOST = 1000
"""Failures that a node tells: the latest."""
_CONNECTIONS = 1
_tables = MetaData()

login_attempts = Table(
    "login_attempts",
    _tables,
    Column("node", String, primary_key=True),
    Column("latest", String, nullable=False),
    Column("attempts", String, nullable=False),
)
"""*attempts* is JSON, a list of moment and caller; *latest* the last moment, ISO 8601 in UTC."""


class DatabaseAttempts:
    """`ports.attempts.AttemptsExchange`; *node* is the name of this one."""

    def __init__(self, url: str, node: str) -> None:
        database = Database(url, connections=_CONNECTIONS, prepare=creating(_tables))
        self._work = DatabaseWork(database, _CONNECTIONS, "attempts", _unavailable)
        self._node = node
        self._told: Sequence[Attempt] = ()

    async def exchange(self, own: Sequence[Attempt], since: datetime) -> Sequence[Attempt]:
        """Tell what this node remembers, hear what the others do. Raises `AttemptsNotShared`."""
        own = own[-MOST:]
        news = None if own == self._told else own
        heard = await self._work.do(lambda db: self._exchange(db, news, since))
        self._told = own
        return heard

    async def close(self) -> None:
        """Let what is under way be finished."""
        await self._work.close()

    def _exchange(
        self, db: Connection, own: Sequence[Attempt] | None, since: datetime
    ) -> Sequence[Attempt]:
        if own is not None:
            self._write(db, own)
        db.execute(delete(login_attempts).where(login_attempts.c.latest < _text(since)))
        others = select(login_attempts.c.attempts).where(login_attempts.c.node != self._node)
        found = [one for text in db.execute(others).scalars() for one in _read(text)]
        return [one for one in found if one.at >= since]

    def _write(self, db: Connection, own: Sequence[Attempt]) -> None:
        mine = login_attempts.c.node == self._node
        if not own:
            db.execute(delete(login_attempts).where(mine))
            return
        told = json.dumps([[_text(one.at), one.caller] for one in own])
        values = {"latest": _text(max(one.at for one in own)), "attempts": told}
        if not db.execute(update(login_attempts).where(mine).values(values)).rowcount:
            db.execute(insert(login_attempts).values({"node": self._node, **values}))


def _read(text: str) -> Sequence[Attempt]:
    return [Attempt(datetime.fromisoformat(at), str(caller)) for at, caller in json.loads(text)]


def _text(moment: datetime) -> str:
    """All of one length, so that they sort."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _unavailable(error: Exception) -> Exception:
    match error:
        case SQLAlchemyError():
            return AttemptsNotShared(reason_of(error))
        case OSError() | ValueError() | TypeError():
            return AttemptsNotShared(str(error))
    return error
