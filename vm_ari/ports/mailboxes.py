"""The message stores of the users."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from vm_ari.domain.messages import Counts, MessageKind, StoredMessage
from vm_ari.domain.quota import Quota
from vm_ari.domain.users import User


class MailboxUnavailable(Exception):
    """The message store does not answer, or refuses us."""


class MailboxFull(MailboxUnavailable):
    """There is no room for what was asked; everything else works."""


class MessageGone(Exception):
    """The message is no longer there: somebody else removed it."""


class Unplayable(MessageGone):
    """The message is there, but without a sound that could be played."""


class Mailbox(Protocol):
    """One user's message store, open. Every method raises `MailboxUnavailable`."""

    async def counts(self) -> Counts:
        """How many messages there are now."""
        ...

    async def messages(self, kind: MessageKind, *, new: bool) -> Sequence[StoredMessage]:
        """The new or the old messages of that kind, in no particular order."""
        ...

    async def audio(self, uid: str) -> Path:
        """A local 8 or 16 kHz WAV of the message, valid while the mailbox is open.

        Raises `MessageGone`.
        """
        ...

    async def mail(self, uid: str, *, most: int | None = None) -> Path:
        """The message as it was sent, or its first *most* octets; valid while the mailbox is open.

        RFC 5322, lines end in CRLF; a file that only we may read. Raises `MessageGone`.
        """
        ...

    async def mark(self, uid: str, *, new: bool) -> None:
        """Make it heard, or new again. Raises `MessageGone`."""
        ...

    async def delete(self, uid: str) -> None:
        """Move it to the folder of deleted messages. Raises `MessageGone`."""
        ...

    async def find(self, message_id: str, since: datetime) -> str | None:
        """The uid of the message with that Message-ID (angle brackets and all), unless deleted.

        *since* is when it was made: older ones are not looked through. None if it is not there.
        """
        ...

    async def undelete(self, uid: str) -> None:
        """Bring it back as it was. Raises `MessageGone`."""
        ...

    async def purge(self, uid: str) -> None:
        """Remove for good what `delete` has moved; other messages stay. Raises `MessageGone`."""
        ...

    async def move(self, uid: str, folder: str) -> None:
        """To another folder, made at need; empty: where new messages come. Raises `MessageGone`."""
        ...

    async def quota(self) -> Quota | None:
        """How full it is; None where nothing sets a limit, or nobody tells."""
        ...


class Mailboxes(Protocol):
    """The message stores of all users."""

    def open(self, user: User, folder: str = "") -> AbstractAsyncContextManager[Mailbox]:
        """One session, such as that of a phone call. Raises `MailboxUnavailable`.

        *folder*: another one than that where new messages come (`domain.folders`); made at need.
        """
        ...

    async def counts(self, user: User) -> Counts:
        """`Mailbox.counts` without a session: one look. Raises `MailboxUnavailable`."""
        ...
