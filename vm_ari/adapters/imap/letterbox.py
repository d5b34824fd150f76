"""Putting mails into mailboxes by APPEND, each once, however often it is tried (MAIL-05)."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from vm_ari.adapters.imap.access import INBOX
from vm_ari.adapters.imap.doorman import Doorman, Open
from vm_ari.adapters.imap.errors import OverQuota, TooBig
from vm_ari.adapters.imap.folders import Folders
from vm_ari.adapters.imap.recognition import KEYWORD
from vm_ari.adapters.imap.session import Opened, Session
from vm_ari.domain.users import User
from vm_ari.ports import DeliveryPostponed, DeliveryRefused, MailboxUnavailable, NoRoomLeft

SLACK = timedelta(days=2)
"""Servers compare dates without time, in a zone of their own."""


@dataclass(frozen=True)
class Label:
    """How a mail is known, and how it is marked."""

    message_id: str
    when: datetime
    """Its date in the mailbox."""
    voice: bool = False
    urgent: bool = False


@dataclass(frozen=True)
class Letterbox:
    """Methods raise `DeliveryPostponed`, `DeliveryRefused`."""

    doorman: Doorman

    async def put(self, user: User, mail: bytes, label: Label) -> None:
        """Into the folder of voice messages, or other mails into the INBOX; looked for first."""
        async with self._opened(user, label) as door:

            def store(session: Session) -> None:
                inbox = door.folders.open_inbox(session)
                if not _is_stored(session, inbox, door.folders, label):
                    session.append(inbox.name, mail, _flags(inbox, label), label.when)

            await door.run(store, seconds=self.doorman.rules.patience.delivery)

    async def has(self, user: User, label: Label) -> bool:
        """Is it where `put` puts it, or among the deleted ones?"""
        async with self._opened(user, label) as door:

            def look(session: Session) -> bool:
                inbox = door.folders.open_inbox(session)
                return _is_stored(session, inbox, door.folders, label)

            return await door.run(look, seconds=self.doorman.rules.patience.delivery)

    @asynccontextmanager
    async def _opened(self, user: User, label: Label) -> AsyncIterator[Open]:
        try:
            yield await self.doorman.open(user if label.voice else replace(user, folder=INBOX))
        except TooBig as error:
            raise DeliveryRefused(f"the server takes no message that large: {error}") from error
        except OverQuota as error:
            raise NoRoomLeft(f"the mailbox of user {user.id} is full: {error}") from error
        except MailboxUnavailable as error:  # a wrong right must not cost anybody a message
            raise DeliveryPostponed(str(error)) from error


def _is_stored(session: Session, inbox: Opened, folders: Folders, label: Label) -> bool:
    """In the open folder, or in that of deleted ones; the first is open again afterwards.

    Only what has come since then is searched: a search of all could take half a minute.
    """
    since = (label.when - SLACK).date()
    criteria = ["SINCE", since, "HEADER", "Message-ID", label.message_id]
    if session.search(criteria):
        return True
    if folders.open_deleted(session) is None:
        return False
    found = bool(session.search(criteria))
    session.open(inbox.name)
    return found


def _flags(inbox: Opened, label: Label) -> Sequence[str]:
    """Nothing is seen yet."""
    flags = ["\\Flagged"] if label.urgent else []
    return [*flags, KEYWORD] if label.voice and inbox.keeps_keywords else flags
