"""The tables of the portal: sessions, passwords of the embedded directory, one-time links.

Blocking; raises `SQLAlchemyError`. Times are seconds since 1970, in UTC.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import (
    Column,
    Connection,
    Float,
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
from vm_ari.domain.portal_sessions import Method, Session

_tables = MetaData()

sessions = Table(
    "portal_sessions",
    _tables,
    Column("key", String, primary_key=True),
    Column("user_id", String, nullable=False, index=True),
    Column("method", String, nullable=False),
    Column("began", Float, nullable=False),
    Column("used", Float, nullable=False),
    Column("confirmed", Float, nullable=False),
    Column("said", String, nullable=False),
)
passwords = Table(
    "portal_passwords",
    _tables,
    Column("user_id", String, primary_key=True),
    Column("hash", String, nullable=False),
    Column("changed", Float, nullable=False),
)
links = Table(
    "portal_links",
    _tables,
    Column("key", String, primary_key=True),
    Column("user_id", String, nullable=False),
    Column("ends", Float, nullable=False),
)


create_tables = creating(_tables)


def add_session(db: Connection, session: Session) -> None:
    """A new one."""
    db.execute(insert(sessions).values(key=session.key, **_columns(session)))


def session_in(db: Connection, key: str) -> Session | None:
    """The one of that key."""
    row = db.execute(select(sessions).where(sessions.c.key == key)).one_or_none()
    return _session(row) if row else None


def change_session(db: Connection, session: Session) -> None:
    """Nothing happens where it has ended."""
    db.execute(update(sessions).where(sessions.c.key == session.key).values(_columns(session)))


def end_session(db: Connection, key: str) -> None:
    """The one of that key."""
    db.execute(delete(sessions).where(sessions.c.key == key))


def end_sessions(db: Connection, user_id: str, but: Sequence[str]) -> None:
    """All of a user."""
    db.execute(
        delete(sessions).where(and_(sessions.c.user_id == user_id, sessions.c.key.not_in(but)))
    )


def sweep(db: Connection, began_before: datetime, now: datetime) -> None:
    """What is over."""
    db.execute(delete(sessions).where(sessions.c.began < began_before.timestamp()))
    db.execute(delete(links).where(links.c.ends < now.timestamp()))


def hash_of(db: Connection, user_id: str) -> str:
    """Of the user's password; empty where there is none."""
    asked = select(passwords.c.hash).where(passwords.c.user_id == user_id)
    return db.execute(asked).scalar_one_or_none() or ""


def set_hash(db: Connection, user_id: str, text: str, now: datetime) -> None:
    """In place of an earlier one; empty: there is none any more."""
    db.execute(delete(passwords).where(passwords.c.user_id == user_id))
    if text:
        row = {"user_id": user_id, "hash": text, "changed": now.timestamp()}
        db.execute(insert(passwords).values(row))


def add_link(db: Connection, key: str, user_id: str, ends: datetime) -> None:
    """A user has one at most."""
    db.execute(delete(links).where(links.c.user_id == user_id))
    db.execute(insert(links).values(key=key, user_id=user_id, ends=ends.timestamp()))


def link_in(db: Connection, key: str, now: datetime) -> str:
    """Whose link it is; empty where it is nobody's or over."""
    asked = select(links.c.user_id).where(and_(links.c.key == key, links.c.ends > now.timestamp()))
    return db.execute(asked).scalar_one_or_none() or ""


def use_link(db: Connection, key: str, now: datetime) -> str:
    """As `link_in`, and it is used up: of two who come at once, one gets nothing."""
    still = and_(links.c.key == key, links.c.ends > now.timestamp())
    gone = delete(links).where(still).returning(links.c.user_id)
    return db.execute(gone).scalar_one_or_none() or ""


def _columns(session: Session) -> dict[str, object]:
    return {
        "user_id": session.user_id,
        "method": session.method.value,
        "began": session.began.timestamp(),
        "used": session.used.timestamp(),
        "confirmed": session.confirmed.timestamp(),
        "said": session.said,
    }


def _session(row: Row[tuple[object, ...]]) -> Session:
    return Session(
        key=row.key,
        user_id=row.user_id,
        method=Method(row.method),
        began=_time(row.began),
        used=_time(row.used),
        confirmed=_time(row.confirmed),
        said=row.said,
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
