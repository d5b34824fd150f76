"""The lamp follows the message store: always counted anew, never plus or minus one."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from vm_ari.domain.messages import Counts
from vm_ari.domain.users import User
from vm_ari.ports import Directory, DirectoryUnavailable, Lamps, Mailboxes, MailboxUnavailable

log = structlog.get_logger("vm_ari.lamps")

AT_ONCE = 16
"""Mailboxes counted side by side after a restart."""


@dataclass(frozen=True)
class LampKeeper:
    """Counts and shows; what cannot be counted is not shown, so a lamp is never guessed."""

    lamps: Lamps
    mailboxes: Mailboxes
    directory: Directory

    async def refresh(self, user: User) -> None:
        """Count one mailbox and tell its phones."""
        try:
            async with self.mailboxes.open(user) as mailbox:
                counts = await mailbox.counts()
        except MailboxUnavailable as error:
            log.warning("lamp left as it is", user=user.id, reason=str(error))
            return
        await self.show(user, counts)

    async def show(self, user: User, counts: Counts) -> None:
        """Tell the phones what was counted."""
        await self.lamps.show(user.mailbox, counts.new_voice, counts.heard_voice)

    async def refresh_all(self) -> None:
        """Every lamp anew: phones forget after a restart of Asterisk."""
        try:
            users = await self.directory.all_users()
        except DirectoryUnavailable as error:
            log.warning("lamps left as they are", reason=str(error))
            return
        await self._refresh_each(users)
        log.info("lamps refreshed", mailboxes=len(users))

    async def _refresh_each(self, users: Sequence[User]) -> None:
        places = asyncio.Semaphore(AT_ONCE)

        async def one(user: User) -> None:
            async with places:
                await self.refresh(user)

        await asyncio.gather(*(one(user) for user in users))
