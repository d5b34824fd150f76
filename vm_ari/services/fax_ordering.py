"""Ordering faxes (UM-04); see `ordering`."""

import secrets
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field, replace

import structlog

from vm_ari.domain.dialling import Allowed
from vm_ari.domain.fax_orders import Cover, FaxOrder, once_more, rendered
from vm_ari.domain.fax_rights import FaxRights, may_send
from vm_ari.domain.orders import NotAllowed, Way, order_id
from vm_ari.domain.rights import Outgoing
from vm_ari.domain.users import User
from vm_ari.ports.fax_sending import FaxOrders, FaxPrinter, Paper, Printed, Unprintable
from vm_ari.ports.orders import OrdersUnavailable
from vm_ari.services.order_rights import denial
from vm_ari.services.ordering import Ordering, allowed

log = structlog.get_logger("vm_ari.faxes")

MOST_ROWS = 20
"""Of a text on a cover page."""
_ROW = 70
"""Characters."""


@dataclass(frozen=True)
class FaxOrdering(Ordering[FaxOrder]):
    """See `Ordering`."""

    WHAT = Outgoing.FAX

    orders: FaxOrders
    _: KW_ONLY
    printer: FaxPrinter
    rights: FaxRights = field(default_factory=FaxRights)

    def judge(self, user: User, number: str) -> Allowed | NotAllowed:
        """See `Ordering`; nobody knows yet how many pages there are."""
        return self._judged(user, number)

    async def place(
        self,
        user: User,
        number: str,
        papers: Sequence[Paper],
        *,
        way: Way,
        cover: Cover | None = None,
        occasion: str = "",
        at_once: bool = True,
    ) -> FaxOrder:
        """Order a fax; the same *occasion* is ordered once.

        *at_once*: make the pages now, so that somebody who waits learns what is wrong with them.
        Raises `OrderRefused`, `Unprintable`.
        """
        judged = allowed(self.judge(user, number))
        name = order_id(user.id, occasion or secrets.token_hex(16))
        if occasion and (known := await self.orders.find(name)):
            return known
        await self._must_have_room(user, judged)
        if not papers and not cover:
            raise Unprintable("there is nothing to send")
        cover, papers = _short_cover(cover or Cover(), papers)
        now, priority = self.clock.now(), user.fax_priority
        order = FaxOrder(name, user.id, judged.number, now, way, cover, priority=priority)
        pages: Printed | None = None
        if at_once:
            pages = await self.printer.body(papers, order, user, self.rights.limits)
            order = rendered(order, pages.pages)
            await self._count(user, order)
        if await self._add(order, papers):
            if pages:
                await self.orders.keep_pages(order.id, pages)
            log.info("fax ordered", fax=order.id, user=user.id, way=way.value, pages=order.pages)
        self.wake()
        return await self.orders.find(order.id) or order

    async def pages(self, order: FaxOrder) -> Printed | None:
        """To be looked at; None: they are not made yet, or gone."""
        return await self.orders.pages(order.id)

    async def again(self, user: User, order: FaxOrder) -> bool:
        """Begin one anew that is over; False: it is not over, or its documents are gone.

        Raises `OrderRefused`.
        """
        judged = allowed(self._judged(user, order.number, order.pages))
        await self._must_have_room(user, judged, order.pages)
        if not order.state.is_over or not await self._can_be_printed(order):
            return False
        begun = await self.orders.reopen(once_more(order, self.clock.now()))
        self.wake()
        return begun

    def _judged(self, user: User, number: str, pages: int = 0) -> Allowed | NotAllowed:
        return may_send(user, number, pages, self.rights, self.sites)

    async def _count(self, user: User, order: FaxOrder) -> None:
        """Raises `OrderRefused`."""
        to = allowed(self._judged(user, order.number, order.pages))
        if self.counting:
            taken = self.counting.take(user, self.WHAT, to, order.occasion, order.pages)
            allowed(denial(await taken) or to)

    async def _add(self, order: FaxOrder, papers: Sequence[Paper]) -> bool:
        try:
            return await self.orders.add(order, papers)
        except OrdersUnavailable:
            if self.counting:
                await self.counting.give_back(order.occasion)
            raise

    async def _can_be_printed(self, order: FaxOrder) -> bool:
        if await self.orders.pages(order.id):
            return True
        return bool(order.cover or await self.orders.papers(order.id))


def _short_cover(cover: Cover, papers: Sequence[Paper]) -> tuple[Cover, Sequence[Paper]]:
    """A text that one page cannot hold becomes a document of its own."""
    rows = sum(1 + len(line) // _ROW for line in cover.text.splitlines())
    if rows <= MOST_ROWS:
        return cover, papers
    return replace(cover, text=""), (Paper("text/plain", cover.text.encode()), *papers)
