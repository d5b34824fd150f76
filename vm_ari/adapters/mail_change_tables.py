"""The table of open changes of mail addresses. Blocking; raises `SQLAlchemyError`.

Times are seconds since 1970. A row stays after its change, until the user may be sent new codes.
"""

from collections.abc import Sequence
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
    case,
    delete,
    insert,
    or_,
    select,
    update,
)

from vm_ari.adapters.database_schema import creating
from vm_ari.domain.entries import address_key
from vm_ari.domain.mail_changes import CODES_WITHIN, MOST_CODES, TRIES, MailChange

_tables = MetaData()

changes = Table(
    "portal_mail_changes",
    _tables,
    Column("user_id", String, primary_key=True),
    Column("old", String, nullable=False),
    Column("new", String, nullable=False),
    Column("proof", String, nullable=False),
    Column("ends", Float, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("first_code", Float, nullable=False),
    Column("codes", Integer, nullable=False),
    Column("marked", Float),
    Column("claimed", String, unique=True),
)
"""*proof* is empty when nothing is open; *codes* were sent since *first_code*. *claimed* is the new
address of a marked change, as addresses are compared: two that are about to be made differ."""

create_tables = creating(_tables)

_CLOSED = {"old": "", "new": "", "proof": "", "ends": 0.0, "marked": None, "claimed": None}


def begin(db: Connection, one: MailChange, now: datetime) -> bool:
    """False: the user was sent too many codes. Raises `IntegrityError` when two come at once."""
    _forget_old(db, now)
    return _again(db, one, now) or _first(db, one, now) or _again(db, one, now)


def _again(db: Connection, one: MailChange, now: datetime) -> bool:
    """For a user who has a row already, and may be sent a code."""
    long_ago = changes.c.first_code <= _cutoff(now)
    again = update(changes).where(
        changes.c.user_id == one.user_id,
        changes.c.marked.is_(None),
        or_(long_ago, changes.c.codes < MOST_CODES),
    )
    counted = {
        "codes": case((long_ago, 1), else_=changes.c.codes + 1),
        "first_code": case((long_ago, now.timestamp()), else_=changes.c.first_code),
    }
    return db.execute(again.values(**_values(one), **counted, tries=0)).rowcount == 1


def _first(db: Connection, one: MailChange, now: datetime) -> bool:
    """False: there is a row already, perhaps only for a moment."""
    if db.execute(select(changes.c.user_id).where(changes.c.user_id == one.user_id)).first():
        return False
    first = {"user_id": one.user_id, "tries": 0, "codes": 1, "first_code": now.timestamp()}
    db.execute(insert(changes).values(**first, **_values(one)))
    return True


def _values(one: MailChange) -> dict[str, object]:
    return {"old": one.old, "new": one.new, "proof": one.proof, "ends": one.ends.timestamp()}


def open_in(db: Connection, user_id: str, now: datetime) -> MailChange | None:
    """The one that a code can still be typed for."""
    row = db.execute(select(changes).where(_is_open(user_id, now))).one_or_none()
    return _change(row) if row else None


def count_try(db: Connection, user_id: str, now: datetime) -> MailChange | None:
    """Counted and read in one statement: of many who come at once, no more get in."""
    tried = update(changes).where(_is_open(user_id, now)).values(tries=changes.c.tries + 1)
    row = db.execute(tried.returning(changes)).one_or_none()
    return _change(row) if row else None


def mark(db: Connection, one: MailChange, now: datetime) -> bool:
    """Raises `IntegrityError` where another change to that address is marked."""
    free = and_(_is(one), changes.c.marked.is_(None))
    values = {"marked": now.timestamp(), "claimed": address_key(one.new)}
    return db.execute(update(changes).where(free).values(**values)).rowcount == 1


def unmark(db: Connection, one: MailChange) -> None:
    """It is open again."""
    db.execute(update(changes).where(_is(one)).values(marked=None, claimed=None))


def marked_in(db: Connection, before: datetime) -> Sequence[MailChange]:
    """Those that were marked by then."""
    asked = select(changes).where(changes.c.marked <= before.timestamp())
    return [_change(row) for row in db.execute(asked)]


def end(db: Connection, one: MailChange) -> None:
    """The codes are still counted."""
    db.execute(update(changes).where(_is(one)).values(**_CLOSED))


def _forget_old(db: Connection, now: datetime) -> None:
    over = and_(changes.c.ends <= now.timestamp(), changes.c.marked.is_(None))
    db.execute(delete(changes).where(over, changes.c.first_code <= _cutoff(now)))


def _cutoff(now: datetime) -> float:
    return (now - CODES_WITHIN).timestamp()


def _is(one: MailChange) -> ColumnElement[bool]:
    return and_(changes.c.user_id == one.user_id, changes.c.proof == one.proof)


def _is_open(user_id: str, now: datetime) -> ColumnElement[bool]:
    return and_(
        changes.c.user_id == user_id,
        changes.c.proof != "",
        changes.c.marked.is_(None),
        changes.c.tries < TRIES,
        changes.c.ends > now.timestamp(),
    )


def _change(row: Row[tuple[object, ...]]) -> MailChange:
    return MailChange(
        user_id=row.user_id,
        old=row.old,
        new=row.new,
        proof=row.proof,
        ends=datetime.fromtimestamp(row.ends, UTC),
        tries=row.tries,
    )
