"""Reading the journal, with the rights of whoever reads (STORE-02, STORE-05).

What pages and commands use, all of `Journals` (the first three also of `JournalReading`):

- ``entries_for(viewer, search, after=…, limit=…)``: a page of entries, the newest first; its
  ``older`` is the *after* of the next page, empty on the last one;
- ``entry_for(viewer, entry_id)``: one of them, or None;
- ``export(viewer, search)``: all of them, one after the other;
- ``message_of(entry)``: the uid of its message in its owner's mailbox, or None;
- ``open_message(viewer, entry_id)``: mailbox and uid together, to play, mark or delete it.
"""

import base64
import binascii
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from vm_ari.domain.journal import (
    BadSearch,
    JournalEntry,
    Search,
    Viewer,
    may_hear,
    may_see,
    name_terms,
    number_terms,
)
from vm_ari.domain.numbers import Site
from vm_ari.domain.users import User
from vm_ari.ports import Directory, JournalStore, Mailbox, Mailboxes, MessageGone

PAGE = 50
MOST = 500
"""Entries on one page."""


@dataclass(frozen=True)
class JournalPage:
    """Some entries, the newest first."""

    entries: tuple[JournalEntry, ...]
    older: str = ""
    """The *after* of the next page; empty: this was the last one."""


@dataclass(frozen=True)
class FoundMessage:
    """The message of an entry, where it lies now."""

    entry: JournalEntry
    mailbox: Mailbox
    uid: str


@dataclass(frozen=True)
class JournalReading:
    """The entries, for those who may read them. Methods that wait raise `JournalUnavailable`."""

    store: JournalStore
    sites: tuple[Site, ...] = (Site(),)

    async def entries_for(
        self, viewer: Viewer, search: Search | None = None, *, after: str = "", limit: int = PAGE
    ) -> JournalPage:
        """What *viewer* may see and looks for. Raises `BadSearch`."""
        wanted, size = search or Search(), max(1, min(limit, MOST))
        found = await self.store.page(
            viewer,
            wanted,
            numbers=number_terms(wanted.number, self.sites) if wanted.number.strip() else (),
            names=name_terms(wanted.name),
            after=_place(after) if after else None,
            limit=size + 1,
        )
        shown = tuple(entry for entry in found[:size] if may_see(viewer, entry))
        return JournalPage(shown, _token(found[size - 1]) if len(found) > size else "")

    async def entry_for(self, viewer: Viewer, entry_id: str) -> JournalEntry | None:
        """That entry; None where there is none that *viewer* may see."""
        entry = await self.store.entry(entry_id)
        return entry if entry and may_see(viewer, entry) else None

    async def export(
        self, viewer: Viewer, search: Search | None = None
    ) -> AsyncIterator[JournalEntry]:
        """All that `entries_for` would show. Raises `BadSearch`."""
        after = ""
        while True:
            page = await self.entries_for(viewer, search, after=after, limit=MOST)
            for entry in page.entries:
                yield entry
            if not (after := page.older):
                return


@dataclass(frozen=True, kw_only=True)
class Journals(JournalReading):
    """The same, and the messages that belong to entries."""

    directory: Directory
    mailboxes: Mailboxes
    folders: tuple[str, ...] = ()
    """Where users put messages away."""

    async def message_of(self, entry: JournalEntry) -> str | None:
        """The uid of its message in the mailbox of its owner; None: it is not there (any more).

        Raises `DirectoryUnavailable`, `MailboxUnavailable`.
        """
        owner = await self._owner(entry)
        if owner is None:
            return None
        async with self.mailboxes.open(owner) as mailbox:
            return await mailbox.find(entry.message_id, entry.started)

    async def place_of(self, entry: JournalEntry) -> tuple[str, str] | None:
        """Folder and uid of its message, also of one that was put away; None: it is nowhere.

        The folder is empty where new messages come. Raises as `message_of`.
        """
        owner = await self._owner(entry)
        for folder in ("", *self.folders) if owner else ():
            assert owner
            async with self.mailboxes.open(owner, folder) as mailbox:
                if uid := await mailbox.find(entry.message_id, entry.started):
                    return folder, uid
        return None

    @asynccontextmanager
    async def open_message(self, viewer: Viewer, entry_id: str) -> AsyncIterator[FoundMessage]:
        """The message of an entry, to be played, marked or deleted while this is open.

        Raises `MessageGone`, also where *viewer* must not have it; `DirectoryUnavailable`,
        `MailboxUnavailable`.
        """
        entry = await self.entry_for(viewer, entry_id)
        owner = await self._owner(entry) if entry and may_hear(viewer, entry) else None
        if entry is None or owner is None:
            raise MessageGone(entry_id[:60])
        async with self.mailboxes.open(owner) as mailbox:
            uid = await mailbox.find(entry.message_id, entry.started)
            if uid is None:
                raise MessageGone(entry_id[:60])
            yield FoundMessage(entry, mailbox, uid)

    async def _owner(self, entry: JournalEntry) -> User | None:
        if not (entry.message_id and entry.user_id):
            return None
        return await self.directory.user_by_id(entry.user_id)


def _token(entry: JournalEntry) -> str:
    """A place in the list, to come back with: nothing that others could use, just opaque."""
    text = f"{entry.started.isoformat()} {entry.id}"
    return base64.urlsafe_b64encode(text.encode("utf-8", "replace")).decode().rstrip("=")


def _place(token: str) -> tuple[datetime, str]:
    try:
        raw = base64.urlsafe_b64decode(token[:2000] + "=" * (-len(token[:2000]) % 4))
        moment, _, entry_id = raw.decode().partition(" ")
        return datetime.fromisoformat(moment).astimezone(UTC), entry_id
    except (binascii.Error, ValueError, OverflowError):
        raise BadSearch("There is no such page; begin with the first one.") from None
