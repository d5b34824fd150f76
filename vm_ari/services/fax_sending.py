"""Sends the faxes that were ordered, one call after the other, until each is over (UM-04).

Exactly once, as far as a fax allows: a call is written down before it is made, and how it ended is
asked of the telephone system's own notes, so a controller that was killed finds what became of it.
Only where Asterisk itself dies in the middle of a fax, nobody knows which pages have arrived: it is
sent again from the last page that was confirmed before that call.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import structlog

from vm_ari.domain.dialling import Allowed
from vm_ari.domain.fax_orders import (
    Cause,
    FaxLimits,
    FaxOrder,
    FaxState,
    after,
    begun,
    failed,
    headline_name,
    over,
    rendered,
    sender_number,
)
from vm_ari.domain.fax_rights import FaxRights, NotAllowed, may_send, no_right
from vm_ari.domain.numbers import Site
from vm_ari.domain.retries import Retries
from vm_ari.domain.rights import Outgoing, Why
from vm_ari.domain.users import User
from vm_ari.ports import Clock, Directory, DirectoryUnavailable, MailNotQueued
from vm_ari.ports_fax_sending import (
    FaxCall,
    FaxLine,
    FaxLineAway,
    FaxOrders,
    FaxPrinter,
    FaxQueueUnavailable,
    Printed,
    Progress,
    Unprintable,
)
from vm_ari.services.rights import Rights

log = structlog.get_logger("vm_ari.faxes")

LOOK_AGAIN = 2.0
"""Seconds: another process may have ordered or cancelled something."""
FOLLOW_EVERY = 0.5
HEARD_LATE = 10.0
"""Seconds in which a telephone system that did not answer may still do what it was told."""
BREATHE = 30.0
"""Seconds without a try, after something of ours did not answer."""
SWEEP_EVERY = 3600.0
_AWAY = (FaxQueueUnavailable, FaxLineAway, DirectoryUnavailable, MailNotQueued)

Told = Callable[[FaxOrder], Awaitable[None]]
"""Is told of an order that has begun, or is over; more than once after a crash."""


async def nobody_is_told(_order: FaxOrder) -> None:
    """Where nobody wants to know."""


@dataclass(frozen=True)
class FaxRules:
    """How the site sends."""

    rights: FaxRights = field(default_factory=FaxRights)
    retries: Retries[Cause] = field(default_factory=Retries)
    sites: tuple[Site, ...] = (Site(),)
    lines: int = 2
    """Faxes at the same time."""
    keep: timedelta = timedelta(days=30)
    """So long those that are over are remembered."""

    @property
    def limits(self) -> FaxLimits:
        """What one fax may be."""
        return self.rights.limits


class FaxSending:
    """The loop; `run` it once in the whole house."""

    def __init__(
        self,
        orders: FaxOrders,
        printer: FaxPrinter,
        line: FaxLine,
        directory: Directory,
        clock: Clock,
        rules: FaxRules,
        *,
        begins: Told = nobody_is_told,
        ends: Told = nobody_is_told,
        counting: Rights | None = None,
    ) -> None:
        """*counting*: the limits of a day; None: there are none."""
        self._orders = orders
        self._printer = printer
        self._line = line
        self._directory = directory
        self._clock = clock
        self._rules = rules
        self._begins = begins
        self._ends = ends
        self._counting = counting
        self._stir = asyncio.Event()
        self._busy: dict[str, str] = {}
        """Number that is dialled, by order."""
        self._rests: dict[str, float] = {}
        """Until when an order is left alone, in the loop's time."""

    def wake(self) -> None:
        """There is something to do."""
        self._stir.set()

    async def run(self) -> None:
        """Send until cancelled; calls go on without us then."""
        swept = -SWEEP_EVERY
        async with asyncio.TaskGroup() as group:
            while True:
                self._stir.clear()
                try:
                    await self._begin_what_can(group)
                    if _now() - swept >= SWEEP_EVERY:
                        swept = _now()
                        await self._sweep()
                except (FaxQueueUnavailable, FaxLineAway) as error:
                    log.error("faxes cannot be sent", reason=str(error))
                await self._nap()

    async def _sweep(self) -> None:
        await self._orders.sweep(self._clock.now() - self._rules.keep)
        await self._line.sweep([order.call_id for order in await self._orders.going_on()])

    async def _nap(self) -> None:
        try:
            async with asyncio.timeout(LOOK_AGAIN):
                await self._stir.wait()
        except TimeoutError:
            pass

    async def _begin_what_can(self, group: asyncio.TaskGroup) -> None:
        before = set(self._busy)  # what ends while we look is not what we have read
        waiting = sorted(await self._orders.going_on(), key=lambda order: order.priority.rank)
        for order in waiting:
            if order.id in before or self._rests.get(order.id, 0.0) > _now():
                continue
            if await self._may_begin(order):
                self._busy[order.id] = order.number
                group.create_task(self._work(order), name=f"fax {order.id}")

    async def _may_begin(self, order: FaxOrder) -> bool:
        """What is on the line already is always followed; two calls to one number meet as busy."""
        if order.state.is_over or order.state.is_on_the_line:
            return True
        if await self._orders.is_cancelled(order.id):
            return True
        free = len(self._busy) < self._rules.lines and order.number not in self._busy.values()
        return free and order.is_due(self._clock.now())

    async def _work(self, order: FaxOrder) -> None:
        """One step of one order; whatever breaks on it does not stop the others."""
        try:
            await self._step(order)
        except _AWAY as error:
            log.warning("fax has to wait", fax=order.id, reason=str(error))
            self._rests[order.id] = _now() + BREATHE
        except Exception:
            log.exception("fax cannot be worked on", fax=order.id)
            self._rests[order.id] = _now() + BREATHE
        finally:
            self._busy.pop(order.id, None)
            self._stir.set()

    async def _step(self, order: FaxOrder) -> None:
        if order.state.is_on_the_line:
            order = await self._followed(order)
        elif not order.state.is_over:
            if await self._orders.is_cancelled(order.id):
                order = self._cancelled(order)
            else:
                order = await self._tried(order)
        if order.state.is_over:
            await self._finish(order)

    async def _tried(self, order: FaxOrder) -> FaxOrder:
        """The order after one more call, or why there was none."""
        user = await self._directory.user_by_id(order.user_id)
        if user is None:
            return self._refused(order, "its sender is no user any more")
        judged = self._judged(user, order)
        if isinstance(judged, NotAllowed):
            return self._refused(order, judged.reason)
        await self._begins(order)
        try:
            order, printed = await self._printed(order, user)
        except Unprintable as error:
            return failed(order, Cause.UNPRINTABLE, str(error), self._clock.now())
        judged = await self._counted(user, order)
        if isinstance(judged, NotAllowed):
            return self._refused(order, judged.reason)
        try:
            sheets = await self._printer.sheets(printed, order, user, self._clock.now())
        except Unprintable as error:
            return failed(order, Cause.UNPRINTABLE, str(error), self._clock.now())
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
        except FaxLineAway as error:  # perhaps it has heard us all the same
            log.warning("fax perhaps not dialled", fax=order.id, reason=str(error))
            await asyncio.sleep(HEARD_LATE)
        return await self._followed(order)

    async def _followed(self, order: FaxOrder) -> FaxOrder:
        """The order after the call that it is in. Raises `FaxLineAway`: then it is still in it."""
        cancelled = False
        while (now := await self._line.progress(order.call_id)) is not Progress.OVER:
            if now is Progress.CONNECTED and order.state is FaxState.DIALLING:
                order = replace(order, state=FaxState.SENDING)
                await self._orders.save(order)
            if not cancelled and (cancelled := await self._orders.is_cancelled(order.id)):
                await self._line.hang_up(order.call_id)
            await asyncio.sleep(FOLLOW_EVERY)
        ending = await self._line.ending(order.call_id)
        call_id, order = order.call_id, after(order, ending, self._rules.retries, self._clock.now())
        if order.state is not FaxState.SENT and await self._orders.is_cancelled(order.id):
            order = self._cancelled(order)
        _report(order, ending.pages)
        await self._orders.save(order)
        await self._line.forget(call_id)
        return order

    def _judged(self, user: User, order: FaxOrder) -> Allowed | NotAllowed:
        rules = self._rules
        return may_send(user, order.number, order.pages, rules.rights, rules.sites)

    def _cancelled(self, order: FaxOrder) -> FaxOrder:
        """How our own hang-up looked to the network is no cause."""
        return over(replace(order, cause=None, reason=""), FaxState.CANCELLED, self._clock.now())

    async def _counted(self, user: User, order: FaxOrder) -> Allowed | NotAllowed:
        """Each round of an order once, however many calls it takes."""
        judged = self._judged(user, order)
        if self._counting is None or isinstance(judged, NotAllowed):
            return judged
        refused = await self._counting.take(user, Outgoing.FAX, judged, order.occasion, order.pages)
        if refused and refused.why is Why.UNCOUNTED:
            raise FaxQueueUnavailable(refused.reason)
        return no_right(refused) if refused else judged

    def _refused(self, order: FaxOrder, reason: str) -> FaxOrder:
        return failed(order, Cause.REFUSED, reason, self._clock.now())

    async def _finish(self, order: FaxOrder) -> None:
        """Saved before: after a crash everybody is told once more, and knows it already."""
        await self._orders.save(order)
        await self._ends(order)
        if self._counting and order.state is not FaxState.SENT and not order.seconds:
            await self._counting.give_back(order.occasion)  # nobody answered: it cost nothing
        await self._orders.close(order)
        self._rests.pop(order.id, None)


def _report(order: FaxOrder, pages: int) -> None:
    line = log.bind(fax=order.id, pages=pages, confirmed=order.confirmed, of=order.pages)
    if order.state is FaxState.SENT:
        line.info("fax sent", seconds=round(order.seconds))
        return
    cause = order.cause.value if order.cause else ""
    line.warning("fax not sent", cause=cause, why=order.reason, state=order.state.value)


def _now() -> float:
    return asyncio.get_running_loop().time()
