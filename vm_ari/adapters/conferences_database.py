"""The conferences of all controllers in a database that they share, for portal and commands.

Nothing here has to outlive a power cut, and nobody who telephones waits for it.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    insert,
    or_,
    select,
)
from sqlalchemy.exc import SQLAlchemyError

from vm_ari.adapters.conference_records import conference_from_json, conference_to_json
from vm_ari.adapters.database_schema import Database, creating
from vm_ari.adapters.database_work import DatabaseWork, reason_of
from vm_ari.ports.conference import ConferencesUnavailable, LiveConference, RoomOrder, Verb

CONNECTIONS = 1
_tables = MetaData()

live_conferences = Table(
    "live_conferences",
    _tables,
    Column("id", String, primary_key=True),
    Column("node", String, nullable=False),
    Column("started", String, nullable=False),
    Column("seen", String, nullable=False),
    Column("told", String, nullable=False),
)
"""*told* is everything else as JSON."""
conference_orders = Table(
    "conference_orders",
    _tables,
    Column("place", Integer, primary_key=True, autoincrement=True),
    Column("node", String, nullable=False),
    Column("conference_id", String, nullable=False),
    Column("verb", String, nullable=False),
    Column("party", Integer, nullable=False),
    Column("by", String, nullable=False),
    Column("at", String, nullable=False),
)
"""Times are ISO 8601 in UTC, of one length, so that they sort."""


class DatabaseConferences:
    """`ports.conference.ConferenceBoard` on SQLite or PostgreSQL; *url* is SQLAlchemy's."""

    def __init__(self, url: str) -> None:
        database = Database(url, connections=CONNECTIONS, prepare=creating(_tables))
        self._work = DatabaseWork(database, CONNECTIONS, "conferences", _unavailable)

    async def write(self, node: str, conferences: Sequence[LiveConference]) -> None:
        """See `ConferenceBoard`."""
        await self._work.do(lambda db: _write(db, node, conferences))

    async def all(self, since: datetime) -> Sequence[LiveConference]:
        """See `ConferenceBoard`."""
        return await self._work.do(lambda db: _all(db, since))

    async def order(self, node: str, order: RoomOrder, at: datetime) -> None:
        """See `ConferenceBoard`."""
        values = {**vars(order), "verb": order.verb.value, "node": node, "at": _text(at)}
        await self._work.do(lambda db: _nothing(db.execute(insert(conference_orders), values)))

    async def take_orders(self, node: str, since: datetime) -> Sequence[RoomOrder]:
        """See `ConferenceBoard`."""
        return await self._work.do(lambda db: _take_orders(db, node, since))

    async def close(self) -> None:
        """Let running work end."""
        await self._work.close()


def _nothing(_: object) -> None:
    """The answer of the database is of no interest."""


def _write(db: Connection, node: str, conferences: Sequence[LiveConference]) -> None:
    """One that is taken over may have been shown by a controller of another name."""
    ids = [one.conference.id for one in conferences]
    mine = or_(live_conferences.c.node == node, live_conferences.c.id.in_(ids))
    db.execute(delete(live_conferences).where(mine))
    if conferences:
        db.execute(insert(live_conferences), [_row(node, one) for one in conferences])


def _row(node: str, one: LiveConference) -> dict[str, str]:
    told = {"talking": sorted(one.talking), "conference": conference_to_json(one.conference)}
    return {
        "id": one.conference.id,
        "node": node,
        "started": _text(one.conference.started),
        "seen": _text(one.seen),
        "told": json.dumps(told),
    }


def _all(db: Connection, since: datetime) -> Sequence[LiveConference]:
    asked = select(live_conferences).where(live_conferences.c.seen >= _text(since))
    found = db.execute(asked.order_by(live_conferences.c.started, live_conferences.c.id)).all()
    return [_live(row.node, row.seen, json.loads(row.told)) for row in found]


def _live(node: str, seen: str, told: dict[str, object]) -> LiveConference:
    """Raises ValueError, KeyError, TypeError for one that another version has written."""
    conference = conference_from_json(str(told["conference"]))
    talking = told["talking"]
    numbers = frozenset(int(one) for one in talking) if isinstance(talking, list) else frozenset()
    return LiveConference(conference, node, datetime.fromisoformat(seen), numbers)


def _take_orders(db: Connection, node: str, since: datetime) -> Sequence[RoomOrder]:
    asked = select(conference_orders).where(conference_orders.c.node == node)
    found = db.execute(asked.order_by(conference_orders.c.place)).all()
    if found:
        places = [row.place for row in found]
        db.execute(delete(conference_orders).where(conference_orders.c.place.in_(places)))
    return [
        RoomOrder(row.conference_id, Verb(row.verb), row.party, row.by)
        for row in found
        if row.at >= _text(since)
    ]


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _unavailable(error: Exception) -> Exception:
    match error:
        case SQLAlchemyError():
            return ConferencesUnavailable(f"The database of conferences: {reason_of(error)}")
        case OSError() | ValueError() | KeyError() | TypeError():
            return ConferencesUnavailable(f"The database of conferences: {error}")
    return error
