"""The lamp follows the message store: always counted anew, never plus or minus one."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

import structlog

from vm_ari.domain.messages import Counts
from vm_ari.domain.users import User
from vm_ari.ports import Directory, DirectoryUnavailable, Lamps, Mailboxes, MailboxUnavailable

log = structlog.get_logger("vm_ari.lamps")

AT_ONCE = 16
"""Mailboxes counted side by side after a restart."""


class _Order:
    """Of counts of one mailbox that overlap, none is shown after one that began later.

    Whoever changes a mailbox has it counted afterwards: that count began last and is right.
    """

    def __init__(self) -> None:
        self._moments = count(1)
        self._under_way: dict[str, int] = {}
        self._shown: dict[str, int] = {}

    @contextmanager
    def counting(self, user_id: str) -> Iterator[Callable[[], bool]]:
        """The time of one count; yields the question whether it may still be shown."""
        begun = next(self._moments)
        self._under_way[user_id] = self._under_way.get(user_id, 0) + 1
        try:
            yield lambda: self._may_show(user_id, begun)
        finally:
            self._under_way[user_id] -= 1
            if not self._under_way[user_id]:
                del self._under_way[user_id]
                self._shown.pop(user_id, None)

    def shown(self, user_id: str) -> None:
        """Counted elsewhere, and shown now."""
        self._may_show(user_id, next(self._moments))

    def _may_show(self, user_id: str, begun: int) -> bool:
        if self._shown.get(user_id, 0) > begun:
            return False
        if user_id in self._under_way:
            self._shown[user_id] = begun
        return True


@dataclass(frozen=True)
class LampKeeper:
    """Counts and shows; what cannot be counted is not shown, so a lamp is never guessed."""

    lamps: Lamps
    mailboxes: Mailboxes
    directory: Directory
    _order: _Order = field(default_factory=_Order, init=False, repr=False, compare=False)

    async def refresh(self, user: User) -> None:
        """Count one mailbox and tell its phones; a default recipient (CALL-09) has none."""
        if not user.mailbox:
            return
        with self._order.counting(user.id) as may_be_shown:
            try:
                async with self.mailboxes.open(user) as mailbox:
                    counts = await mailbox.counts()
            except MailboxUnavailable as error:
                log.warning("lamp left as it is", user=user.id, reason=str(error))
                return
            if may_be_shown():
                await self._tell(user, counts)

    async def show(self, user: User, counts: Counts) -> None:
        """Tell the phones what was counted."""
        self._order.shown(user.id)
        await self._tell(user, counts)

    async def refresh_all(self) -> None:
        """Every lamp anew: phones forget after a restart of Asterisk.

        Takes as long as counting all mailboxes does.
        """
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
                try:
                    await self.refresh(user)
                except Exception:  # one broken mailbox must not keep the others dark
                    log.exception("lamp left as it is", user=user.id)

        await asyncio.gather(*(one(user) for user in users))

    async def _tell(self, user: User, counts: Counts) -> None:
        await self.lamps.show(user.mailbox, counts.new_voice, counts.heard_voice)
