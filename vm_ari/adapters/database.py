"""The embedded directory: users, numbers and PINs in SQLite, or PostgreSQL by URL (DIR-05)."""

import asyncio
import hashlib
import hmac
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from typing import Any, TypeVar

from sqlalchemy import Connection, RowMapping, delete, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from vm_ari.adapters.database_schema import Database, DatabaseTooNew, numbers, state, users
from vm_ari.adapters.sealing import KeyRing, KeysUnusable, SealBroken
from vm_ari.domain.pin import FAILURES_BEFORE_LOCK, PinCheck
from vm_ari.domain.users import User
from vm_ari.ports import DirectoryUnavailable

T = TypeVar("T")

PIN = "pin"
"""Name of the attribute, to which a sealed PIN is bound."""
_COLUMNS = {"id", "name", "mailbox", "mail"}
_SETTINGS = tuple(f.name for f in fields(User) if f.name not in _COLUMNS | {"numbers"})


class UserExists(Exception):
    """There is a user of that id already."""


class NumberTaken(Exception):
    """Another user has that number or mailbox. The text says who."""


class UnknownUser(Exception):
    """There is no user of that id."""


class EmbeddedDirectory:
    """`ports.Directory` on an own database, and what an admin does with it.

    *url* is SQLAlchemy's (``sqlite:////var/lib/vm-ari/directory.db``); *allowed_failures* 0
    switches locking off. Every method raises `DirectoryUnavailable`.
    """

    def __init__(
        self,
        url: str,
        keys: KeyRing,
        *,
        allowed_failures: int = FAILURES_BEFORE_LOCK,
        workers: int = 4,
    ) -> None:
        self._database = Database(url, connections=workers)
        self._workers = ThreadPoolExecutor(workers, thread_name_prefix="directory")
        self._keys = keys
        self._allowed = allowed_failures
        self._decoy = keys.seal("000000", owner="", attribute=PIN)

    async def user_by_number(self, number: str) -> User | None:
        """The owner of an E.164 number, extension or mailbox."""
        if not (number.isascii() and number.isprintable()):
            return None
        asked = numbers.alias()
        owner = select(asked.c.user_id).where(asked.c.number == number).scalar_subquery()
        return await self._in_worker(lambda db: next(iter(_users(db, users.c.id == owner)), None))

    async def user_by_id(self, user_id: str) -> User | None:
        """The user of that id."""
        return await self._in_worker(lambda db: next(iter(_users(db, users.c.id == user_id)), None))

    async def all_users(self) -> Sequence[User]:
        """Everybody, by id."""
        return await self._in_worker(_users)

    async def check_pin(self, user_id: str, pin: str) -> PinCheck:
        """Judge one attempt.

        It is counted before it is judged, under the row's lock and in one durable transaction:
        however many attempts come at once, no more than allowed are ever judged. A user without
        a PIN, or an unknown one, is always WRONG, with the same work done.
        """
        return await self._in_worker(lambda db: self._judge(db, user_id, pin))

    async def add_user(self, user: User, pin: str | None = None) -> None:
        """Raises `UserExists`, `NumberTaken`."""
        try:
            await self._in_worker(lambda db: self._insert(db, user, pin))
        except IntegrityError:
            await self._in_worker(lambda db: _explain(db, user))
            raise

    async def remove_user(self, user_id: str) -> None:
        """Forget the user, the numbers and the PIN. Raises `UnknownUser`."""
        statement = delete(users).where(users.c.id == user_id)
        await self._in_worker(lambda db: _expect_one(db.execute(statement).rowcount, user_id))

    async def set_pin(self, user_id: str, pin: str | None) -> None:
        """Set or (None) remove the PIN; a lock stays. Raises `UnknownUser`."""
        await self._change(user_id, pin=self._sealed(user_id, pin))

    async def unlock(self, user_id: str) -> None:
        """Forget the failed attempts. Raises `UnknownUser`."""
        await self._change(user_id, pin_failures=0)

    async def close(self) -> None:
        """Let running work end, and release the database."""
        await asyncio.to_thread(self._workers.shutdown)
        self._database.engine.dispose()

    async def _change(self, user_id: str, **values: object) -> None:
        statement = update(users).where(users.c.id == user_id).values(**values)
        await self._in_worker(lambda db: _expect_one(db.execute(statement).rowcount, user_id))

    async def _in_worker(self, work: Callable[[Connection], T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._workers, self._transaction, work)

    def _transaction(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._database.open().begin() as db:
                return work(db)
        except IntegrityError:
            raise
        except SQLAlchemyError as error:
            raise DirectoryUnavailable(str(getattr(error, "orig", error))) from error
        except (OSError, DatabaseTooNew, KeysUnusable) as error:
            raise DirectoryUnavailable(str(error)) from error

    def _insert(self, db: Connection, user: User, pin: str | None) -> None:
        values = {name: getattr(user, name) for name in _COLUMNS}
        settings = {name: getattr(user, name) for name in _SETTINGS}
        sealed = self._sealed(user.id, pin)
        db.execute(insert(users).values(**values, settings=settings, pin=sealed))
        if rows := _number_rows(user):
            db.execute(insert(numbers), rows)

    def _sealed(self, user_id: str, pin: str | None) -> str | None:
        return None if pin is None else self._keys.seal(pin, owner=user_id, attribute=PIN)

    def _judge(self, db: Connection, user_id: str, pin: str) -> PinCheck:
        sealed = self._claim_attempt(db, user_id)
        if sealed is None:
            return self._judge_without_pin(db, user_id, pin)
        if not self._is_right(sealed, user_id, pin):
            return PinCheck.WRONG
        db.execute(update(users).where(users.c.id == user_id).values(pin_failures=0))
        return PinCheck.RIGHT

    def _claim_attempt(self, db: Connection, user_id: str) -> str | None:
        """Count one failure in advance, if one is still allowed; the sealed PIN to compare."""
        row = users.c.id == user_id
        claim = update(users).where(row, users.c.pin.is_not(None))
        if self._allowed > 0:
            claim = claim.where(users.c.pin_failures < self._allowed)
        claim = claim.values(pin_failures=users.c.pin_failures + 1)
        return db.execute(claim.returning(users.c.pin)).scalar_one_or_none()

    def _judge_without_pin(self, db: Connection, user_id: str, pin: str) -> PinCheck:
        """Locked; or no PIN to compare: then write and compare as much as for a wrong one."""
        has_pin = select(users.c.id).where(users.c.id == user_id, users.c.pin.is_not(None))
        if db.execute(has_pin).first() is not None:
            return PinCheck.LOCKED
        counter = update(state).where(state.c.name == "attempts_without_pin")
        db.execute(counter.values(value=state.c.value + 1))
        self._is_right(self._decoy, "", pin)
        return PinCheck.WRONG

    def _is_right(self, sealed: str, owner: str, pin: str) -> bool:
        try:
            known = self._keys.open(sealed, owner=owner, attribute=PIN)
        except SealBroken as error:
            raise DirectoryUnavailable(
                f"The PIN of user {owner} cannot be read: {error}"
            ) from error
        return hmac.compare_digest(_digest(known), _digest(pin))


def _digest(pin: str) -> bytes:
    """Of equal length, so that the comparison does not tell the PIN's."""
    return hashlib.sha256(pin.encode("utf-8", "replace")).digest()


def _users(db: Connection, *conditions: Any) -> list[User]:
    """Users with their numbers, read in one statement."""
    joined = users.outerjoin(numbers)
    columns = (users, numbers.c.number, numbers.c.position)
    statement = select(*columns).select_from(joined).where(*conditions)
    rows = db.execute(statement.order_by(users.c.id, numbers.c.position)).mappings()
    of_user: dict[str, list[RowMapping]] = defaultdict(list)
    for row in rows:
        of_user[row["id"]].append(row)
    return [_user(rows) for rows in of_user.values()]


def _user(rows: Sequence[RowMapping]) -> User:
    first = rows[0]
    settings = {k: v for k, v in first["settings"].items() if k in _SETTINGS}
    listed = tuple(row["number"] for row in rows if row["position"] is not None)
    columns = {name: first[name] for name in _COLUMNS}
    return User(**columns, numbers=listed, **{k: _frozen(v) for k, v in settings.items()})


def _frozen(value: object) -> Any:
    """JSON knows no tuples."""
    return tuple(value) if isinstance(value, list) else value


def _number_rows(user: User) -> list[dict[str, object]]:
    positions: dict[str, int | None] = {user.mailbox: None} if user.mailbox else {}
    positions |= {number: position for position, number in enumerate(user.numbers)}
    return [
        {"number": number, "user_id": user.id, "position": position}
        for number, position in positions.items()
    ]


def _explain(db: Connection, user: User) -> None:
    """Say why *user* could not be added."""
    if db.execute(select(users.c.id).where(users.c.id == user.id)).first():
        raise UserExists(f"There is a user {user.id} already.")
    wanted = [row["number"] for row in _number_rows(user)]
    taken = select(numbers.c.number, numbers.c.user_id).where(numbers.c.number.in_(wanted))
    if row := db.execute(taken).first():
        raise NumberTaken(f"{row.number} belongs to user {row.user_id}.")


def _expect_one(changed: int, user_id: str) -> None:
    if changed != 1:
        raise UnknownUser(f"There is no user {user_id}.")
