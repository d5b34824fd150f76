"""Pages of the list of users: by SQL from the embedded directory, else from what it tells of all.

A directory server cannot page by id and search at once; what it says is remembered for a moment.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, func, or_, select
from sqlalchemy.exc import SQLAlchemyError

from vm_ari.adapters.database_rows import entries_in
from vm_ari.adapters.database_schema import Database, DatabaseTooNew, numbers, users
from vm_ari.adapters.database_work import DatabaseWork
from vm_ari.domain.entries import Entry
from vm_ari.domain.user_queries import UserQuery
from vm_ari.ports import DirectoryUnavailable, UserRegister

CONNECTIONS = 2
REMEMBERED_SECONDS = 15.0
MOST_NAMED = 100
"""Users with too many numbers."""
MOST_LOOKED_AT = 10_000
"""Numbers that are too many."""
_TEXTS = ("name", "given", "surname", "mail", "mailbox")
"""Where a word may be, beside the id."""
_ADDRESSES = ("name", "mail")
"""Where one with an at sign may be: less to look through."""


class DatabaseUserList:
    """`ports.UserList` of the embedded directory, with connections of its own."""

    def __init__(self, url: str) -> None:
        database = Database(url, connections=CONNECTIONS)
        self._work = DatabaseWork(database, CONNECTIONS, "user list", _unavailable)

    async def page(self, query: UserQuery) -> Sequence[Entry]:
        """See `UserList`."""
        return await self._work.do(lambda db: _page(db, query))

    async def counts(self) -> Mapping[str, int]:
        """See `UserList`."""
        return await self._work.do(_counts)

    async def with_more_numbers(self, than: int) -> Sequence[tuple[str, str, int]]:
        """See `UserList`."""
        return await self._work.do(lambda db: _with_more_numbers(db, than))

    def changed(self) -> None:
        """Every page is read anew."""

    async def close(self) -> None:
        """Let running work end, and release the database."""
        await self._work.close()


def _unavailable(error: Exception) -> Exception:
    match error:
        case SQLAlchemyError():
            return DirectoryUnavailable(str(getattr(error, "orig", error)))
        case OSError() | DatabaseTooNew():
            return DirectoryUnavailable(str(error))
    return error


class RememberedUserList:
    """`ports.UserList` of any directory."""

    def __init__(self, register: UserRegister, now: Callable[[], float] = time.monotonic) -> None:
        self._register = register
        self._now = now
        self._entries: Sequence[Entry] = ()
        self._good_until = float("-inf")
        self._asking = asyncio.Lock()

    async def page(self, query: UserQuery) -> Sequence[Entry]:
        """See `UserList`."""
        return await asyncio.to_thread(query.page, await self._all())

    async def counts(self) -> Mapping[str, int]:
        """See `UserList`."""
        return Counter(entry.organisation for entry in await self._all())

    async def with_more_numbers(self, than: int) -> Sequence[tuple[str, str, int]]:
        """See `UserList`."""
        many = [one for one in await self._all() if len(one.numbers) > than]
        found = [(one.id, one.organisation, len(one.numbers)) for one in many]
        return sorted(found)[:MOST_NAMED]

    def changed(self) -> None:
        """The next page asks the directory."""
        self._good_until = float("-inf")

    async def close(self) -> None:
        """Nothing is open."""

    async def _all(self) -> Sequence[Entry]:
        """Visitors that come together ask once."""
        async with self._asking:
            if self._now() >= self._good_until:
                self._entries = await self._register.all_entries()
                self._good_until = self._now() + REMEMBERED_SECONDS
            return self._entries


def _page(db: Connection, query: UserQuery) -> list[Entry]:
    sqlite = db.dialect.name == "sqlite"
    conditions = [users.c.id > query.after, _in(query.organisations)]
    conditions += [_has(word, sqlite=sqlite) for word in query.words]
    wanted = select(users.c.id).where(*conditions).order_by(users.c.id).limit(query.most)
    ids = list(db.execute(wanted).scalars())
    return entries_in(db, users.c.id.in_(ids)) if ids else []


def _in(organisations: Collection[str]) -> ColumnElement[bool]:
    """One organisation is read by its index; of several, users by id, as the page wants them."""
    if len(organisations) == 1:
        return users.c.organisation == next(iter(organisations))
    return users.c.organisation.concat("").in_(sorted(organisations))


def _has(word: str, *, sqlite: bool) -> ColumnElement[bool]:
    if word.isdecimal():
        return _has_digits(word)
    text: ColumnElement[str] = users.c.id
    for name in _ADDRESSES if "@" in word else _TEXTS:
        text = text.concat("\n").concat(users.c[name])
    return or_(*(_like(text, one, sqlite=sqlite) for one in _spellings(word)))


def _has_digits(word: str) -> ColumnElement[bool]:
    """Mailboxes lie among the numbers; either is looked through without the rest of a user."""
    owners = select(numbers.c.user_id).where(numbers.c.number.contains(word))
    named = users.alias("named")
    ids = select(named.c.id).where(named.c.id.contains(word))
    return users.c.id.in_(owners.union(ids))


def _like(text: ColumnElement[str], part: str, *, sqlite: bool) -> ColumnElement[bool]:
    """Whatever the case: SQLite's LIKE is so for ASCII, and faster than with lower()."""
    contains = text.contains if sqlite else text.icontains
    return contains(part, autoescape=True)


def _spellings(word: str) -> list[str]:
    """SQLite knows the cases of ASCII only: other words are looked for as people write them."""
    return sorted({word} if word.isascii() else {word, word.upper(), word.title()})


def _counts(db: Connection) -> dict[str, int]:
    counted = select(users.c.organisation, func.count()).group_by(users.c.organisation)
    return {row.organisation: row[1] for row in db.execute(counted)}


def _with_more_numbers(db: Connection, than: int) -> list[tuple[str, str, int]]:
    """Positions are counted from 0, so who has more has one that is as high; few have."""
    high = select(numbers.c.user_id, numbers.c.position).where(numbers.c.position >= than)
    count: dict[str, int] = {}
    for user_id, position in db.execute(high.limit(MOST_LOOKED_AT)):
        count[user_id] = max(count.get(user_id, 0), position + 1)
    ids = sorted(count)[:MOST_NAMED]
    if not ids:
        return []
    asked = select(users.c.id, users.c.organisation).where(users.c.id.in_(ids))
    found = [(row.id, row.organisation, count[row.id]) for row in db.execute(asked)]
    return sorted(found)
