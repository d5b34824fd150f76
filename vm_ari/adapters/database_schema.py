"""The tables of the embedded directory, and how its database is opened."""

import errno
import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    func,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.schema import CreateColumn, CreateIndex, CreateTable

from vm_ari.adapters.database_file import leave_replaced_files, sqlite_path
from vm_ari.adapters.database_migration import migrate
from vm_ari.adapters.database_stamp import keep_stamp

SCHEMA = 2
"""Number of the table layout; a database with a higher one belongs to a newer vm_ari."""
BUSY_SECONDS = 5.0
"""How long SQLite waits for another process's transaction."""
_OPENING_TRIES = 20
_CREATING = 0x766D5F617269
"""PostgreSQL's advisory lock of a process that creates tables: "vm_ari" in ASCII."""

_tables = MetaData()

users = Table(
    "users",
    _tables,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("mailbox", String, nullable=False),
    Column("mail", String, nullable=False),
    Column("pin", String),
    Column("pin_failures", Integer, nullable=False, default=0),
    Column("given", String, nullable=False, server_default=""),
    Column("surname", String, nullable=False, server_default=""),
    Column("organisation", String, nullable=False, server_default=""),
    Column("mail_key", String),
    Column("texts", String, nullable=False, server_default=""),
    Index("one_user_per_address", "mail_key", unique=True),
    Index("users_by_organisation", "organisation", "id"),
)
"""*texts* holds the settings (`directory_text.OneString`); *pin* is sealed; *mail_key* is the
address as it is compared, or null where there is none."""

numbers = Table(
    "numbers",
    _tables,
    Column("number", String, primary_key=True),
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("position", Integer),
)
"""Every number has one owner. The mailbox is listed too (*position* null): it can be looked up."""

organisations = Table(
    "organisations",
    _tables,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("texts", String, nullable=False),
)
"""*texts* as those of users."""

state = Table(
    "state",
    _tables,
    Column("name", String, primary_key=True),
    Column("value", Integer, nullable=False),
)
_FIRST_STATE = {"schema": SCHEMA, "attempts_without_pin": 0}


class DatabaseTooNew(Exception):
    """The database was changed by a newer vm_ari."""


class Database:
    """An engine whose tables exist: made at the first use, so a start needs no database.

    *prepare* makes them; without it they are the directory's.
    """

    def __init__(
        self, url: str, connections: int, *, prepare: Callable[[Engine], None] | None = None
    ) -> None:
        self._create_tables = prepare or _create_tables
        self._sqlite = make_url(url).database if url.startswith("sqlite") else None
        waiting = {"timeout": BUSY_SECONDS} if self._sqlite else {}
        self.engine = create_engine(
            url,
            pool_size=connections,
            max_overflow=0,
            pool_pre_ping=not self._sqlite,
            hide_parameters=True,
            connect_args=waiting,
        )
        if self._sqlite:
            event.listen(self.engine, "connect", _make_durable)
        if file := sqlite_path(url):
            leave_replaced_files(self.engine, file)
        self._ready = False
        self._opening = threading.Lock()

    def open(self) -> Engine:
        """The engine. Raises `SQLAlchemyError`, `OSError`, `DatabaseTooNew`."""
        with self._opening:
            if not self._ready:
                self._prepare()
                self._ready = True
        return self.engine

    def _prepare(self) -> None:
        if self._sqlite:
            _create_private(Path(self._sqlite))
            _switch_to_wal(self.engine)
        for attempt in range(_OPENING_TRIES):
            try:
                return self._create_tables(self.engine)
            except IntegrityError:  # another process creates one of them just now
                time.sleep(random.uniform(0, 0.05))  # noqa: S311 - no secret
            except OperationalError:  # busy, or away: then others shall not wait for long
                if attempt:
                    raise
        return self._create_tables(self.engine)


def creating(tables: MetaData, later: Sequence[Column[Any]] = ()) -> Callable[[Engine], None]:
    """A *prepare* that makes these tables and their indices, unless they exist.

    *later*: columns that a table of an earlier vm_ari has not; each with what the database puts
    into the rows that are there. It raises `SQLAlchemyError` when another process does it just now.
    """

    def create(engine: Engine) -> None:
        with engine.begin() as db:
            create_missing(db, tables)
            _add_missing(db, later)
        _create_indices(engine, tables)

    return create


def _add_missing(db: Connection, columns: Sequence[Column[Any]]) -> None:
    """A controller of before, beside us, goes on writing rows without them."""
    for column in columns:
        there = {one["name"] for one in inspect(db).get_columns(column.table.name)}
        if column.name not in there:
            written = CreateColumn(column).compile(dialect=db.dialect)
            db.execute(text(f"ALTER TABLE {column.table.name} ADD COLUMN {written}"))


def create_missing(db: Connection, tables: MetaData) -> None:
    """Create these tables, unless they exist."""
    _create_alone(db)
    for table in tables.sorted_tables:
        db.execute(CreateTable(table, if_not_exists=True))


def _create_alone(db: Connection) -> None:
    """Let one process after the other create: PostgreSQL's IF NOT EXISTS does not see to that."""
    if db.dialect.name == "postgresql":
        db.execute(select(func.pg_advisory_xact_lock(_CREATING)))


def _create_indices(engine: Engine, tables: MetaData) -> None:
    """In one order everywhere: processes that wait for each other's would wait for ever."""
    with engine.begin() as db:
        _create_alone(db)
        for table in tables.sorted_tables:
            for index in sorted(table.indexes, key=lambda one: str(one.name)):
                db.execute(CreateIndex(index, if_not_exists=True))


def _make_durable(connection: SqliteConnection, _record: object) -> None:
    """A commit is on the disk when it returns: WAL with NORMAL may lose it in a power cut."""
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _create_private(path: Path) -> None:
    """The file and, after it, SQLite's -wal and -shm are for our own user only."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # never open a file that is there: closing it again would drop the locks of every other
    # connection of this process, and another process would throw away the log that they write to
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _switch_to_wal(engine: Engine) -> None:
    """SQLite does not wait for others here, so we do."""
    for attempt in range(_OPENING_TRIES):
        try:
            with engine.connect() as db:
                if db.exec_driver_sql("PRAGMA journal_mode=WAL").scalar_one() == "wal":
                    return
        except OperationalError:
            if attempt == _OPENING_TRIES - 1:
                raise
        time.sleep(0.05)


def _create_tables(engine: Engine) -> None:
    with engine.begin() as db:
        create_missing(db, _tables)
        _fill_state(db)
    with engine.begin() as db:
        found = db.execute(select(state.c.value).where(state.c.name == "schema")).scalar_one()
        if found > SCHEMA:
            raise DatabaseTooNew(f"The database has schema {found}, this vm_ari knows {SCHEMA}.")
        if found < SCHEMA:
            migrate(db)
        keep_stamp(db)
    _create_indices(engine, _tables)


def _fill_state(db: Connection) -> None:
    there = set(db.execute(select(state.c.name)).scalars())
    missing = [{"name": n, "value": v} for n, v in _FIRST_STATE.items() if n not in there]
    if missing:
        db.execute(insert(state), missing)
