"""The embedded directory: users, numbers and PINs in SQLite, or PostgreSQL by URL (DIR-05)."""

import asyncio
import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TypeVar

from sqlalchemy import ColumnElement, Connection, delete, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from vm_ari.adapters.database_changes import (
    Stale,
    change_texts,
    expect_one,
    reseal_some,
    set_organisation,
    write_entries,
    write_numbers,
)
from vm_ari.adapters.database_rows import (
    DETAILS,
    entries_in,
    entry_of,
    mail_key,
    organisations_in,
    refuse_if_taken,
    users_in,
)
from vm_ari.adapters.database_schema import Database, DatabaseTooNew, numbers, state, users
from vm_ari.adapters.sealing import KeyRing, KeysUnusable, SealBroken
from vm_ari.domain.directory_text import Unstorable
from vm_ari.domain.entries import PIN, PIN_FAILURES, Entry, Organisation
from vm_ari.domain.pin import FAILURES_BEFORE_LOCK, PinCheck
from vm_ari.domain.users import User
from vm_ari.ports import (
    DirectoryUnavailable,
    MailTaken,
    NumberTaken,
    Resealed,
    UnknownUser,
    UserExists,
)

__all__ = ["EmbeddedDirectory", "MailTaken", "NumberTaken", "UnknownUser", "UserExists"]

T = TypeVar("T")

_TRIES = 200
"""Whoever fails lost against somebody who did not, so this is for hundreds at a time."""


def _nobody_listens(_done: int) -> None:
    """No progress is shown."""


