"""Ordering faxes: what pages, programs, mails, commands and telephone menus do (UM-04).

Everybody may do that from any process; the running controller sends what is ordered.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import structlog

from vm_ari.domain.dialling import Allowed
from vm_ari.domain.fax_orders import Cover, FaxOrder, Way, once_more, order_id, rendered
from vm_ari.domain.fax_rights import FaxRights, NotAllowed, may_send, no_right
from vm_ari.domain.numbers import Site
from vm_ari.domain.rights import Outgoing, Refused, Why
from vm_ari.domain.users import User
from vm_ari.ports import Clock
from vm_ari.ports_fax_sending import (
    FaxOrders,
    FaxPrinter,
    FaxQueueUnavailable,
    Paper,
    Printed,
    Unprintable,
)
from vm_ari.services.rights import Rights

log = structlog.get_logger("vm_ari.faxes")

MOST_ROWS = 20
"""Of a text on a cover page."""
_ROW = 70
"""Characters."""


class FaxRefused(Exception):
    """A rule forbids that fax; the text is for the person who wanted it."""

    def __init__(self, refusal: NotAllowed) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


def _nobody() -> None:
    """Where no controller is in this process: it looks by itself."""


@dataclass(frozen=True)
class FaxOrdering:
    """Methods raise `FaxQueueUnavailable`."""

    orders: FaxOrders
    printer: FaxPrinter
    clock: Clock
    rights: FaxRights = field(default_factory=FaxRights)
    sites: tuple[Site, ...] = (Site(),)
    wake: Callable[[], None] = _nobody
    """Tells whoever sends that there is something to do."""
    counting: Rights | None = None
    """The limits of a day; None: nobody counts."""

    def judge(self, user: User, number: str, *, dialled: bool = False) -> Allowed | NotAllowed:
        """May a fax of that user go to that number, in any spelling?"""
        return may_send(user, number, 0, self.rights, self.sites, dialled=dialled)

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
        Raises `FaxRefused`, `Unprintable`.
        """
        judged = self._allowed(user, number)
        name = order_id(user.id, occasion or secrets.token_hex(16))
        if occasion and (known := await self.orders.find(name)):
            return known
        await self._has_room(user, judged)
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

    async def of_user(self, user_id: str) -> Sequence[FaxOrder]:
        """The newest first; everybody's for an empty id."""
        return await self.orders.of_user(user_id)

    async def find(self, user_id: str, name: str) -> FaxOrder | None:
        """One order of that user, or for an empty id of anybody."""
        found = await self.orders.find(name)
        return found if found and user_id in {"", found.user_id} else None

    async def pages(self, order: FaxOrder) -> Printed | None:
        """To be looked at; None: they are not made yet, or gone."""
        return await self.orders.pages(order.id)

    async def cancel(self, order: FaxOrder) -> None:
        """No more of it: what is on the line is ended. Harmless where it is over."""
        await self.orders.cancel(order.id)
        self.wake()

    async def again(self, user: User, order: FaxOrder) -> bool:
        """Begin one anew that is over; False: it is not over, or its documents are gone.

        Raises `FaxRefused`.
        """
        judged = self._allowed(user, order.number, order.pages)
        await self._has_room(user, judged, order.pages)
        if not order.state.is_over or not await self._can_be_printed(order):
            return False
        begun = await self.orders.reopen(once_more(order, self.clock.now()))
        self.wake()
        return begun

    def _allowed(self, user: User, number: str, pages: int = 0) -> Allowed:
        """Raises `FaxRefused`."""
        judged = may_send(user, number, pages, self.rights, self.sites)
        if isinstance(judged, NotAllowed):
            raise FaxRefused(judged)
        return judged

    async def _has_room(self, user: User, to: Allowed, pages: int = 0) -> None:
        """Is there any of today's left? It is counted when its pages are known.

        Raises `FaxRefused`.
        """
        if self.counting:
            _must_be_none(await self.counting.look(user, Outgoing.FAX, to, pages))

    async def _count(self, user: User, order: FaxOrder) -> None:
        """Raises `FaxRefused`."""
        to = self._allowed(user, order.number, order.pages)
        if self.counting:
            taken = self.counting.take(user, Outgoing.FAX, to, order.occasion, order.pages)
            _must_be_none(await taken)

    async def _add(self, order: FaxOrder, papers: Sequence[Paper]) -> bool:
        try:
            return await self.orders.add(order, papers)
        except FaxQueueUnavailable:
            if self.counting:
                await self.counting.give_back(order.occasion)
            raise

    async def _can_be_printed(self, order: FaxOrder) -> bool:
        if await self.orders.pages(order.id):
            return True
        return bool(order.cover or await self.orders.papers(order.id))


def _must_be_none(refused: Refused | None) -> None:
    """Raises `FaxRefused`; what passes by itself is to be tried again, as when a disk is full."""
    if refused and refused.why is Why.UNCOUNTED:
        raise FaxQueueUnavailable(refused.reason)
    if refused:
        raise FaxRefused(no_right(refused))


def _short_cover(cover: Cover, papers: Sequence[Paper]) -> tuple[Cover, Sequence[Paper]]:
    """A text that one page cannot hold becomes a document of its own."""
    rows = sum(1 + len(line) // _ROW for line in cover.text.splitlines())
    if rows <= MOST_ROWS:
        return cover, papers
    return replace(cover, text=""), (Paper("text/plain", cover.text.encode()), *papers)
