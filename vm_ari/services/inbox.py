"""One user's messages during a remote inquiry; the lamp follows every change at once."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from vm_ari.domain.messages import Counts, MessageKind, StoredMessage, in_telephone_order
from vm_ari.domain.users import User
from vm_ari.ports import Mailbox, Mailboxes
from vm_ari.services.lamps import LampKeeper


@dataclass(frozen=True)
class Inbox:
    """The open mailbox of a user. Methods raise `MailboxUnavailable`, `MessageGone`."""

    user: User
    mailbox: Mailbox
    lamps: LampKeeper

    async def counts(self) -> Counts:
        """How many messages there are now."""
        return await self.mailbox.counts()

    async def voice_messages(self, *, new: bool) -> Sequence[StoredMessage]:
        """In the order in which they are heard: urgent ones first, newest first."""
        return in_telephone_order(list(await self.mailbox.messages(MessageKind.VOICE, new=new)))

    async def audio(self, message: StoredMessage) -> Path:
        """The message as a WAV file, valid during the call."""
        return await self.mailbox.audio(message.uid)

    async def mark(self, message: StoredMessage, *, new: bool) -> None:
        """Heard, or new again."""
        await self.mailbox.mark(message.uid, new=new)
        await self._show()

    async def delete(self, message: StoredMessage) -> None:
        """Into the folder of deleted messages."""
        await self.mailbox.delete(message.uid)
        await self._show()

    async def undelete(self, message: StoredMessage) -> None:
        """Back, as it was."""
        await self.mailbox.undelete(message.uid)
        await self._show()

    async def _show(self) -> None:
        await self.lamps.show(self.user, await self.mailbox.counts())


@dataclass(frozen=True)
class Inboxes:
    """Opens inboxes."""

    mailboxes: Mailboxes
    lamps: LampKeeper

    @asynccontextmanager
    async def open(self, user: User) -> AsyncIterator[Inbox]:
        """For the time of one call. Raises `MailboxUnavailable`."""
        async with self.mailboxes.open(user) as mailbox:
            yield Inbox(user, mailbox, self.lamps)
