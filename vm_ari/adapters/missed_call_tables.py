"""The tables of calls that rang phones, and what is asked of them. Blocking.

Raises `SQLAlchemyError`. Times are ISO 8601 in UTC, all of the same length, so that they sort.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Index,
    Integer,
    MetaData,
    Row,
    Select,
    String,
    Table,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from vm_ari.adapters.database_schema import creating
from vm_ari.domain.callers import Caller
from vm_ari.domain.messages import CallFacts
from vm_ari.domain.missed_call_records import Case, Fate, Record, key_of
from vm_ari.domain.missed_calls import Outcome
from vm_ari.domain.ringing import Ring, RungCall

log = structlog.get_logger("vm_ari.missed_calls")

AROUND_A_CALL = timedelta(seconds=10)
"""A message of the same caller that was begun so near to a call belongs to it."""
RUNG_BEFORE = timedelta(minutes=5)
"""So long before a mailbox was reached a call may have begun that another channel brought there."""
SWEPT_AT_ONCE = 500
MOST_FATES = 5_000
"""Of the users who are asked for, so many of the newest are looked at."""
_tables = MetaData()

calls = Table(
    "rung_calls",
    _tables,
    Column("key", String, primary_key=True),
    Column("id", String, nullable=False),
    Column("began", String, nullable=False),
    Column("call", String, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("due", String, nullable=False),
    Column("tries", Integer, nullable=False),
    Index("rung_calls_due", "open", "due"),
    Index("rung_calls_began", "began"),
    Index("rung_calls_id", "id"),
)
"""*call* is the whole call as JSON; an *open* one is looked at when it is *due*: who looks moves
that on first, so nobody else does."""

fates = Table(
    "rung_call_users",
    _tables,
    Column("key", String, primary_key=True),
    Column("user_id", String, primary_key=True),
    Column("outcome", String, nullable=False),
    Column("caller", String, nullable=False),
    Column("began", String, nullable=False),
    Index("rung_call_users_repeats", "user_id", "caller", "outcome", "began"),
    Index("rung_call_users_began", "user_id", "began"),
)

messages = Table(
    "rung_call_messages",
    _tables,
    Column("id", String, primary_key=True),
    Column("channel_id", String, nullable=False, index=True),
    Column("user_id", String, nullable=False),
    Column("caller", String, nullable=False),
    Column("started", String, nullable=False, index=True),
)
"""Voice messages that callers have left lately."""

logins = Table(
    "rung_call_logins",
    _tables,
    Column("user_id", String, primary_key=True),
    Column("at", String, nullable=False),
)
"""When users were signed in last."""


create_tables = creating(_tables)


def remember(db: Connection, call: RungCall, due: datetime) -> None:
    """A new one. Raises `IntegrityError` for one that is known."""
    values = {
        "key": key_of(call),
        "id": call.id,
        "began": time_text(call.began),
        "call": call_text(call),
        "open": True,
        "due": time_text(due),
        "tries": 0,
    }
    db.execute(insert(calls).values(values))


def take(db: Connection, now: datetime, until: datetime, most: int) -> list[Case]:
    """Those that are due, for the one who asks; again at *until*, should he die."""
    due = select(calls).where(calls.c.open.is_(True), calls.c.due <= time_text(now))
    rows = db.execute(due.order_by(calls.c.due).limit(most)).all()
    return [case for row in rows if (case := _claimed(db, row, until)) is not None]


def _claimed(db: Connection, row: Row[Any], until: datetime) -> Case | None:
    same = and_(calls.c.key == row.key, calls.c.due == row.due, calls.c.open.is_(True))
    claim = update(calls).where(same).values(due=time_text(until), tries=row.tries + 1)
    if db.execute(claim).rowcount != 1:
        return None
    call = _call(row)
    if call is None:
        finish(db, row.key, "", row.began, ())
        return None
    return Case(row.key, call, row.tries + 1)


def postpone(db: Connection, key: str, due: datetime) -> None:
    """Look at it again then."""
    db.execute(update(calls).where(calls.c.key == key).values(due=time_text(due)))


def finish(db: Connection, key: str, caller: str, began: str, found: Sequence[Fate]) -> None:
    """It is decided."""
    db.execute(delete(fates).where(fates.c.key == key))
    if found:
        same = {"key": key, "caller": caller, "began": began}
        rows = [same | {"user_id": one.user_id, "outcome": one.outcome.value} for one in found]
        db.execute(insert(fates), rows)
    db.execute(update(calls).where(calls.c.key == key).values(open=False))


def last_told(db: Connection, caller: str, user_ids: Collection[str]) -> dict[str, datetime]:
    """When the calls of that caller began of which these users were told last."""
    asked = (
        select(fates.c.user_id, func.max(fates.c.began))
        .where(
            fates.c.user_id.in_(user_ids),
            fates.c.caller == caller,
            fates.c.outcome == Outcome.TOLD.value,
        )
        .group_by(fates.c.user_id)
    )
    return {user_id: read_time(began) for user_id, began in db.execute(asked)}


def note_login(db: Connection, user_id: str, at: datetime) -> None:
    """The user is signed in. Raises `IntegrityError` when another node notes the first one."""
    seen = update(logins).where(logins.c.user_id == user_id).values(at=time_text(at))
    if db.execute(seen).rowcount == 0:
        db.execute(insert(logins).values(user_id=user_id, at=time_text(at)))


def last_logins(db: Connection, user_ids: Collection[str]) -> dict[str, datetime]:
    """When they were signed in last; who never was is left out."""
    asked = select(logins.c.user_id, logins.c.at).where(logins.c.user_id.in_(user_ids))
    return {user_id: read_time(at) for user_id, at in db.execute(asked)}


def note_message(db: Connection, facts: CallFacts, user_id: str) -> None:
    """A voice message was left. Raises `IntegrityError` for one that is known."""
    values = {
        "id": facts.id,
        "channel_id": facts.channel_id,
        "user_id": user_id,
        "caller": facts.caller.number,
        "started": time_text(facts.started),
    }
    db.execute(insert(messages).values(values))


def message_for(db: Connection, call: RungCall) -> frozenset[str]:
    """For whom the caller has left one: on the call's own channel, or on one that it made."""
    near = messages.c.started.between(
        time_text(call.began - AROUND_A_CALL), time_text(call.ended + AROUND_A_CALL)
    )
    number = call.caller.number
    same_caller = and_(near, messages.c.caller == number) if number else None
    here = messages.c.channel_id == call.id.partition("/")[0]  # what follows is a later part
    asked = select(messages.c.user_id).where(
        here if same_caller is None else or_(here, same_caller)
    )
    return frozenset(db.execute(asked).scalars())


