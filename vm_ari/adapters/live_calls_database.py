"""The calls of all controllers in a database that they share, for portal and commands (WEB-02).

Nothing here has to outlive a power cut, and nothing here is needed by a call. What a controller
wrote is removed when it starts, when it stops, and a day after it was heard of last.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Index,
    MetaData,
    String,
    Table,
    delete,
    insert,
    select,
)
from sqlalchemy.exc import SQLAlchemyError

from vm_ari.adapters.database_schema import Database, creating
from vm_ari.adapters.database_work import DatabaseWork, reason_of
from vm_ari.domain.callers import Caller
from vm_ari.domain.live_calls import Doing, LiveCall, Node
from vm_ari.ports import LiveCallsUnavailable

CONNECTIONS = 1
FORGOTTEN = timedelta(days=1)
"""So long after it was heard of last a controller is not even listed as dead."""
_tables = MetaData()

live_nodes = Table(
    "live_nodes",
    _tables,
    Column("name", String, primary_key=True),
    Column("seen", String, nullable=False),
    Column("since", String, nullable=False),
    Column("version", String, nullable=False),
    Column("telephony", String, nullable=False),
)
live_calls = Table(
    "live_calls",
    _tables,
    Column("id", String, primary_key=True),
    Column("node", String, nullable=False),
    Column("since", String, nullable=False),
    Column("told", String, nullable=False),
    Index("live_calls_of_node", "node", "since"),
)
"""*told* is everything else as JSON."""
live_orders = Table(
    "live_orders",
    _tables,
    Column("call_id", String, primary_key=True),
    Column("node", String, nullable=False),
    Column("by", String, nullable=False),
    Column("at", String, nullable=False),
)
"""Times are ISO 8601 in UTC, of one length, so that they sort."""


class DatabaseLiveCalls:
    """`services.live_calls.LiveCallsStore` on SQLite or PostgreSQL; *url* is SQLAlchemy's."""

    def __init__(self, url: str) -> None:
        database = Database(url, connections=CONNECTIONS, prepare=creating(_tables))
        self._work = DatabaseWork(database, CONNECTIONS, "live-calls", _unavailable)

    async def begin(self, node: Node) -> None:
        """See `LiveCallsStore`."""
        await self._work.do(lambda db: _begin(db, node))

    async def write(self, node: Node, changed: Sequence[LiveCall], over: Collection[str]) -> None:
        """See `LiveCallsStore`."""
        await self._work.do(lambda db: _write(db, node, changed, over))

    async def take_orders(self, node: str, since: datetime) -> Mapping[str, str]:
        """See `LiveCallsStore`."""
        return await self._work.do(lambda db: _take_orders(db, node, since))

    async def leave(self, node: str) -> None:
        """See `LiveCallsStore`."""
        await self._work.do(lambda db: _remove(db, node))

    async def nodes(self) -> Sequence[Node]:
        """See `LiveCallsStore`."""
        asked = select(live_nodes).order_by(live_nodes.c.name)
        return await self._work.do(lambda db: [_node(row) for row in db.execute(asked).mappings()])

    async def calls(self, nodes: Collection[str]) -> Sequence[LiveCall]:
        """See `LiveCallsStore`."""
        asked = select(live_calls).where(live_calls.c.node.in_(nodes))
        asked = asked.order_by(live_calls.c.since, live_calls.c.id)
        return await self._work.do(lambda db: [_call(row) for row in db.execute(asked).mappings()])

    async def order_end(self, call: LiveCall, by: str, at: datetime) -> None:
        """See `LiveCallsStore`."""
        await self._work.do(lambda db: _order(db, call, by, at))

    async def close(self) -> None:
        """Let running work end."""
        await self._work.close()


def _begin(db: Connection, node: Node) -> None:
    """Also forgets controllers that nobody has heard of for long."""
    old = select(live_nodes.c.name).where(live_nodes.c.seen < _text(node.seen - FORGOTTEN))
    for name in [node.name, *db.execute(old).scalars()]:
        _remove(db, name)
    db.execute(insert(live_nodes).values(_node_row(node)))


def _write(db: Connection, node: Node, changed: Sequence[LiveCall], over: Collection[str]) -> None:
    gone = [*over, *(one.id for one in changed)]
    if gone:
        db.execute(delete(live_calls).where(live_calls.c.id.in_(gone)))
    if changed:
        db.execute(insert(live_calls), [_call_row(one) for one in changed])
    db.execute(delete(live_nodes).where(live_nodes.c.name == node.name))
    db.execute(insert(live_nodes).values(_node_row(node)))


def _take_orders(db: Connection, node: str, since: datetime) -> Mapping[str, str]:
    asked = select(live_orders).where(live_orders.c.node == node)
    found = db.execute(asked).all()
    if found:
        db.execute(delete(live_orders).where(live_orders.c.node == node))
    return {row.call_id: row.by for row in found if row.at >= _text(since)}


def _order(db: Connection, call: LiveCall, by: str, at: datetime) -> None:
    db.execute(delete(live_orders).where(live_orders.c.call_id == call.id))
    values = {"call_id": call.id, "node": call.node, "by": by, "at": _text(at)}
    db.execute(insert(live_orders).values(values))


def _remove(db: Connection, node: str) -> None:
    db.execute(delete(live_calls).where(live_calls.c.node == node))
    db.execute(delete(live_orders).where(live_orders.c.node == node))
    db.execute(delete(live_nodes).where(live_nodes.c.name == node))


def _node_row(node: Node) -> dict[str, str]:
    return {
        "name": node.name,
        "seen": _text(node.seen),
        "since": _text(node.since),
        "version": node.version,
        "telephony": node.telephony,
    }


def _node(row: Mapping[Any, Any]) -> Node:
    seen, since = datetime.fromisoformat(row["seen"]), datetime.fromisoformat(row["since"])
    return Node(row["name"], seen, since, row["version"], row["telephony"])


def _call_row(call: LiveCall) -> dict[str, str]:
    told = {
        "channel": call.channel,
        "doing": call.doing.value,
        "caller": [call.caller.number, call.caller.name],
        "withheld": call.withheld,
        "called": call.called,
        "user_id": call.user_id,
        "greeting": call.greeting,
        "profile": call.profile,
        "why": call.why,
        "towards": call.towards,
    }
    text = json.dumps(told)  # plain ASCII: whatever a caller's name holds can be stored
    return {"id": call.id, "node": call.node, "since": _text(call.since), "told": text}


def _call(row: Mapping[Any, Any]) -> LiveCall:
    """Raises ValueError, KeyError, TypeError for one that another version has written."""
    told = json.loads(row["told"])
    caller, doing = Caller(*told.pop("caller")), Doing(told.pop("doing"))
    since = datetime.fromisoformat(row["since"])
    return LiveCall(id=row["id"], node=row["node"], since=since, caller=caller, doing=doing, **told)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _unavailable(error: Exception) -> Exception:
    match error:
        case SQLAlchemyError():
            return LiveCallsUnavailable(f"The database of calls that go on: {reason_of(error)}")
        case OSError() | ValueError() | KeyError() | TypeError():
            return LiveCallsUnavailable(f"The database of calls that go on: {error}")
    return error
