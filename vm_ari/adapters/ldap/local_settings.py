"""Settings beside a directory that takes no changes, in the local database (DIR-04)."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from collections.abc import Mapping as Texts
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from sqlalchemy import Column, Connection, MetaData, String, Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from vm_ari.adapters.database_schema import Database, DatabaseTooNew, create_missing
from vm_ari.adapters.ldap.errors import Refused
from vm_ari.adapters.ldap.failover import Failover
from vm_ari.adapters.ldap.people import People
from vm_ari.adapters.ldap.records import stored_texts, user_id
from vm_ari.adapters.ldap.settings_store import Changed, Decide
from vm_ari.adapters.ldap.wire import Found
from vm_ari.ports import UnknownUser

T = TypeVar("T")

_rows = Table(
    "local_settings",
    MetaData(),
    Column("user_id", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("text", String),
)
"""A *text* of null hides what the directory says."""
_LOCK = ""
"""Key of a row that only exists to be written first: its lock is the user's."""
_MANY = 100
"""From so many users on, the whole table is read."""


class InDatabase:
    """Own texts win over those of the directory; a removed one hides the directory's."""

    def __init__(self, url: str, servers: Failover, people: People, workers: int = 2) -> None:
        self._database = Database(url, connections=workers)
        self._workers = ThreadPoolExecutor(workers, thread_name_prefix="local-settings")
        self._servers = servers
        self._people = people
        self._ready = False

    async def texts(self, entries: Sequence[Found]) -> Sequence[Texts[str, str]]:
        """See `SettingsStore`."""
        mapping = self._people.queries.mapping
        ids = [user_id(entry, mapping) for entry in entries]
        own = await self._in_worker(lambda db: _read(db, ids))
        return [
            _laid_over(stored_texts(entry, mapping), own[name])
            for entry, name in zip(entries, ids, strict=True)
        ]

    async def change(self, asked: str, decide: Decide) -> Changed:
        """See `SettingsStore`."""
        found = await self._servers.ask(lambda session: self._people.by_id(session, asked))
        if found is None:
            raise UnknownUser(f"There is no user {asked}.")
        name = user_id(found, self._people.queries.mapping)
        below = stored_texts(found, self._people.queries.mapping)
        await self._in_worker(lambda db: _make_lock(db, name))
        return await self._in_worker(lambda db: _change(db, name, below, decide))

    async def close(self) -> None:
        """Let running work end, and release the database."""
        await asyncio.to_thread(self._workers.shutdown)
        self._database.engine.dispose()

    async def _in_worker(self, work: Callable[[Connection], T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._workers, self._transaction, work)

    def _transaction(self, work: Callable[[Connection], T]) -> T:
        try:
            engine = self._database.open()
            if not self._ready:
                with engine.begin() as db:
                    create_missing(db, _rows.metadata)
                self._ready = True
            with engine.begin() as db:
                return work(db)
        except (SQLAlchemyError, OSError, DatabaseTooNew) as error:
            raise Refused(f"Local settings: {getattr(error, 'orig', error)}") from error


def _read(db: Connection, ids: Sequence[str]) -> dict[str, dict[str, str | None]]:
    statement = select(_rows).where(_rows.c.key != _LOCK)
    if len(ids) < _MANY:
        statement = statement.where(_rows.c.user_id.in_(ids))
    own: dict[str, dict[str, str | None]] = defaultdict(dict)
    for row in db.execute(statement):
        own[row.user_id][row.key] = row.text
    return own


def _laid_over(below: Texts[str, str], own: Texts[str, str | None]) -> dict[str, str]:
    both = {**below, **own}
    return {key: text for key, text in both.items() if text is not None}


def _make_lock(db: Connection, name: str) -> None:
    """PostgreSQL and SQLite both know ON CONFLICT, but SQLAlchemy has no common word for it."""
    lock = select(_rows.c.key).where(_rows.c.user_id == name, _rows.c.key == _LOCK)
    if db.execute(lock).first() is None:
        with suppress(IntegrityError), db.begin_nested():  # somebody else is as fast
            db.execute(insert(_rows).values(user_id=name, key=_LOCK, text=""))


def _change(db: Connection, name: str, below: Texts[str, str], decide: Decide) -> Changed:
    db.execute(update(_rows).where(_rows.c.user_id == name, _rows.c.key == _LOCK).values(text=""))
    texts = _laid_over(below, _read(db, [name])[name])
    new = decide(name, texts)
    db.execute(delete(_rows).where(_rows.c.user_id == name, _rows.c.key.in_(new)))
    if new:
        rows = [{"user_id": name, "key": key, "text": text} for key, text in new.items()]
        db.execute(insert(_rows), rows)
    return Changed(name, texts)
