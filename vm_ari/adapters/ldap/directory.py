"""`ports.Directory` on LDAP servers, and what an admin does with it (DIR-01 to DIR-04)."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as Texts
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from vm_ari.adapters.ldap import management, merging
from vm_ari.adapters.ldap.address import Account, Patience
from vm_ari.adapters.ldap.errors import Conflict, LdapError, WriteRefused
from vm_ari.adapters.ldap.failover import Failover
from vm_ari.adapters.ldap.local_settings import InDatabase
from vm_ari.adapters.ldap.mapping import MAILBOX, PRESETS, Mapping, Preset, queries
from vm_ari.adapters.ldap.people import People
from vm_ari.adapters.ldap.pins import PinJudge
from vm_ari.adapters.ldap.records import Record, entry_of
from vm_ari.adapters.ldap.records import user_id as user_id_of
from vm_ari.adapters.ldap.resealing import reseal
from vm_ari.adapters.ldap.server_pool import ServerPool
from vm_ari.adapters.ldap.session import Session
from vm_ari.adapters.ldap.settings_store import Decide, InAttribute
from vm_ari.adapters.ldap.wire import Found
from vm_ari.adapters.sealing import KeyRing, KeysUnusable
from vm_ari.adapters.server_address import Server
from vm_ari.adapters.trust import Security, trust
from vm_ari.domain.directory_text import Unstorable
from vm_ari.domain.entries import NO_SETTINGS, PIN, Entry, Organisation, effective_user
from vm_ari.domain.login_state import Decide as DecideLogin
from vm_ari.domain.login_state import LoginChange, LoginState, unlocked, with_pin
from vm_ari.domain.numbers import Site
from vm_ari.domain.pin import FAILURES_BEFORE_LOCK, PinCheck
from vm_ari.domain.users import User
from vm_ari.ports import (
    DirectoryIncomplete,
    DirectoryReadOnly,
    DirectoryUnavailable,
    Resealed,
    UnknownUser,
)

T = TypeVar("T")

_SECONDS_FOR_ALL = 120.0
"""100,000 users take some 20."""
_SECONDS_TO_ADD = 0.1
"""One of them."""
_MANY = 20
"""So many entries are converted in a thread, for calls must not wait for them."""


def _nobody_listens(_done: int) -> None:
    """No progress is shown."""


@dataclass(frozen=True)
class LdapSettings:
    """Where the directory is, and what is in it."""

    servers: tuple[Server, ...]
    """In order of preference."""
    bases: tuple[str, ...]
    """The whole domain, or several organisational units."""
    account: Account = field(default_factory=Account)
    mapping: Mapping = PRESETS[Preset.OPENLDAP]
    ca_file: Path | None = None
    """The private authority that signed the servers' certificates; None: the system's ones."""
    local_settings: str = ""
    """URL of the database that keeps the settings, where the directory takes no changes."""
    patience: Patience = field(default_factory=Patience)
    connections: int = 4
    """To each server, at most."""


class LdapDirectory:
    """`ports.Directory` and `ports.UserRegister` on LDAP servers.

    *defaults* are the site's settings by key; *allowed_failures* 0 switches locking off;
    *default_pin* is that of users who have none. Raises `BadFilter` and `BadAddress`; every method
    raises `DirectoryUnavailable`.
    """

    def __init__(
        self,
        settings: LdapSettings,
        keys: KeyRing,
        *,
        site: Site | None = None,
        defaults: Texts[str, str] | None = None,
        organisations: Texts[str, Organisation] | None = None,
        allowed_failures: int = FAILURES_BEFORE_LOCK,
        default_pin: str = "",
    ) -> None:
        self.settings = settings
        self.servers = servers_of(settings)
        self.people = People(queries(settings.mapping, site or Site()), settings.bases)
        self._site = site or Site()
        self._defaults = defaults or {}
        self._organisations = organisations or {}
        self._keys = keys
        self._local = None
        if settings.local_settings:
            self._local = InDatabase(settings.local_settings, self.servers, self.people)
        self._store = self._local or InAttribute(self.servers, self.people)
        self._judge = PinJudge(self._store, keys, allowed_failures, default_pin)

    # --- the port

    async def user_by_number(self, number: str) -> User | None:
        """The owner of an E.164 number, extension or mailbox."""
        entry = await self.entry_by_number(number)
        return None if entry is None else self._user(entry)

    async def user_by_id(self, user_id: str) -> User | None:
        """The user of that id."""
        entry = await self.entry_by_id(user_id)
        return None if entry is None else self._user(entry)

    async def all_users(self) -> Sequence[User]:
        """Everybody with a mailbox, by id. Raises `DirectoryIncomplete`."""
        entries = await self.all_entries()
        return await asyncio.to_thread(
            lambda: [self._user(entry) for entry in entries if entry.mailbox]
        )

    async def check_pin(self, user_id: str, pin: str) -> PinCheck:
        """Judge one attempt; see `PinJudge`."""
        with _translated():
            return await self._judge.check(user_id, pin)

    async def login_state(self, user_id: str) -> LoginState:
        """See `LoginRecords`."""
        with _translated():
            found = await self.servers.do(lambda session: self.people.by_id(session, user_id))
            if found is None:
                raise UnknownUser(f"There is no user {user_id}.")
            [texts] = await self._store.texts([found])
            return self._judge.state(self._id(found), texts)

    async def change_login(self, user_id: str, decide: DecideLogin) -> LoginChange:
        """See `LoginRecords`. Raises `DirectoryReadOnly`."""
        with _translated():
            return await self._judge.change(user_id, decide)

    # --- administration

    async def entry_by_id(self, user_id: str) -> Entry | None:
        """See `UserRegister`."""
        return await self._look_up(lambda session: self.people.by_id(session, user_id))

    async def entry_by_mail(self, mail: str) -> Entry | None:
        """Whose address that is; nobody's, if several have it."""
        return await self._look_up(lambda session: self.people.only_with_mail(session, mail))

    async def entry_by_number(self, number: str) -> Entry | None:
        """See `UserRegister`."""
        if not (number.isascii() and number.isprintable()):
            return None
        return await self._look_up(lambda session: self.people.by_number(session, number))

    async def all_entries(self) -> Sequence[Entry]:
        """See `UserRegister`; `DirectoryIncomplete`, where a server gives some of them only."""
        with _translated():
            result = await self.servers.do(self.people.everybody, seconds=_SECONDS_FOR_ALL)
            if not result.complete:
                raise DirectoryIncomplete(
                    f"The directory gave {len(result.found)} entries, and kept back the others: "
                    f"raise the size limit of {self.settings.account.dn or 'its clients'} there."
                )
            entries = await self._entries(result.found)
        return sorted(entries, key=lambda entry: entry.id)

    async def organisations(self) -> Sequence[Organisation]:
        """See `UserRegister`; they come from the configuration, and from operators."""
        return [self._organisations[key] for key in sorted(self._organisations)]

    def know_organisations(self, organisations: Texts[str, Organisation]) -> None:
        """These count from now on."""
        self._organisations = dict(organisations)

    async def add_entry(self, entry: Entry, pin: str | None = None) -> None:
        """Below the first base. Raises `Taken`, `Unstorable`, `DirectoryReadOnly`."""
        if pin is not None:
            entry = replace(entry, sealed={**entry.sealed, PIN: self.seal_pin(entry.id, pin)})
        await self.add_entries([entry])

    async def add_entries(
        self, entries: Sequence[Entry], progress: Callable[[int], None] = _nobody_listens
    ) -> None:
        """See `UserRegister`; without transactions, so a lost connection may leave some of them.

        Raises `DirectoryReadOnly`, too, where users are not created by us.
        """
        await self._do(
            lambda session: management.add_entries(session, self.people, entries, progress),
            seconds=_SECONDS_FOR_ALL + len(entries) * _SECONDS_TO_ADD,
        )

    async def merge_entries(
        self,
        new: Sequence[Entry],
        changed: Sequence[tuple[Entry, Entry]],
        progress: Callable[[int], None] = _nobody_listens,
    ) -> None:
        """See `UserRegister`, and `merging`. Raises `DirectoryReadOnly`."""

        async def write(user_id: str, texts: Texts[str, str | None]) -> None:
            await self._change(user_id, lambda _id, _texts: texts)

        async def add() -> None:
            if new:
                await self.add_entries(new, progress)

        await merging.change_entries(self, write, changed, progress, add)

    async def remove_user(self, user_id: str) -> None:
        """Delete the entry itself. Raises `UnknownUser`, `DirectoryReadOnly`."""
        await self._do(lambda session: management.remove_user(session, self.people, user_id))

    async def change_details(self, user_id: str, new: Texts[str, str]) -> None:
        """See `UserRegister`. Raises `DirectoryReadOnly`."""
        await self._do(
            lambda session: management.change_details(session, self.people, user_id, new)
        )

    async def change_settings(self, user_id: str, new: Texts[str, str | None]) -> None:
        """See `UserRegister`. Raises `DirectoryReadOnly`."""
        if (NO_SETTINGS | {MAILBOX}) & new.keys():
            raise Unstorable("Login and mailbox are no settings; they have own commands.")
        await self._change(user_id, lambda _id, _texts: new)

    async def set_numbers(self, user_id: str, numbers: Sequence[str], mailbox: str) -> None:
        """See `UserRegister`; numbers in other attributes of the entry stay.

        Raises `DirectoryReadOnly`.
        """
        await self._do(
            lambda session: management.set_numbers(session, self.people, user_id, numbers, mailbox)
        )
        if not self.settings.mapping.mailbox:
            await self._change(user_id, lambda _id, _texts: {MAILBOX: mailbox or None})

    async def set_pin(self, user_id: str, pin: str | None) -> None:
        """See `UserRegister`. Raises `DirectoryReadOnly`."""
        await self.change_login(user_id, lambda state: with_pin(state, pin or "", None))

    def seal_pin(self, user_id: str, pin: str) -> str:
        """See `UserRegister`."""
        with _translated():
            return self._keys.seal(pin, owner=user_id, attribute=PIN)

    async def unlock(self, user_id: str) -> None:
        """Forget the failed attempts. Raises `UnknownUser`, `DirectoryReadOnly`."""
        await self.change_login(user_id, unlocked)

    async def reseal(self, progress: Callable[[int], None] = _nobody_listens) -> Resealed:
        """See `UserRegister`. Raises `DirectoryReadOnly`."""
        total = Resealed(0, 0)
        for entry in await self.all_entries():
            if entry.sealed:
                with _translated():
                    total += await reseal(self._store, self._keys, entry.id)
            progress(1)
        return total

    async def close(self) -> None:
        """Let running work end, and hang up."""
        await self.servers.close()
        if self._local:
            await self._local.close()

    # --- inside

    def _id(self, found: Found) -> str:
        return user_id_of(found, self.settings.mapping)

    async def _change(self, user_id: str, decide: Decide) -> None:
        with _translated():
            await self._store.change(user_id, decide)

    async def _do(self, work: Callable[[Session], T], seconds: float | None = None) -> T:
        with _translated():
            return await self.servers.do(work, seconds=seconds)

    async def _look_up(self, find: Callable[[Session], Found | None]) -> Entry | None:
        with _translated():
            found = await self.servers.ask(find)
            return next(iter(await self._entries([found] if found else [])), None)

    async def _entries(self, found: Sequence[Found]) -> list[Entry]:
        texts = await self._store.texts(found)
        records = [Record(*pair) for pair in zip(found, texts, strict=True)]
        if len(records) < _MANY:
            return self._converted(records)
        return await asyncio.to_thread(self._converted, records)

    def _converted(self, records: Sequence[Record]) -> list[Entry]:
        return [entry_of(record, self.settings.mapping, self._site) for record in records]

    def _user(self, entry: Entry) -> User:
        return effective_user(entry, self._organisations.get(entry.organisation), self._defaults)


def servers_of(settings: LdapSettings) -> Failover:
    """Nothing is connected yet. Raises `BadAddress`."""
    protected = any(server.security is not Security.NONE for server in settings.servers)
    context = trust(settings.ca_file) if protected else None
    pools = [
        ServerPool(server, settings.account, context, settings.patience, settings.connections)
        for server in settings.servers
    ]
    return Failover(pools, settings.patience)


@contextmanager
def _translated() -> Iterator[None]:
    """Our errors as the port's."""
    try:
        yield
    except WriteRefused as error:
        raise DirectoryReadOnly(str(error)) from error
    except Conflict as error:
        text = "Somebody else has changed the same entry just now; look at it, and try again."
        raise DirectoryUnavailable(text) from error
    except (LdapError, KeysUnusable) as error:
        raise DirectoryUnavailable(str(error)) from error
