"""Where a user's settings are kept: in an attribute of the directory, or beside it (DIR-03, 04)."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from collections.abc import Mapping as Texts
from contextlib import asynccontextmanager
from typing import NamedTuple, Protocol
from weakref import WeakValueDictionary

from vm_ari.adapters.ldap.errors import Conflict, Refused, Unfit
from vm_ari.adapters.ldap.failover import Failover
from vm_ari.adapters.ldap.people import People
from vm_ari.adapters.ldap.records import stored_texts, user_id
from vm_ari.adapters.ldap.session import Change, Session
from vm_ari.adapters.ldap.wire import Found
from vm_ari.domain.directory_text import OneString
from vm_ari.ports import UnknownUser

Decide = Callable[[str, Texts[str, str]], Texts[str, str | None]]
"""From a user's id and texts: what to set, and (None) what to remove. May be called again."""


class Changed(NamedTuple):
    """A change that is done."""

    id: str
    """As the directory writes it."""
    before: Texts[str, str]
    """What the last decision was made from."""


class SettingsStore(Protocol):
    """Texts by key for each user. Every method raises `LdapError`."""

    async def texts(self, entries: Sequence[Found]) -> Sequence[Texts[str, str]]:
        """Those of each entry."""
        ...

    async def change(self, asked: str, decide: Decide) -> Changed:
        """Decide and change as if nobody else were there. Raises `UnknownUser`, `Unstorable`."""
        ...


class Turns:
    """What this process does for one user at the same time gets a turn each."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, user_id: str) -> AsyncIterator[None]:
        """Wait for it."""
        lock = self._locks.setdefault(user_id.casefold(), asyncio.Lock())
        async with lock:
            yield


class InAttribute:
    """In an attribute of the user's entry.

    A change deletes the old values and adds the new ones in one operation; where somebody else
    was faster, the server refuses it, and the decision is made again from what is there now.
    """

    LONGEST = 3.0
    """Seconds that one change goes on trying."""

    def __init__(self, servers: Failover, people: People) -> None:
        self._servers = servers
        self._people = people
        self._mapping = people.queries.mapping
        self._turns = Turns()

    async def texts(self, entries: Sequence[Found]) -> Sequence[Texts[str, str]]:
        """See `SettingsStore`."""
        if len(entries) <= 1:
            return [stored_texts(entry, self._mapping) for entry in entries]
        # thousands of them must not hold up calls
        return await asyncio.to_thread(
            lambda: [stored_texts(entry, self._mapping) for entry in entries]
        )

    async def change(self, asked: str, decide: Decide) -> Changed:
        """See `SettingsStore`."""
        async with self._turns.of(asked):
            return await self._servers.do(lambda session: self._change(session, asked, decide))

    def _change(self, session: Session, asked: str, decide: Decide) -> Changed:
        latest, pause = time.monotonic() + self.LONGEST, 0.002
        while True:
            found = self._people.by_id(session, asked)
            if found is None:
                raise UnknownUser(f"There is no user {asked}.")
            try:
                return self._changed(session, found, decide)
            except Conflict as error:
                if time.monotonic() > latest:
                    raise Refused(f"The settings of {asked} cannot be changed: {error}") from None
            time.sleep(random.uniform(0, pause))  # noqa: S311 - no secret
            pause = min(pause * 2, 0.1)

    def _changed(self, session: Session, found: Found, decide: Decide) -> Changed:
        mapping, name = self._mapping, user_id(found, self._mapping)
        values = found.texts(mapping.settings)
        one = isinstance(mapping.form, OneString)
        if one and len(values) > 1:
            raise Conflict(f"there are {len(values)} values instead of one")
        texts = mapping.form.read(values)
        delete, add = mapping.form.change(values, decide(name, texts))
        operations: list[Change] = []
        if delete:
            operations.append(("MODIFY_DELETE", sorted(delete)))
        if add:
            operations.append(("MODIFY_ADD", sorted(add)))
        if operations:
            extra = class_needed(found, mapping.own_class) if add else {}
            changes = {**extra, mapping.settings: operations}
            if one and not values:
                self._begin(session, found.dn, changes)
            else:
                session.modify(found.dn, changes)
        return Changed(name, texts)

    def _begin(self, session: Session, dn: str, changes: Texts[str, list[Change]]) -> None:
        """The first string of all: there is no older one whose deletion would fail if somebody
        else was faster. So look afterwards whether ours is the only one, and give way if not.
        """
        attribute = self._mapping.settings
        try:
            session.modify(dn, changes)
        except Unfit as error:
            if _values(session, dn, attribute):
                raise Conflict(str(error)) from error
            raise
        if len(_values(session, dn, attribute)) > 1:
            [(_, ours)] = changes[attribute]
            session.modify(dn, {attribute: [("MODIFY_DELETE", ours)]})
            raise Conflict("somebody else was as fast")


def _values(session: Session, dn: str, attribute: str) -> list[str]:
    found = session.read(dn, [attribute])
    return found.texts(attribute) if found else []


def class_needed(found: Found, own_class: str) -> dict[str, list[Change]]:
    """What makes the schema allow our attributes in that entry."""
    there = {name.casefold() for name in found.texts("objectClass")}
    if not own_class or own_class.casefold() in there:
        return {}
    return {"objectClass": [("MODIFY_ADD", [own_class])]}
