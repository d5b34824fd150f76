"""Sends the faxes that were ordered, one call after the other, until each is over (UM-04).

Exactly once, as far as a fax allows: a call is written down before it is made, and how it ended is
asked of the telephone system's own notes, so a controller that was killed finds what became of it.
Only where Asterisk itself dies in the middle of a fax, nobody knows which pages have arrived: it is
sent again from the last page that was confirmed before that call.
"""

import asyncio
from dataclasses import dataclass, field, replace

import structlog

from vm_ari.domain.dialling import Allowed
from vm_ari.domain.fax_orders import (
    Cause,
    FaxLimits,
    FaxOrder,
    FaxState,
    after,
    begun,
    headline_name,
    rendered,
    sender_number,
)
from vm_ari.domain.fax_rights import FaxRights, may_send
from vm_ari.domain.orders import NotAllowed, failed
from vm_ari.domain.rights import Outgoing
from vm_ari.domain.users import User
from vm_ari.ports.fax_sending import (
    FaxCall,
    FaxLine,
    FaxOrders,
    FaxPrinter,
    Printed,
    Progress,
    Unprintable,
)
from vm_ari.ports.orders import LineAway
from vm_ari.services.order_sending import FOLLOW_EVERY, OrderHouse, OrderRules, OrderSending

log = structlog.get_logger("vm_ari.faxes")

HEARD_LATE = 10.0
"""Seconds in which a telephone system that did not answer may still do what it was told."""


@dataclass(frozen=True)
class FaxRules(OrderRules):
    """How the site sends; *lines*: faxes at the same time."""

    rights: FaxRights = field(default_factory=FaxRights)

    @property
    def limits(self) -> FaxLimits:
        """What one fax may be."""
        return self.rights.limits


class FaxSending(OrderSending[FaxOrder, FaxRules]):
    """See `OrderSending`."""

    LOG, KEY, NOUN = log, "fax", "fax"
    STANDSTILL = "faxes cannot be sent"
    WHAT, REFUSED = Outgoing.FAX, Cause.REFUSED
    _orders: FaxOrders

    def __init__(
        self,
        orders: FaxOrders,
        printer: FaxPrinter,
        line: FaxLine,
        house: OrderHouse[FaxOrder],
        rules: FaxRules,
    ) -> None:
        super().__init__(orders, house, rules)
        self._printer = printer
        self._line = line

    async def _sweep(self) -> None:
        await super()._sweep()
        await self._line.sweep([order.call_id for order in await self._orders.going_on()])

    async def _tried(self, order: FaxOrder, user: User) -> FaxOrder:
        judged = self._judged(user, order)
        if isinstance(judged, NotAllowed):
            return self._refused(order, judged.reason)
        await self._house.begins(order)
        try:
            order, printed = await self._printed(order, user)
        except Unprintable as error:
            return self._unprintable(order, error)
        judged = await self._counted(user, order, order.pages)
        if isinstance(judged, NotAllowed):
            return self._refused(order, judged.reason)
        try:
            sheets = await self._printer.sheets(printed, order, user, self._house.clock.now())
        except Unprintable as error:
            return self._unprintable(order, error)
        return await self._called(order, user, judged, sheets)

    async def _printed(self, order: FaxOrder, user: User) -> tuple[FaxOrder, Printed]:
        """Raises `Unprintable`."""
        printed = await self._orders.pages(order.id) if order.pages else None
        if printed is None:
            await self._orders.save(replace(order, state=FaxState.RENDERING))
            papers = await self._orders.papers(order.id)
            printed = await self._printer.body(papers, order, user, self._rules.limits)
            await self._orders.keep_pages(order.id, printed)
        order = rendered(order, printed.pages)
        await self._orders.save(order)
        return order, printed

    async def _called(
        self, order: FaxOrder, user: User, number: Allowed, sheets: Printed
    ) -> FaxOrder:
        """Written down first: whatever happens now, the call is found by its name."""
        order = begun(order)
        await self._orders.save(order)
        call = FaxCall(
            id=order.call_id,
            number=number,
            tiff=sheets.tiff,
            pages=sheets.pages,
            sender=sender_number(user),
            name=headline_name(user),
        )
        log.info("fax dialled", fax=order.id, call=call.id, number=order.number[-3:])
        try:
            await self._line.call(call)
        except LineAway as error:  # perhaps it has heard us all the same
            log.warning("fax perhaps not dialled", fax=order.id, reason=str(error))
            await asyncio.sleep(HEARD_LATE)
        return await self._followed(order)

    async def _followed(self, order: FaxOrder) -> FaxOrder:
        stopped = False
        while (now := await self._line.progress(order.call_id)) is not Progress.OVER:
            if now is Progress.CONNECTED and order.state is FaxState.DIALLING:
                order = replace(order, state=FaxState.SENDING)
                await self._orders.save(order)
            if not stopped and (stopped := await self._orders.is_cancelled(order.id)):
                await self._line.hang_up(order.call_id)
            await asyncio.sleep(FOLLOW_EVERY)
        ending = await self._line.ending(order.call_id)
        order = after(order, ending, self._rules.retries, self._house.clock.now())
        order = await self._unless_cancelled(order)
        _report(order, ending.pages)
        await self._orders.save(order)
        await self._line.forget(order.call_id)
        return order

    def _judged(self, user: User, order: FaxOrder) -> Allowed | NotAllowed:
        rules = self._rules
        return may_send(user, order.number, order.pages, rules.rights, rules.sites)

    def _unprintable(self, order: FaxOrder, error: Unprintable) -> FaxOrder:
        return failed(order, Cause.UNPRINTABLE, str(error), self._house.clock.now())


def _report(order: FaxOrder, pages: int) -> None:
    line = log.bind(fax=order.id, pages=pages, confirmed=order.confirmed, of=order.pages)
    if order.state is FaxState.SENT:
        line.info("fax sent", seconds=round(order.seconds))
        return
    cause = order.cause.value if order.cause else ""
    line.warning("fax not sent", cause=cause, why=order.reason, state=order.state.value)
