"""A stamp on the embedded directory's users: as long as it is the same, they are (SQLite only).

It is a number in `state`. Triggers draw another one in the transaction that changes a user,
whoever does it: this program, one of before that still runs, or a person with sqlite3. It is drawn
and not counted, so that a database put back from a backup, and changed again, never comes to a
number that other users had. PINs and wrong attempts are no part of a `User` and leave it.
"""

import os
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, text

from vm_ari.adapters.database_file import FileId, file_id

Stamp = tuple[int, int]
"""The number, and SQLite's own of the tables' layout: who takes the triggers away changes it."""

OF_A_USER = ("id", "name", "mailbox", "mail", "given", "surname", "organisation", "texts")
"""Columns of `users` that make a `User`. With another one, the trigger wants another name: an
older program beside us leaves ours alone, and makes its own."""
_NAME = "users_stamp"
_FIRST = "INSERT OR IGNORE INTO state VALUES (:name, random())"
_DRAW = "BEGIN UPDATE state SET value = random() WHERE name = 'users_stamp'; END"
_READ = "SELECT value, (SELECT schema_version FROM pragma_schema_version) FROM state WHERE name = ?"
_THERE = "SELECT name FROM sqlite_master WHERE type = 'trigger'"


def _triggers() -> Iterable[tuple[str, str]]:
    """Name, and when it draws."""
    for table in ("users", "numbers", "organisations"):
        for event in ("INSERT", "UPDATE", "DELETE"):
            when = f"AFTER {event} ON {table} {_if(table, event)}"
            yield f"{_NAME}_{table}_{event.lower()}", when


def _if(table: str, event: str) -> str:
    """A login writes the columns of others, too, as they were."""
    if (table, event) != ("users", "UPDATE"):
        return ""
    old, new = (", ".join(f"{row}.{name}" for name in OF_A_USER) for row in ("old", "new"))
    return f"WHEN ({old}) IS NOT ({new})"


_TRIGGERS = dict(_triggers())


def keep_stamp(db: Connection) -> None:
    """Make what is missing of it; the tables are there."""
    if db.dialect.name != "sqlite" or set(db.execute(text(_THERE)).scalars()) >= _TRIGGERS.keys():
        return
    # first, as it takes the lock: of several processes one goes on
    db.execute(text(_FIRST), {"name": _NAME})
    for name, when in _TRIGGERS.items():
        db.execute(text(f"CREATE TRIGGER IF NOT EXISTS {name} {when} {_DRAW}"))


class StampReader:
    """Reads it over a connection of its own, as SQLAlchemy's takes many times as long."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._uri = f"file:{quote(os.fsencode(path))}?mode=ro"
        self._db: sqlite3.Connection | None = None
        self._file: FileId | None = None
        self._kept_in: int | None = None
        """Layout of the tables in which all triggers were seen."""

    def read(self) -> Stamp | None:
        """As it is after the last transaction; None: it cannot be told, now or here at all."""
        try:
            return self._read(self._current())
        except (sqlite3.Error, OSError):  # the directory itself will be asked, and says what it is
            self.close()
            return None

    def close(self) -> None:
        """The next question opens it again."""
        if self._db:
            with suppress(sqlite3.Error):
                self._db.close()
        self._db = self._kept_in = None

    def _current(self) -> sqlite3.Connection:
        """To the file that lies there now."""
        found = file_id(self._path)
        if self._db is None or found != self._file:
            self.close()
            self._file = found  # as it was before: if another one comes just now, it is noticed
            self._db = sqlite3.connect(
                self._uri, uri=True, timeout=0, isolation_level=None, check_same_thread=False
            )
        return self._db

    def _read(self, db: sqlite3.Connection) -> Stamp | None:
        for number, layout in db.execute(_READ, (_NAME,)).fetchall():
            if layout != self._kept_in:
                there = {name for (name,) in db.execute(_THERE).fetchall()}
                self._kept_in = layout if there >= _TRIGGERS.keys() else None
            return (number, layout) if self._kept_in == layout else None
        return None
