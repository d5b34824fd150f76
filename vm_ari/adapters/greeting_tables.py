"""The tables of greetings that several nodes share, and what is asked of them. Blocking.

Raises `SQLAlchemyError`, `BadIndex`.
"""

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    Float,
    LargeBinary,
    MetaData,
    String,
    Table,
    and_,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from vm_ari.adapters.audio_intake import Sound
from vm_ari.adapters.database_schema import create_missing
from vm_ari.adapters.greeting_index import BadIndex, Index, Record, record_of, time_text
from vm_ari.adapters.greeting_tree import owner_name
from vm_ari.domain.greeting_ends import GreetingEnd
from vm_ari.domain.greetings import SITE, GlobalMode, GreetingKey

_tables = MetaData()

greetings = Table(
    "greetings",
    _tables,
    Column("owner", String, primary_key=True),
    Column("slot", String, primary_key=True),
    Column("language", String, primary_key=True),
    Column("generation", String, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("recorded", String, nullable=False),
    Column("source", String, nullable=False),
    Column("expires", String),
    Column("wav", LargeBinary, nullable=False),
    Column("wav16", LargeBinary, nullable=False),
)
"""*owner* as `greeting_tree.owner_name` spells it: not every database takes every id. Times as ISO
8601 in UTC; a new recording has a new *generation*."""

greeting_state = Table(
    "greeting_state",
    _tables,
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
)
_MODE = "global-mode"
_DESCRIPTION = [column for column in greetings.c if not isinstance(column.type, LargeBinary)]


class Unreachable(SQLAlchemyError):
    """There is no connection: to try at once again would only make callers wait."""


def create_tables(engine: Engine) -> None:
    """Unless they exist. Raises `SQLAlchemyError`, `Unreachable`."""
    try:
        connection = engine.connect()
    except OperationalError as error:
        raise Unreachable(str(error.orig)) from error
    with connection as db, db.begin():
        create_missing(db, _tables)


def index_of(db: Connection, owner: str) -> Index:
    """What an owner has, without the audio."""
    his = greetings.c.owner == owner_name(owner)
    rows = db.execute(select(*_DESCRIPTION).where(his)).mappings()
    try:
        records = sorted((record_of(dict(row)) for row in rows), key=lambda r: (r.slot, r.language))
        mode = _mode(db) if owner == SITE else GlobalMode.OFF
    except (ValueError, KeyError, TypeError) as error:
        raise BadIndex(f"the table of greetings is damaged at owner {owner!r}: {error}") from None
    return Index(owner, tuple(records), mode)


def _mode(db: Connection) -> GlobalMode:
    asked = select(greeting_state.c.value).where(greeting_state.c.name == _MODE)
    return GlobalMode(db.execute(asked).scalar_one_or_none() or GlobalMode.OFF)


def sound_of(db: Connection, owner: str, record: Record) -> Sound | None:
    """The audio of a generation; None if there is a newer one by now."""
    asked = select(greetings.c.wav, greetings.c.wav16).where(
        _names(record.key(owner)), greetings.c.generation == record.generation
    )
    row = db.execute(asked).one_or_none()
    return Sound(record.seconds, row.wav, row.wav16) if row else None


def put(db: Connection, owner: str, record: Record, sound: Sound) -> None:
    """In place of an older one. Raises `IntegrityError` when another node does so just now."""
    db.execute(delete(greetings).where(_names(record.key(owner))))
    values = {
        "owner": owner_name(owner),
        "slot": record.slot.value,
        "language": record.language,
        "generation": record.generation,
        "seconds": record.seconds,
        "recorded": time_text(record.recorded),
        "source": record.source.value,
        "expires": record.expires and time_text(record.expires),
        "wav": sound.wav,
        "wav16": sound.wav16,
    }
    db.execute(insert(greetings).values(values))


def set_expiry(db: Connection, key: GreetingKey, expires: str | None) -> None:
    """Let it end then."""
    db.execute(update(greetings).where(_names(key)).values(expires=expires))


def ending(
    db: Connection, owners: Collection[str], after: datetime, until: datetime
) -> list[GreetingEnd]:
    """What of these owners ends then; a row that cannot be understood does not."""
    asked = select(*_DESCRIPTION).where(greetings.c.expires.is_not(None))
    rows = [dict(row) for row in db.execute(asked).mappings()]
    names = {owner_name(owner): owner for owner in owners} if rows else {}
    found = []
    for row in rows:
        with suppress(ValueError, KeyError, TypeError):
            record, owner = record_of(row), names[row["owner"]]
            if record.expires and after < record.expires <= until:
                found.append(GreetingEnd(record.key(owner), record.expires))
    return found


def remove(db: Connection, key: GreetingKey) -> bool:
    """Was there one?"""
    return db.execute(delete(greetings).where(_names(key))).rowcount > 0


def remove_all(db: Connection, owner: str) -> int:
    """How many there were."""
    return db.execute(delete(greetings).where(greetings.c.owner == owner_name(owner))).rowcount


def set_mode(db: Connection, mode: GlobalMode) -> None:
    """As `put`."""
    db.execute(delete(greeting_state).where(greeting_state.c.name == _MODE))
    db.execute(insert(greeting_state).values(name=_MODE, value=mode.value))


def _names(key: GreetingKey) -> ColumnElement[bool]:
    return and_(
        greetings.c.owner == owner_name(key.owner),
        greetings.c.slot == key.slot.value,
        greetings.c.language == key.language,
    )