def calls_before(db: Connection, call: RungCall) -> list[RungCall]:
    """Those that may be the same call: of the same channel, or begun shortly before its end."""
    channel = call.id.partition("/")[0]
    near = calls.c.began.between(time_text(call.began - RUNG_BEFORE), time_text(call.ended))
    parts = calls.c.id.startswith(f"{channel}/", autoescape=True)
    rows = db.execute(select(calls).where(or_(calls.c.id == channel, parts, near))).all()
    return [found for row in rows if (found := _call(row)) is not None]


@dataclass(frozen=True)
class Wanted:
    """Which calls are looked up; an empty text and None ask for any."""

    call_id: str = ""
    user_ids: Collection[str] | None = None
    since: datetime | None = None
    before: datetime | None = None
    most: int = 1000


def records(db: Connection, wanted: Wanted) -> list[Record]:
    """The newest first."""
    rows = db.execute(_asked(wanted)).all()
    of_call: dict[str, list[Fate]] = {}
    for row in db.execute(select(fates).where(fates.c.key.in_([row.key for row in rows]))):
        of_call.setdefault(row.key, []).append(Fate(row.user_id, _outcome(row.outcome)))
    return [
        Record(row.key, call, tuple(of_call.get(row.key, ())), row.open)
        for row in rows
        if (call := _call(row)) is not None
    ]


def _asked(wanted: Wanted) -> Select[Any]:
    asked = select(calls).order_by(calls.c.began.desc(), calls.c.key).limit(wanted.most)
    if wanted.call_id:
        same = (calls.c.id == wanted.call_id, calls.c.key == wanted.call_id)
        asked = asked.where(or_(*same))
    if wanted.user_ids is not None:
        theirs = select(fates.c.key, fates.c.began).where(fates.c.user_id.in_(wanted.user_ids))
        newest = theirs.order_by(fates.c.began.desc()).limit(MOST_FATES)
        if wanted.before:
            newest = newest.where(fates.c.began < time_text(wanted.before))
        asked = asked.where(calls.c.key.in_(select(newest.subquery().c.key)))
    if wanted.since:
        asked = asked.where(calls.c.began >= time_text(wanted.since))
    if wanted.before:
        asked = asked.where(calls.c.began < time_text(wanted.before))
    return asked


def sweep(db: Connection, before: datetime) -> bool:
    """Forget some of what is older; is there perhaps more?"""
    old = select(calls.c.key).where(calls.c.began < time_text(before)).limit(SWEPT_AT_ONCE)
    keys = list(db.execute(old).scalars())
    db.execute(delete(fates).where(fates.c.key.in_(keys)))
    db.execute(delete(calls).where(calls.c.key.in_(keys)))
    if len(keys) == SWEPT_AT_ONCE:
        return True
    db.execute(delete(messages).where(messages.c.started < time_text(before)))
    return False


def time_text(time: datetime) -> str:
    """As it is stored."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def read_time(text: str) -> datetime:
    """Back again. Raises ValueError."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


def call_text(call: RungCall) -> str:
    """The call as JSON."""
    return json.dumps(
        {
            "id": call.id,
            "caller": [call.caller.number, call.caller.name],
            "called": call.called,
            "began": time_text(call.began),
            "ended": time_text(call.ended),
            "rings": list(_ring_records(call)),
            "answered_by": call.answered_by,
            "answered_at": call.answered_at and time_text(call.answered_at),
            "silent_for": call.silent_for,
        }
    )


def _ring_records(call: RungCall) -> Iterator[list[object]]:
    for ring in call.rings:
        yield [ring.number, time_text(ring.began), time_text(ring.ended), ring.answered]


def read_call(text: str) -> RungCall:
    """Back again. Raises ValueError, TypeError, KeyError."""
    told = json.loads(text)
    answered_at = told["answered_at"]
    return RungCall(
        id=told["id"],
        caller=Caller(*told["caller"]),
        called=told["called"],
        began=read_time(told["began"]),
        ended=read_time(told["ended"]),
        rings=tuple(
            Ring(number, read_time(began), read_time(ended), answered)
            for number, began, ended, answered in told["rings"]
        ),
        answered_by=told["answered_by"],
        answered_at=read_time(answered_at) if answered_at else None,
        silent_for=told.get("silent_for", ""),  # older ones have none
    )


def _call(row: Row[Any]) -> RungCall | None:
    """None for one that somebody has damaged."""
    try:
        return read_call(row.call)
    except (ValueError, TypeError, KeyError) as error:
        log.error("a call in the log cannot be read", key=row.key, why=type(error).__name__)
        return None


def _outcome(text: str) -> Outcome:
    """One of a newer version is shown as given up."""
    return Outcome(text) if text in set(Outcome) else Outcome.GIVEN_UP
