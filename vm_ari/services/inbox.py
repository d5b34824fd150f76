"""One user's messages during a remote inquiry; the lamp follows every change at once."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from vm_ari.domain.messages import Counts, ListOrder, MessageKind, StoredMessage, in_telephone_order
from vm_ari.domain.settings import Deletion
from vm_ari.domain.users import User
from vm_ari.ports import Mailbox, Mailboxes, MailboxUnavailable, MessageGone
from vm_ari.services.lamps import LampKeeper
from vm_ari.services.presence import Presence

log = structlog.get_logger("vm_ari.inbox")


@dataclass(frozen=True)
class Inbox:
    """The open mailbox of a user. Methods raise `MailboxUnavailable`, `MessageGone`."""

    user: User
    mailbox: Mailbox
    lamps: LampKeeper
    order: ListOrder = ListOrder.NEWEST_FIRST
    _deleted: set[str] = field(default_factory=set)
    """Uids of what the user has deleted since it was opened."""

    async def counts(self) -> Counts:
        """How many messages there are now."""
        return await self.mailbox.counts()

    async def messages(
        self, kinds: Collection[MessageKind], *, new: bool
    ) -> Sequence[StoredMessage]:
        """Those of these kinds, in the order in which they are heard: urgent ones first."""
        found = [one for kind in kinds for one in await self.mailbox.messages(kind, new=new)]
        return in_telephone_order(found, self.order)

    async def voice_messages(self, *, new: bool) -> Sequence[StoredMessage]:
        """The same of voice messages."""
        return await self.messages([MessageKind.VOICE], new=new)

    async def audio(self, message: StoredMessage) -> Path:
        """The message as a WAV file, valid during the call."""
        return await self.mailbox.audio(message.uid)

    async def mail(self, message: StoredMessage, most: int | None = None) -> Path:
        """The message as it was sent, or its first *most* octets; a file, valid during the call."""
        return await self.mailbox.mail(message.uid, most=most)

    async def mark(self, message: StoredMessage, *, new: bool) -> None:
        """Heard, or new again."""
        with self.lamps.by_owner(self.user.id) if new else nullcontext():
            await self.mailbox.mark(message.uid, new=new)
            await self._show()

    async def delete(self, message: StoredMessage) -> None:
        """Into the folder of deleted messages."""
        await self.mailbox.delete(message.uid)
        self._deleted.add(message.uid)
        await self._show()

    async def undelete(self, message: StoredMessage) -> None:
        """Back, as it was."""
        with self.lamps.by_owner(self.user.id):
            await self.mailbox.undelete(message.uid)
            self._deleted.discard(message.uid)
            await self._show()

    async def purge(self) -> None:
        """Remove for good what the user has deleted and not brought back.

        Until then it lies in the folder: whatever breaks meanwhile, no message is lost by mistake,
        and what could not be removed is still there.
        """
        while self._deleted:
            uid = self._deleted.pop()
            try:
                await self.mailbox.purge(uid)
            except MessageGone:
                continue
            except MailboxUnavailable as error:
                log.error("deleted message not removed", user=self.user.id, reason=str(error))

    async def _show(self) -> None:
        await self.lamps.show(self.user, await self.mailbox.counts())


@dataclass(frozen=True)
class Inboxes:
    """Opens inboxes."""

    mailboxes: Mailboxes
    lamps: LampKeeper
    deletion: Deletion = Deletion.FOLDER
    order: ListOrder = ListOrder.NEWEST_FIRST
    presence: Presence = field(default_factory=Presence)
    """Learns who is in such a call."""

    @asynccontextmanager
    async def open(self, user: User) -> AsyncIterator[Inbox]:
        """For the time of one call. Raises `MailboxUnavailable`."""
        async with self.mailboxes.open(user) as mailbox:
            inbox = Inbox(user, mailbox, self.lamps, self.order)
            try:
                with self.presence.of(user.id):
                    yield inbox
            finally:
                if self.deletion is Deletion.FOR_GOOD:
                    await inbox.purge()
