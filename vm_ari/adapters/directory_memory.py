"""Users on the disk, sealed: the store behind `directory_cache`."""

import asyncio
import hmac
import json
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import structlog

from vm_ari.adapters.sealing import KeyRing, KeysUnusable, SealBroken
from vm_ari.domain.entries import Entry, effective_user, entry_of
from vm_ari.domain.preferences import ACCESS, Access
from vm_ari.domain.users import User

T = TypeVar("T")

log = structlog.get_logger("vm_ari.directory")

_PURPOSE = "directory cache"
_TABLES = """
CREATE TABLE IF NOT EXISTS items (name BLOB PRIMARY KEY, kind TEXT NOT NULL, sealed TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS complete (at REAL NOT NULL);
"""
_MOST_WAITING = 1000
"""Changes; when the disk is slower than the calls, some are not remembered."""


class Kind(Enum):
    """By what a user is found."""

    NUMBER = "number"
    ID = "id"


class Item(NamedTuple):
    """One question that the directory has answered."""

    kind: Kind
    value: str


class DirectoryMemory:
    """A file of answers: neither numbers nor users can be read in it without our keys.

    Nothing here raises: what cannot be read was not remembered. Writing is done later, by a thread.
    """

    def __init__(self, file: Path, keys: KeyRing) -> None:
        self._file = file
        self._keys = keys
        self._names = keys.signing_keys(_PURPOSE)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="directory-memory")
        self._readers = ThreadPoolExecutor(2, thread_name_prefix="directory-recall")
        self._waiting = 0

    async def recall(self, item: Item, oldest: float) -> User | None:
        """The answer, if it was given at or after *oldest* (seconds since 1970)."""
        return await self._read(lambda db: self._recall(db, item, oldest), None)

    async def recall_all(self, oldest: float) -> Sequence[User] | None:
        """Everybody by id, if all were told at or after *oldest*."""
        return await self._read(lambda db: self._recall_all(db, oldest), None)

    def remember(self, items: Mapping[Item, User], at: float) -> None:
        """Answers that were given just now."""
        self._write(lambda db: self._put(db, items, at))

    def replace_all(self, items: Mapping[Item, User], at: float) -> None:
        """All users there are: whoever is not among them is forgotten."""

        def work(db: sqlite3.Connection) -> None:
            db.execute("DELETE FROM items")
            db.execute("DELETE FROM complete")
            self._put(db, items, at)
            db.execute("INSERT INTO complete VALUES (?)", (at,))

        self._write(work)

    def forget(self, item: Item) -> None:
        """The directory says that there is nobody."""
        names = [(self._name(key, item),) for key in self._names]
        self._write(lambda db: db.executemany("DELETE FROM items WHERE name = ?", names))

    async def settle(self) -> None:
        """Wait until everything is written."""
        await asyncio.wrap_future(self._writer.submit(lambda: None))

    async def close(self) -> None:
        """Let running work end."""
        await asyncio.to_thread(self._writer.shutdown)
        await asyncio.to_thread(self._readers.shutdown)

    # --- inside

    def _recall(self, db: sqlite3.Connection, item: Item, oldest: float) -> User | None:
        for key in self._names:
            name = self._name(key, item)
            query = "SELECT sealed FROM items WHERE name = ?"
            if row := db.execute(query, (name,)).fetchone():
                return self._opened(name, row[0], oldest)
        return None

    def _recall_all(self, db: sqlite3.Connection, oldest: float) -> Sequence[User] | None:
        row = db.execute("SELECT max(at) FROM complete").fetchone()
        if row[0] is None or row[0] < oldest:
            return None
        rows = db.execute("SELECT name, sealed FROM items WHERE kind = ?", (Kind.ID.value,))
        users = (self._opened(name, sealed, oldest) for name, sealed in rows)
        return sorted((user for user in users if user), key=lambda user: user.id)

    def _put(self, db: sqlite3.Connection, items: Mapping[Item, User], at: float) -> None:
        rows = (self._row(item, user, at) for item, user in items.items())
        db.executemany("INSERT OR REPLACE INTO items VALUES (?, ?, ?)", rows)

    def _row(self, item: Item, user: User, at: float) -> tuple[bytes, str, str]:
        name = self._name(self._names[0], item)
        text = json.dumps({"at": at, "version": _VERSION, "user": _texts(user)})
        sealed = self._keys.seal(text, owner=name.hex(), attribute=_PURPOSE)
        return name, item.kind.value, sealed

    def _name(self, key: bytes, item: Item) -> bytes:
        return hmac.digest(
            key, f"{item.kind.value}:{item.value}".encode("utf-8", "replace"), "sha256"
        )

    def _opened(self, name: bytes, sealed: str, oldest: float) -> User | None:
        try:
            stored = json.loads(self._keys.open(sealed, owner=name.hex(), attribute=_PURPOSE))
            if stored["at"] < oldest:
                return None
            read = _READERS[stored.get("version", 1)]
            return read(stored["user"])
        except (SealBroken, KeysUnusable, ValueError, KeyError, TypeError):
            return None  # another version's, or a key is gone

    async def _read(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._working, work, otherwise)

    def _write(self, work: Callable[[sqlite3.Connection], object]) -> None:
        if self._waiting < _MOST_WAITING:
            self._waiting += 1
            self._writer.submit(self._working, work, None).add_done_callback(self._wrote)

    def _wrote(self, _done: "Future[Any]") -> None:
        self._waiting -= 1

    def _working(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        try:
            with closing(self._opened_file()) as db, db:
                return work(db)
        except sqlite3.DatabaseError as error:
            log.error("the directory's cache cannot be used", reason=str(error))
            if not isinstance(error, sqlite3.OperationalError):
                self._begin_anew()
        except (OSError, KeysUnusable) as error:
            log.error("the directory's cache cannot be used", reason=str(error))
        return otherwise

    def _begin_anew(self) -> None:
        """It is no database any more; a new one fills by itself."""
        for suffix in ("", "-wal", "-shm"):
            self._file.with_name(self._file.name + suffix).unlink(missing_ok=True)

    def _opened_file(self) -> sqlite3.Connection:
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file.touch(mode=0o600)
        db = sqlite3.connect(self._file)
        db.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; {_TABLES}")
        return db


def _texts(user: User) -> dict[str, Any]:
    """Values as settings write them: a later version reads them as it reads a directory."""
    entry = entry_of(user)
    return {**{name: getattr(entry, name) for name in _NAMES}, "settings": entry.settings}


def _user(stored: Mapping[str, Any]) -> User:
    """Raises KeyError, TypeError or ValueError for what is none."""
    names = {name: stored[name] for name in _NAMES}
    names["numbers"] = tuple(names["numbers"])
    return effective_user(Entry(**names, settings=dict(stored["settings"])), None, {})


def _first_user(stored: Mapping[str, Any]) -> User:
    """As version 1 wrote one: five settings, which were fields beside the names."""
    plain = {True: "yes", False: "no"}
    settings = {key: str(plain.get(stored[key], stored[key])) for key in _FIRST_SETTINGS}
    settings[ACCESS.key] = ACCESS.format(Access.FULL if stored["may_log_in"] else Access.NONE)
    return _user({**stored, "settings": settings})


_VERSION = 2
_READERS: Mapping[int, Callable[[Mapping[str, Any]], User]] = {1: _first_user, 2: _user}
"""After an update the directory may be away: what the version before has written must do."""
_NAMES = ("id", "name", "mailbox", "numbers", "mail")
_FIRST_SETTINGS = ("language", "time_zone", "voice_mail_enabled", "takes_messages")
