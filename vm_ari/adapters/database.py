"""The embedded directory: users, numbers and PINs in SQLite, or PostgreSQL by URL (DIR-05)."""

from collections.abc import Callable, Mapping, Sequence
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
from vm_ari.adapters.database_logins import StoredLogins
from vm_ari.adapters.database_memory import Field, RememberedUsers
from vm_ari.adapters.database_merging import change_entries, release
from vm_ari.adapters.database_rows import (
    DETAILS,
    entries_in,
    mail_key,
    organisations_in,
    refuse_if_taken,
    users_in,
)
from vm_ari.adapters.database_schema import Database, DatabaseTooNew, numbers, users
from vm_ari.adapters.database_work import DatabaseWork, reason_of
from vm_ari.adapters.sealing import KeyRing, KeysUnusable
from vm_ari.domain.directory_text import Unstorable
from vm_ari.domain.entries import NO_SETTINGS, PIN, Entry, Organisation, entry_of
from vm_ari.domain.login_state import Decide, LoginChange, LoginState, unlocked, with_pin
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
    settings by key; *organisations* by id count where the database has none of that id;
    *allowed_failures* 0 switches locking off; *default_pin* is that of users who have none.
    Every method raises `DirectoryUnavailable`.
    """

    def __init__(
        self,
        url: str,
        keys: KeyRing,
        *,
        defaults: Mapping[str, str] | None = None,
        organisations: Mapping[str, Organisation] | None = None,
        allowed_failures: int = FAILURES_BEFORE_LOCK,
        default_pin: str = "",
        workers: int = 4,
    ) -> None:
        self._defaults = dict(defaults or {})
        self._configured = dict(organisations or {})
        database = Database(url, connections=workers)
        self._work = DatabaseWork(database, workers, "directory", _unavailable)
        self._remembered = RememberedUsers(url)
        self._keys = keys
        self._logins = StoredLogins(keys, allowed_failures, default_pin)

    async def user_by_number(self, number: str) -> User | None:
        """The owner of an E.164 number, extension or mailbox."""
        if not _may_be_a_number(number):
            return None
        asked = partial(self._one, lambda: _owner_of(number))
        return await self._remembered.find(Field.NUMBER, number, asked)

    async def user_by_id(self, user_id: str) -> User | None:
        """The user of that id."""
        asked = partial(self._one, lambda: users.c.id == user_id)
        return await self._remembered.find(Field.ID, user_id, asked)

    async def all_users(self) -> Sequence[User]:
        """Everybody, by id."""
        return await self._work.do(self._users)

    async def check_pin(self, user_id: str, pin: str) -> PinCheck:
        """Judge one attempt.

        It is counted before it is judged, under the row's lock and in one durable transaction:
        however many attempts come at once, no more than allowed are ever judged. A user without
        a PIN, or an unknown one, is always WRONG, with the same work done.
        """
        return await self._work.do(lambda db: self._logins.judge(db, user_id, pin))

    async def login_state(self, user_id: str) -> LoginState:
        """See `LoginRecords`."""
        return await self._work.do(lambda db: self._logins.state(db, user_id))

    async def change_login(self, user_id: str, decide: Decide) -> LoginChange:
        """See `LoginRecords`."""
        return await self._until_fresh(lambda db: self._logins.change(db, user_id, decide))

    # --- administration

    async def entry_by_id(self, user_id: str) -> Entry | None:
        """See `UserRegister`."""
        him = users.c.id == user_id
        return next(iter(await self._work.do(lambda db: entries_in(db, him))), None)

    async def entry_by_mail(self, mail: str) -> Entry | None:
        """Whose address that is."""
        key = mail_key(mail)
        him = users.c.mail_key == key
        if not key:
            return None
        return next(iter(await self._work.do(lambda db: entries_in(db, him))), None)

    async def entry_by_number(self, number: str) -> Entry | None:
        """See `UserRegister`."""
        if not _may_be_a_number(number):
            return None
        owner = _owner_of(number)
        return next(iter(await self._work.do(lambda db: entries_in(db, owner))), None)

    async def all_entries(self) -> Sequence[Entry]:
        """See `UserRegister`."""
        return await self._work.do(entries_in)

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
            await self._work.do(lambda db: write_entries(db, entries, progress))
        except IntegrityError:
            await self._refuse(*entries, new=True)
            raise

    async def merge_entries(
        self,
        new: Sequence[Entry],
        changed: Sequence[tuple[Entry, Entry]],
        progress: Callable[[int], None] = _nobody_listens,
    ) -> None:
        """See `UserRegister`."""

        def work(db: Connection) -> None:
            release(db, changed)
            write_entries(db, new, progress)
            change_entries(db, changed, progress)

        try:
            await self._work.do(work)
        except IntegrityError:
            await self._refuse(*new, new=True)
            await self._refuse(*(entry for _old, entry in changed), new=False)
            raise

    async def remove_user(self, user_id: str) -> None:
        """Forget the user, the numbers and the PIN. Raises `UnknownUser`."""
        statement = delete(users).where(users.c.id == user_id)
        await self._work.do(lambda db: expect_one(db.execute(statement).rowcount, user_id))

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
        if NO_SETTINGS & new.keys():
            raise Unstorable("What belongs to the login is no setting; it has own commands.")
        await self._until_fresh(lambda db: change_texts(db, users, user_id, new))

    async def set_numbers(self, user_id: str, listed: Sequence[str], mailbox: str) -> None:
        """See `UserRegister`."""
        try:
            await self._work.do(lambda db: write_numbers(db, user_id, listed, mailbox))
        except IntegrityError:
            wanted = Entry(user_id, "", mailbox, tuple(listed))
            await self._refuse(wanted, new=False)
            raise

    async def set_pin(self, user_id: str, pin: str | None) -> None:
        """Set or (None) remove the PIN; a lock stays. Raises `UnknownUser`."""
        await self.change_login(user_id, lambda state: with_pin(state, pin or "", None))

    def seal_pin(self, user_id: str, pin: str) -> str:
        """See `UserRegister`."""
        return self._keys.seal(pin, owner=user_id, attribute=PIN)

    async def unlock(self, user_id: str) -> None:
        """Forget the failed attempts. Raises `UnknownUser`."""
        await self.change_login(user_id, unlocked)

    async def organisations(self) -> Sequence[Organisation]:
        """See `UserRegister`."""
        stored = {each.id: each for each in await self._work.do(organisations_in)}
        both = {**self._configured, **stored}
        return [both[key] for key in sorted(both)]

    def know_organisations(self, configured: Mapping[str, Organisation]) -> None:
        """These count from now on, where the database has none of that id."""
        if configured != self._configured:
            self._configured = dict(configured)
            self._remembered.forget()

    async def set_organisation(self, organisation: Organisation) -> None:
        """Add it, or give the one of that id this name and these settings. `Unstorable`."""
        await self._work.do(lambda db: set_organisation(db, organisation))

    async def reseal(self, progress: Callable[[int], None] = _nobody_listens) -> Resealed:
        """See `UserRegister`."""
        total = Resealed(0, 0)
        for entry in await self.all_entries():
            total += await self._until_fresh(partial(reseal_some, keys=self._keys, owner=entry.id))
            progress(1)
        return total

    async def close(self) -> None:
        """Let running work end, and release the database."""
        await self._remembered.close()
        await self._work.close()

    async def _change(self, user_id: str, **values: object) -> None:
        statement = update(users).where(users.c.id == user_id).values(**values)
        await self._work.do(lambda db: expect_one(db.execute(statement).rowcount, user_id))

    async def _refuse(self, *entries: Entry, new: bool) -> None:
        """Say why one of the entries could not be written; the error names it."""

        def look(db: Connection) -> None:
            for entry in entries:
                refuse_if_taken(db, entry, new=new)

        await self._work.do(look)

    async def _until_fresh(self, work: Callable[[Connection], T]) -> T:
        """Again, as long as somebody else was faster."""
        for _ in range(_TRIES):
            with suppress(Stale):
                return await self._work.do(work)
        raise DirectoryUnavailable("Others change the same user all the time; try it again later.")

    async def _one(self, condition: Callable[[], ColumnElement[bool]]) -> User | None:
        """For whom it holds, as the database has him."""
        him = condition()
        found = await self._work.do(lambda db: self._users(db, him))
        return next(iter(found), None)

    def _users(self, db: Connection, *conditions: ColumnElement[bool]) -> list[User]:
        return users_in(db, self._defaults, *conditions, configured=self._configured)


def _unavailable(error: Exception) -> Exception:
    match error:
        case IntegrityError():
            return error
        case SQLAlchemyError():
            return DirectoryUnavailable(reason_of(error))
        case OSError() | DatabaseTooNew() | KeysUnusable():
            return DirectoryUnavailable(str(error))
    return error


def _may_be_a_number(number: str) -> bool:
    return number.isascii() and number.isprintable()


def _owner_of(number: str) -> ColumnElement[bool]:
    owner = select(numbers.c.user_id).where(numbers.c.number == number).scalar_subquery()
    return users.c.id == owner
