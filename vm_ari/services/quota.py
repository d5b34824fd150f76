"""Users hear, and read in one mail a day, that their mailbox is nearly full (MAIL-08)."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC
from zoneinfo import ZoneInfo

import structlog

from vm_ari.domain.messages import VoiceMessage
from vm_ari.domain.quota import Quota, is_nearly_full
from vm_ari.domain.system_mails import SystemMail
from vm_ari.domain.users import User
from vm_ari.ports import (
    Clock,
    Courier,
    Mailbox,
    Mailboxes,
    MailboxUnavailable,
    MailNotQueued,
    NoRoomLeft,
    Notices,
)

log = structlog.get_logger("vm_ari.quota")

WARNING_PERCENT = 90
FULL = Quota(100, 100)
PATIENCE = 2.0
"""Seconds: nobody who logs in waits longer for this."""


@dataclass(frozen=True)
class QuotaWarnings:
    """Whoever cannot be asked how full a mailbox is, gives no warning and does no harm."""

    mailboxes: Mailboxes
    notices: Notices
    clock: Clock
    percent: int = WARNING_PERCENT
    """From so much on; 0: never."""
    _running: set["asyncio.Task[None]"] = field(default_factory=set)
    _full: set[str] = field(default_factory=set)
    """Ids of users into whose mailbox a message did not fit, whatever the server tells of it."""

    async def at_login(self, user: User, mailbox: Mailbox) -> bool:
        """Shall the user hear that the open *mailbox* is nearly full? The mail is on its way."""
        try:
            async with asyncio.timeout(PATIENCE):
                quota = await self._asked(mailbox)
        except (MailboxUnavailable, TimeoutError) as error:
            log.info("how full nobody knows", user=user.id, reason=str(error) or "slow")
            return False
        if user.id in self._full and self.percent:
            quota = FULL
        if quota is None or not is_nearly_full(quota, self.percent):
            return False
        task = asyncio.create_task(self._tell(user, quota), name=f"quota {user.id}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return True

    async def after_delivery(self, user: User) -> None:
        """A message has come into that user's mailbox: tell by mail if it is nearly full."""
        if not self.percent:
            return
        try:
            async with self.mailboxes.open(user) as mailbox:
                quota = await self._asked(mailbox)
        except MailboxUnavailable as error:
            log.info("how full nobody knows", user=user.id, reason=str(error))
            return
        if quota and is_nearly_full(quota, self.percent):
            await self._tell(user, quota)

    async def found_full(self, user: User) -> None:
        """A message did not fit in."""
        self._full.add(user.id)
        if self.percent:
            await self._tell(user, FULL)

    def found_room(self, user: User) -> None:
        """A message has come in."""
        self._full.discard(user.id)

    async def settle(self) -> None:
        """Wait for what logins have set off."""
        await asyncio.gather(*self._running)

    async def _asked(self, mailbox: Mailbox) -> Quota | None:
        return await mailbox.quota() if self.percent else None

    async def _tell(self, user: User, quota: Quota) -> None:
        """Once a day, however often it is found."""
        log.warning("mailbox nearly full", user=user.id, percent=quota.percent)
        values = {
            "percent": min(quota.percent, 100),
            "full": quota.share >= 1,
        }
        try:
            await self.notices.tell(
                user, SystemMail.MAILBOX_FULL, values, occasion=self._today(user)
            )
        except MailNotQueued as error:
            log.warning("user not told", user=user.id, reason=str(error))
        except Exception:  # neither a call nor a delivery is hurt by it
            log.exception("user not told", user=user.id)

    def _today(self, user: User) -> str:
        now = self.clock.now()
        try:
            return now.astimezone(ZoneInfo(user.time_zone)).date().isoformat()
        except (KeyError, ValueError, OSError):
            return now.astimezone(UTC).date().isoformat()


@dataclass(frozen=True)
class WarningCourier:
    """`ports.Courier` in front of another one: it sees whose mailbox is full."""

    courier: Courier
    warnings: QuotaWarnings

    async def deliver(self, message: VoiceMessage, user: User, *, plain: bool = False) -> None:
        """See `Courier`."""
        try:
            await self.courier.deliver(message, user, plain=plain)
        except NoRoomLeft:
            await self.warnings.found_full(user)
            raise
        self.warnings.found_room(user)

    async def has(self, message: VoiceMessage, user: User) -> bool:
        """See `Courier`."""
        return await self.courier.has(message, user)
