"""The lamp follows the message store: always counted anew, never plus or minus one."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

import structlog

from vm_ari.domain.messages import Counts
from vm_ari.domain.notifications import Shown
from vm_ari.domain.users import User
from vm_ari.measures import LAMPS
from vm_ari.ports import Directory, Lamps, Mailboxes, MailboxUnavailable

log = structlog.get_logger("vm_ari.lamps")


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

    def _may_show(self, user_id: str, begun: int) -> bool:
        if self._shown.get(user_id, 0) > begun:
            return False
        if user_id in self._under_way:
            self._shown[user_id] = begun
        return True


OnCounted = Callable[[User, Counts, int, int], Awaitable[Shown]]
"""Hears each count, and says what the lamp shows.

Also told is how many messages have just been delivered, and how many the owner may have made new
again.
"""


async def as_counted(user: User, counts: Counts, delivered: int, returned: int) -> Shown:
    """A lamp without rules: it shows the voice messages."""
    return Shown(user.mailbox, counts.new_voice, counts.heard_voice)


@dataclass(frozen=True)
class LampKeeper:
    """Counts and shows; what cannot be counted is not shown, so a lamp is never guessed."""

    lamps: Lamps
    mailboxes: Mailboxes
    directory: Directory
    on_counted: OnCounted = as_counted
    """Must not raise."""
    was_told: Callable[[str], tuple[int, int] | None] = lambda _mailbox: None
    """New and old messages that the phones of a mailbox show, where that is known."""
    _order: _Order = field(default_factory=_Order, init=False, repr=False, compare=False)
    _delivered: dict[str, int] = field(default_factory=dict, init=False, repr=False, compare=False)
    """Messages by user of which the next count is told that they have come."""

    _by_owner: Counter[str] = field(default_factory=Counter, init=False, repr=False, compare=False)

    @contextmanager
    def by_owner(self, user_id: str) -> Iterator[None]:
        """Meanwhile the owner makes a message new again: that is no news."""
        self._by_owner[user_id] += 1
        try:
            yield
        finally:
            self._by_owner[user_id] -= 1
            if not self._by_owner[user_id]:
                del self._by_owner[user_id]

    def delivered(self, user_id: str) -> None:
        """A message has come into that mailbox: the next count that begins now shows it."""
        self._keep(user_id, 1)

    async def refresh(self, user: User) -> None:
        """Count one mailbox and tell its phones; a default recipient (CALL-09) has none."""
        await self.recount(user)

    async def recount(self, user: User, *, in_round: bool = False) -> Counts | None:
        """The same; what was counted, or None where that was impossible: the lamp stays then.

        *in_round*: nothing was heard of a change, so that a lamp that is wrong now is a fault.
        """
        if not user.mailbox:
            return Counts()
        with self._order.counting(user.id) as may_be_shown:
            delivered = self._delivered.pop(user.id, 0)
            try:
                counts = await self.mailboxes.counts(user)
            except MailboxUnavailable as error:
                log.warning("lamp left as it is", user=user.id, reason=str(error))
                self._keep(user.id, delivered)
                return None
            told = await self._tell(user, counts, may_be_shown, delivered, in_round=in_round)
            if not told:
                self._keep(user.id, delivered)
            return counts

    def _keep(self, user_id: str, delivered: int) -> None:
        """For the next count."""
        if delivered:
            self._delivered[user_id] = self._delivered.get(user_id, 0) + delivered

    async def show(self, user: User, counts: Counts) -> None:
        """Tell the phones what was counted."""
        with self._order.counting(user.id) as may_be_shown:
            await self._tell(user, counts, may_be_shown)

    async def _tell(
        self,
        user: User,
        counts: Counts,
        may_be_shown: Callable[[], bool],
        delivered: int = 0,
        *,
        in_round: bool = False,
    ) -> bool:
        """False: something newer was told already."""
        if not may_be_shown():
            return False
        returned = self._by_owner.get(user.id, 0)
        shown = await self.on_counted(user, counts, delivered, returned)
        if may_be_shown():  # nothing newer was counted meanwhile
            if in_round and self.was_told(shown.mailbox) not in {None, (shown.new, shown.old)}:
                LAMPS.add("found-wrong")
            await self.lamps.show(shown.mailbox, shown.new, shown.old)
        return True
