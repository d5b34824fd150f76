"""Ordering spoken messages (SPEECH-04); see `ordering`."""

import secrets
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from datetime import datetime

import structlog

from vm_ari.domain.dialling import Allowed
from vm_ari.domain.orders import NotAllowed, Way, order_id
from vm_ari.domain.rights import Outgoing
from vm_ari.domain.spoken_orders import (
    LATEST,
    SpokenOrder,
    SpokenRights,
    language_for,
    may_speak,
    words_of,
)
from vm_ari.domain.users import User
from vm_ari.ports.spoken import SpokenOrders
from vm_ari.services.ordering import Ordering, allowed

log = structlog.get_logger("vm_ari.spoken")


class NothingToSay(Exception):
    """The text cannot be spoken, or is too long. The text of this says why."""


class WrongTime(Exception):
    """It is not possible to call then. The text says why."""


@dataclass(frozen=True)
class SpokenOrdering(Ordering[SpokenOrder]):
    """See `Ordering`."""

    WHAT = Outgoing.VOICE

    orders: SpokenOrders
    _: KW_ONLY
    languages: Sequence[str]
    """In which texts are spoken."""
    rights: SpokenRights = field(default_factory=SpokenRights)
    confirm: bool = False
    """Has every listener to press a key, whatever the sender says?"""

    def judge(self, user: User, number: str) -> Allowed | NotAllowed:
        """See `Ordering`."""
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

        Raises `OrderRefused`, `NothingToSay`, `WrongTime`.
        """
        judged = allowed(self.judge(user, number))
        name = order_id(user.id, f"spoken {occasion or secrets.token_hex(16)}")
        if occasion and (known := await self.orders.find(name)):
            return known
        now = self.clock.now()
        order = SpokenOrder(
            name,
            user.id,
            judged.number,
            now,
            way,
            _possible(later, now),
            text.strip(),
            language_for(text, language, user.language, self.languages),
            confirm or self.confirm,
        )
        self._check(order)
        await self._must_have_room(user, judged)  # it counts when it is dialled
        if await self.orders.add(order):
            log.info("spoken message ordered", order=name, user=user.id, way=way.value)
        self.wake()
        return await self.orders.find(name) or order

    def _check(self, order: SpokenOrder) -> None:
        """Raises `NothingToSay`."""
        if (letters := len(order.text)) > (most := self.rights.letters):
            raise NothingToSay(f"The text has {letters} characters; {most} are possible.")
        if next(words_of(order), None) is None:
            raise NothingToSay("There is nothing in the text that can be spoken.")


def _possible(later: datetime | None, now: datetime) -> datetime:
    """When the first call may be. Raises `WrongTime`."""
    if later is None or later <= now:
        return now
    if later - now > LATEST:
        raise WrongTime(f"That is too far ahead: {LATEST.days} days are possible.")
    return later
