"""The tables of what is remembered of notices, and what is asked of them. Blocking.

Raises `SQLAlchemyError`.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from vm_ari.adapters.database_schema import creating
from vm_ari.domain.messages import Counts
from vm_ari.domain.notifications import Announcement, Channel, State, Tally, Topic

_tables = MetaData()

states = Table(
    "notification_states",
    _tables,
    Column("user_id", String, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("changed", Integer, nullable=False),
    Column("topics", String, nullable=False),
)
"""*topics* is JSON; *version* is compared before a row is changed; *changed* grows with each change
that was not a count."""

announcements = Table(
    "notification_announcements",
    _tables,
    Column("id", String, primary_key=True),
    Column("user_id", String, nullable=False),
    Column("node", String, nullable=False),
    Column("at", String, nullable=False),
    Column("counts", String, nullable=False),
    Column("due", String, nullable=False),
)
"""*at* as ISO 8601 in UTC, whole seconds; *counts* and *due* as JSON."""

Decide = Callable[[State | None], tuple[State, Announcement | None]]


class Stale(Exception):
    """Somebody else has changed what was read; read again."""


create_tables = creating(_tables)


def note(db: Connection, user_id: str, decide: Decide) -> State:
    """Compare and swap a row. Raises `Stale`, `IntegrityError` for two first ones."""
    row = db.execute(select(states).where(states.c.user_id == user_id)).one_or_none()
    before = _readable(row.topics) if row else None
    state, announcement = decide(before)
    if state == before and announcement is None:
        return state
    if row is None:
        first = {"user_id": user_id, "version": 1, "changed": 0, "topics": _topics(state)}
        db.execute(insert(states).values(first))
    else:
        _swap(db, user_id, row.version, {"topics": _topics(state)})
    if announcement:
        db.execute(insert(announcements).values(_row(announcement)))
    return state


def change(db: Connection, how: Callable[[Tally], Tally], user_ids: Sequence[str]) -> int:
    """Change these rows; how many there were. Raises `Stale`."""
    mark = _mark(db) + 1
    rows = db.execute(select(states).where(states.c.user_id.in_(user_ids))).all()
    for row in rows:
        changed = {t: how(tally) for t, tally in (_readable(row.topics) or {}).items()}
        _swap(db, row.user_id, row.version, {"topics": _topics(changed), "changed": mark})
    return len(rows)


def state_of(db: Connection, user_id: str) -> State | None:
    """What is remembered of that mailbox; None: nothing, or nothing that can be understood."""
    asked = select(states.c.topics).where(states.c.user_id == user_id)
    text = db.execute(asked).scalar_one_or_none()
    return None if text is None else _readable(text)


def all_ids(db: Connection) -> Sequence[str]:
    """Of whom something is remembered."""
    return db.execute(select(states.c.user_id).order_by(states.c.user_id)).scalars().all()


def changed_since(db: Connection, mark: int) -> tuple[int, Sequence[str]]:
    """The mark of now, and who was changed after *mark*."""
    asked = select(states.c.user_id).where(states.c.changed > mark).order_by(states.c.user_id)
    now = _mark(db)
    return now, db.execute(asked).scalars().all() if now > mark else ()


def taken(db: Connection, announcement_id: str, channel: Channel) -> None:
    """Raises `Stale`."""
    this = announcements.c.id == announcement_id
    text = db.execute(select(announcements.c.due).where(this)).scalar_one_or_none()
    if text is None:
        return
    left = {name: topics for name, topics in json.loads(text).items() if name != channel}
    same = announcements.c.due == text
    if left:
        statement = update(announcements).where(this, same).values(due=json.dumps(left))
        done = db.execute(statement)
    else:
        done = db.execute(delete(announcements).where(this, same))
    if done.rowcount != 1:
        raise Stale


def unfinished(db: Connection, node: str, before: datetime) -> Sequence[Announcement]:
    """The oldest first."""
    asked = select(announcements).where(
        or_(announcements.c.node == node, announcements.c.at < _moment(before))
    )
    return [_announcement(row) for row in db.execute(asked.order_by(announcements.c.at))]


def _swap(db: Connection, user_id: str, version: int, values: Mapping[str, object]) -> None:
    same = update(states).where(states.c.user_id == user_id, states.c.version == version)
    if db.execute(same.values(version=version + 1, **values)).rowcount != 1:
        raise Stale


def _mark(db: Connection) -> int:
    return int(db.execute(select(func.max(states.c.changed))).scalar_one() or 0)


def _topics(state: State) -> str:
    return json.dumps({topic.value: asdict(tally) for topic, tally in state.items()})


def _readable(text: str) -> State | None:
    """None for what cannot be understood: then the mailbox is looked at as if for the first time,
    which announces nothing wrong.
    """
    try:
        return {Topic(topic): Tally(**tally) for topic, tally in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError):
        return None


def _row(announcement: Announcement) -> dict[str, str]:
    return {
        "id": announcement.id,
        "user_id": announcement.user_id,
        "node": announcement.node,
        "at": _moment(announcement.at),
        "counts": json.dumps(asdict(announcement.counts)),
        "due": json.dumps(announcement.due),
    }


def _announcement(row: Any) -> Announcement:
    due = {
        Channel(channel): {Topic(topic): number for topic, number in topics.items()}
        for channel, topics in json.loads(row.due).items()
    }
    at, counts = datetime.fromisoformat(row.at), Counts(**json.loads(row.counts))
    return Announcement(row.id, row.user_id, row.node, at, counts, due)


def _moment(at: datetime) -> str:
    """Texts that sort as the moments do."""
    return at.astimezone(UTC).isoformat(timespec="seconds")
