"""Ordering spoken messages: what pages, programs, mails and commands do (SPEECH-04).

Everybody may do that from any process; the running controller calls.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from vm_ari.domain.dialling import Allowed
from vm_ari.domain.fax_orders import Way, order_id
from vm_ari.domain.fax_rights import NotAllowed, no_right
from vm_ari.domain.numbers import Site
from vm_ari.domain.rights import Outgoing, Why
from vm_ari.domain.spoken_orders import (
    LATEST,
    SpokenOrder,
    SpokenRights,
    language_for,
    may_speak,
    words_of,
)
from vm_ari.domain.users import User
from vm_ari.ports import Clock
from vm_ari.ports_spoken import SpokenOrders, SpokenQueueUnavailable
from vm_ari.services.rights import Rights

log = structlog.get_logger("vm_ari.spoken")


class SpokenRefused(Exception):
    """A rule forbids that message; the text is for the person who wanted it."""

    def __init__(self, refusal: NotAllowed) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


class NothingToSay(Exception):
    """The text cannot be spoken, or is too long. The text of this says why."""


class WrongTime(Exception):
    """It is not possible to call then. The text says why."""


def _nobody() -> None:
    """Where no controller is in this process: it looks by itself."""


@dataclass(frozen=True)
class SpokenOrdering:
    """Methods raise `SpokenQueueUnavailable`."""

    orders: SpokenOrders
    clock: Clock
    languages: Sequence[str]
    """In which texts are spoken."""
    rights: SpokenRights = field(default_factory=SpokenRights)
    sites: tuple[Site, ...] = (Site(),)
    confirm: bool = False
    """Has every listener to press a key, whatever the sender says?"""
    wake: Callable[[], None] = _nobody
    """Tells whoever calls that there is something to do."""
    counting: Rights | None = None
    """The limits of a day; None: nobody counts."""

    def judge(self, user: User, number: str) -> Allowed | NotAllowed:
        """May a message of that user be spoken there? The number is in any spelling."""
        return may_speak(user, number, self.rights, self.sites)

    async def place(
        self,
        user: User,
        number: str,
        text: str,
        *,
        way: Way,
        language: str = "",
        later: datetime | None = None,
        confirm: bool = False,
        occasion: str = "",
    ) -> SpokenOrder:
        """Order it; the same *occasion* is ordered once. *language*: empty where nobody knows.

        Raises `SpokenRefused`, `NothingToSay`, `WrongTime`.
        """
        judged = self.judge(user, number)
        if isinstance(judged, NotAllowed):
            raise SpokenRefused(judged)
        name = order_id(user.id, f"spoken {occasion or secrets.token_hex(16)}")
        if occasion and (known := await self.orders.find(name)):
            return known
        now = self.clock.now()
        order = SpokenOrder(
            name,
            user.id,
            judged.number,
            now,
            _possible(later, now),
            way,
            text.strip(),
            language_for(text, language, user.language, self.languages),
            confirm or self.confirm,
        )
        self._check(order)
        await self._has_room(user, judged)
        if await self.orders.add(order):
            log.info("spoken message ordered", order=name, user=user.id, way=way.value)
        self.wake()
        return await self.orders.find(name) or order

    async def of_user(self, user_id: str) -> Sequence[SpokenOrder]:
        """The newest first; everybody's for an empty id."""
        return await self.orders.of_user(user_id)

    async def find(self, user_id: str, name: str) -> SpokenOrder | None:
        """One order of that user, or for an empty id of anybody."""
        found = await self.orders.find(name)
        return found if found and user_id in {"", found.user_id} else None

    async def cancel(self, order: SpokenOrder) -> None:
        """No more of it: a call that goes on is ended. Harmless where it is over."""
        await self.orders.cancel(order.id)
        self.wake()

    def _check(self, order: SpokenOrder) -> None:
        """Raises `NothingToSay`."""
        if (letters := len(order.text)) > (most := self.rights.letters):
            raise NothingToSay(f"The text has {letters} characters; {most} are possible.")
        if next(words_of(order), None) is None:
            raise NothingToSay("There is nothing in the text that can be spoken.")

    async def _has_room(self, user: User, to: Allowed) -> None:
        """Is there any of today's left? It counts when it is dialled. Raises `SpokenRefused`."""
        refused = await self.counting.look(user, Outgoing.VOICE, to) if self.counting else None
        if refused and refused.why is Why.UNCOUNTED:
            raise SpokenQueueUnavailable(refused.reason)
        if refused:
            raise SpokenRefused(no_right(refused))


def _possible(later: datetime | None, now: datetime) -> datetime:
    """When the first call may be. Raises `WrongTime`."""
    if later is None or later <= now:
        return now
    if later - now > LATEST:
        raise WrongTime(f"That is too far ahead: {LATEST.days} days are possible.")
    return later
