"""Ordering: what pages, programs, mails, commands and telephone menus do (UM-04, SPEECH-04).

Everybody may do that from any process; the running controller makes the calls.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, Generic

from vm_ari.domain.dialling import Allowed
from vm_ari.domain.numbers import Site
from vm_ari.domain.orders import Kept, NotAllowed
from vm_ari.domain.rights import Outgoing
from vm_ari.domain.users import User
from vm_ari.ports import Clock
from vm_ari.ports.orders import Orders
from vm_ari.services.order_rights import denial
from vm_ari.services.rights import Rights


class OrderRefused(Exception):
    """A rule forbids it; the text is for the person who wanted it."""

    def __init__(self, refusal: NotAllowed) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


def _nobody() -> None:
    """Where no controller is in this process: it looks by itself."""


@dataclass(frozen=True)
class Ordering(ABC, Generic[Kept]):
    """Orders of one kind. Methods raise `OrdersUnavailable`."""

    WHAT: ClassVar[Outgoing]

    orders: Orders[Kept]
    clock: Clock
    _: KW_ONLY
    sites: tuple[Site, ...] = (Site(),)
    wake: Callable[[], None] = _nobody
    """Tells whoever makes the calls that there is something to do."""
    counting: Rights | None = None
    """The limits of a day; None: nobody counts."""

    @abstractmethod
    def judge(self, user: User, number: str) -> Allowed | NotAllowed:
        """May that user order something for that number, in any spelling?"""

    async def of_user(self, user_id: str) -> Sequence[Kept]:
        """The newest first; everybody's for an empty id."""
        return await self.orders.of_user(user_id)

    async def find(self, user_id: str, name: str) -> Kept | None:
        """One order of that user, or for an empty id of anybody."""
        found = await self.orders.find(name)
        return found if found and user_id in {"", found.user_id} else None

    async def cancel(self, order: Kept) -> None:
        """No more of it: what is on the line is ended. Harmless where it is over."""
        await self.orders.cancel(order.id)
        self.wake()

    async def _must_have_room(self, user: User, to: Allowed, pages: int = 0) -> None:
        """Is there any of today's left? Nothing is counted yet. Raises `OrderRefused`."""
        if self.counting:
            refused = await self.counting.look(user, self.WHAT, to, pages)
            allowed(denial(refused) or to)


def allowed(judged: Allowed | NotAllowed) -> Allowed:
    """Raises `OrderRefused`."""
    if isinstance(judged, NotAllowed):
        raise OrderRefused(judged)
    return judged
