"""The table of invitations. Blocking; raises `SQLAlchemyError`. Times are seconds since 1970."""

from datetime import UTC, datetime

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Float,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    and_,
    delete,
    insert,
    select,
    update,
)

from vm_ari.adapters.database_schema import creating
from vm_ari.domain.invitations import MOST_CALLS, MOST_WRONG, Invitation

_tables = MetaData()

invitations = Table(
    "portal_invitations",
    _tables,
    Column("key", String, primary_key=True),
    Column("proof", String, nullable=False),
    Column("address", String, nullable=False),
    Column("language", String, nullable=False),
    Column("ends", Float, nullable=False, index=True),
    Column("visit", String, nullable=False, index=True),
    Column("wrong", Integer, nullable=False),
    Column("calls", Integer, nullable=False),
)


create_tables = creating(_tables)


def add(db: Connection, one: Invitation, now: datetime) -> None:
    """Those that are over go."""
    db.execute(delete(invitations).where(invitations.c.ends <= now.timestamp()))
    row = {
        "key": one.key,
        "proof": one.proof,
        "address": one.address,
        "language": one.language,
        "ends": one.ends.timestamp(),
        "visit": one.visit,
    }
    db.execute(insert(invitations).values(**row, wrong=0, calls=0))


def waiting_in(db: Connection, key: str, now: datetime) -> Invitation | None:
    """One that can still be opened."""
    row = db.execute(select(invitations).where(_can_be_opened(key, now))).one_or_none()
    return _invitation(row) if row else None


def begin_visit(
    db: Connection, key: str, proof: str, visit: str, now: datetime, ends: datetime
) -> bool:
    """Of two who come at once, one gets in; what is wrong is counted in the same statement."""
    right = and_(_can_be_opened(key, now), invitations.c.proof == proof)
    opened = update(invitations).where(right).values(visit=visit, ends=ends.timestamp())
    if db.execute(opened).rowcount == 1:
        return True
    wrong = invitations.c.wrong + 1
    db.execute(update(invitations).where(_can_be_opened(key, now)).values(wrong=wrong))
    return False


def visited_in(db: Connection, visit: str, now: datetime) -> Invitation | None:
    """The one that was opened by that visit."""
    there = and_(invitations.c.visit == visit, invitations.c.ends > now.timestamp())
    row = db.execute(select(invitations).where(there)).one_or_none()
    return _invitation(row) if row else None


def count_call(db: Connection, visit: str) -> bool:
    """False: there were enough."""
    left = and_(invitations.c.visit == visit, invitations.c.calls < MOST_CALLS)
    more = update(invitations).where(left).values(calls=invitations.c.calls + 1)
    return db.execute(more).rowcount == 1


def end(db: Connection, key: str) -> None:
    """Forget it."""
    db.execute(delete(invitations).where(invitations.c.key == key))


def _can_be_opened(key: str, now: datetime) -> ColumnElement[bool]:
    return and_(
        invitations.c.key == key,
        invitations.c.visit == "",
        invitations.c.wrong < MOST_WRONG,
        invitations.c.ends > now.timestamp(),
    )


def _invitation(row: Row[tuple[object, ...]]) -> Invitation:
    return Invitation(
        key=row.key,
        proof=row.proof,
        address=row.address,
        language=row.language,
        ends=datetime.fromtimestamp(row.ends, UTC),
        visit=row.visit,
    )