class EmbeddedDirectory:
    """`ports.Directory` and `ports.UserRegister` on an own database.

    *url* is SQLAlchemy's (``sqlite:////var/lib/vm-ari/directory.db``); *defaults* are the site's
    settings by key; *allowed_failures* 0 switches locking off. Every method raises
    `DirectoryUnavailable`.
    """

    def __init__(
        self,
        url: str,
        keys: KeyRing,
        *,
        defaults: Mapping[str, str] | None = None,
        allowed_failures: int = FAILURES_BEFORE_LOCK,
        workers: int = 4,
    ) -> None:
        self._defaults = dict(defaults or {})
        self._database = Database(url, connections=workers)
        self._workers = ThreadPoolExecutor(workers, thread_name_prefix="directory")
        self._keys = keys
        self._allowed = allowed_failures
        self._decoy = keys.seal("000000", owner="", attribute=PIN)

    async def user_by_number(self, number: str) -> User | None:
        """The owner of an E.164 number, extension or mailbox."""
        if not _may_be_a_number(number):
            return None
        owner = _owner_of(number)
        found = await self._in_worker(lambda db: users_in(db, self._defaults, owner))
        return next(iter(found), None)

    async def user_by_id(self, user_id: str) -> User | None:
        """The user of that id."""
        him = users.c.id == user_id
        found = await self._in_worker(lambda db: users_in(db, self._defaults, him))
        return next(iter(found), None)

    async def all_users(self) -> Sequence[User]:
        """Everybody, by id."""
        return await self._in_worker(lambda db: users_in(db, self._defaults))

    async def check_pin(self, user_id: str, pin: str) -> PinCheck:
        """Judge one attempt.

        It is counted before it is judged, under the row's lock and in one durable transaction:
        however many attempts come at once, no more than allowed are ever judged. A user without
        a PIN, or an unknown one, is always WRONG, with the same work done.
        """
        return await self._in_worker(lambda db: self._judge(db, user_id, pin))

    # --- administration

    async def entry_by_id(self, user_id: str) -> Entry | None:
        """See `UserRegister`."""
        him = users.c.id == user_id
        return next(iter(await self._in_worker(lambda db: entries_in(db, him))), None)

    async def entry_by_number(self, number: str) -> Entry | None:
        """See `UserRegister`."""
        if not _may_be_a_number(number):
            return None
        owner = _owner_of(number)
        return next(iter(await self._in_worker(lambda db: entries_in(db, owner))), None)

    async def all_entries(self) -> Sequence[Entry]:
        """See `UserRegister`."""
        return await self._in_worker(entries_in)

    async def add_user(self, user: User, pin: str | None = None) -> None:
        """Raises `UserExists`, `NumberTaken`, `MailTaken`."""
        await self.add_entry(entry_of(user), pin)

    async def add_entry(self, entry: Entry, pin: str | None = None) -> None:
        """Raises `UserExists`, `NumberTaken`, `MailTaken`, `Unstorable`."""
        if pin is not None:
            entry = replace(entry, sealed={**entry.sealed, PIN: self.seal_pin(entry.id, pin)})
        await self.add_entries([entry])

    async def add_entries(
        self, entries: Sequence[Entry], progress: Callable[[int], None] = _nobody_listens
    ) -> None:
        """See `UserRegister`."""
        try:
            await self._in_worker(lambda db: write_entries(db, entries, progress))
        except IntegrityError:
            await self._refuse(*entries, new=True)
            raise

    async def remove_user(self, user_id: str) -> None:
        """Forget the user, the numbers and the PIN. Raises `UnknownUser`."""
        statement = delete(users).where(users.c.id == user_id)
        await self._in_worker(lambda db: expect_one(db.execute(statement).rowcount, user_id))

    async def change_details(self, user_id: str, new: Mapping[str, str]) -> None:
        """See `UserRegister`."""
        if unknown := new.keys() - set(DETAILS):
            raise ValueError(f"no details: {sorted(unknown)}")
        keys = {"mail_key": mail_key(new["mail"])} if "mail" in new else {}
        try:
            await self._change(user_id, **new, **keys)
        except IntegrityError:
            await self._refuse(Entry(user_id, "", mail=new["mail"]), new=False)
            raise

    async def change_settings(self, user_id: str, new: Mapping[str, str | None]) -> None:
        """See `UserRegister`."""
        if {PIN, PIN_FAILURES} & new.keys():
            raise Unstorable("PIN and failures are no settings; they have commands of their own.")
        await self._until_fresh(lambda db: change_texts(db, users, user_id, new))

    async def set_numbers(self, user_id: str, listed: Sequence[str], mailbox: str) -> None:
        """See `UserRegister`."""
        try:
            await self._in_worker(lambda db: write_numbers(db, user_id, listed, mailbox))
        except IntegrityError:
            wanted = Entry(user_id, "", mailbox, tuple(listed))
            await self._refuse(wanted, new=False)
            raise

    async def set_pin(self, user_id: str, pin: str | None) -> None:
        """Set or (None) remove the PIN; a lock stays. Raises `UnknownUser`."""
        await self._change(user_id, pin=self._sealed(user_id, pin))

    def seal_pin(self, user_id: str, pin: str) -> str:
        """See `UserRegister`."""
        return self._keys.seal(pin, owner=user_id, attribute=PIN)

    async def unlock(self, user_id: str) -> None:
        """Forget the failed attempts. Raises `UnknownUser`."""
        await self._change(user_id, pin_failures=0)

    async def organisations(self) -> Sequence[Organisation]:
        """See `UserRegister`."""
        return await self._in_worker(organisations_in)

    async def set_organisation(self, organisation: Organisation) -> None:
        """Add it, or give the one of that id this name and these settings. `Unstorable`."""
        await self._in_worker(lambda db: set_organisation(db, organisation))

    async def reseal(self, progress: Callable[[int], None] = _nobody_listens) -> Resealed:
        """See `UserRegister`."""
        total = Resealed(0, 0)
        for entry in await self.all_entries():
            total += await self._until_fresh(partial(reseal_some, keys=self._keys, owner=entry.id))
            progress(1)
        return total

    async def close(self) -> None:
        """Let running work end, and release the database."""
        await asyncio.to_thread(self._workers.shutdown)
        self._database.engine.dispose()

    async def _change(self, user_id: str, **values: object) -> None:
        statement = update(users).where(users.c.id == user_id).values(**values)
        await self._in_worker(lambda db: expect_one(db.execute(statement).rowcount, user_id))

    async def _refuse(self, *entries: Entry, new: bool) -> None:
        """Say why one of the entries could not be written; the error names it."""

        def look(db: Connection) -> None:
            for entry in entries:
                refuse_if_taken(db, entry, new=new)

        await self._in_worker(look)

    async def _until_fresh(self, work: Callable[[Connection], T]) -> T:
        """Again, as long as somebody else was faster."""
        for _ in range(_TRIES):
            with suppress(Stale):
                return await self._in_worker(work)
        raise DirectoryUnavailable("Others change the same user all the time; try it again later.")

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

    def _sealed(self, user_id: str, pin: str | None) -> str | None:
        return None if pin is None else self.seal_pin(user_id, pin)

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


def _may_be_a_number(number: str) -> bool:
    return number.isascii() and number.isprintable()


def _owner_of(number: str) -> ColumnElement[bool]:
    owner = select(numbers.c.user_id).where(numbers.c.number == number).scalar_subquery()
    return users.c.id == owner
