"""The loop that makes the calls for orders of one kind, until each is over.

A call is written down before it is made, and what came of it before anybody is told, so that a
controller that was killed goes on where it was. What a call is, and how it ends, the kinds tell:
`fax_sending`, `spoken_sending`.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, ClassVar, Generic, TypeVar

import structlog

from vm_ari.domain.dialling import Allowed
from vm_ari.domain.numbers import Site
from vm_ari.domain.orders import Kept, NotAllowed, Order, Stage, cancelled, failed
from vm_ari.domain.retries import Retries
from vm_ari.domain.rights import Outgoing
from vm_ari.domain.users import User
from vm_ari.ports import Clock, Directory, DirectoryUnavailable, MailNotQueued
from vm_ari.ports.orders import LineAway, Orders, OrdersUnavailable
from vm_ari.services.order_rights import denial
from vm_ari.services.rights import Rights

LOOK_AGAIN = 2.0
"""Seconds: another process may have ordered or cancelled something."""
FOLLOW_EVERY = 0.5
BREATHE = 30.0
"""Seconds without a try, after something of ours did not answer."""
SWEEP_EVERY = 3600.0
RECALLED = timedelta(hours=1)
"""So long before a start an order was over that is recalled."""
GONE = "its sender is no user any more"
_AWAY = (OrdersUnavailable, LineAway, DirectoryUnavailable, MailNotQueued)


async def nobody_is_told(_order: Order[Any]) -> None:
    """Where nobody wants to know."""


@dataclass(frozen=True)
class OrderRules:
    """How the site makes such calls."""

    retries: Retries[Any] = field(default_factory=Retries)
    """By the causes of the kind."""
    sites: tuple[Site, ...] = (Site(),)
    lines: int = 2
    """Calls at the same time."""
    keep: timedelta = timedelta(days=30)
    """So long those that are over are remembered."""


Rules = TypeVar("Rules", bound=OrderRules)
Told = Callable[[Kept], Awaitable[None]]
"""Is told of an order that has begun, or is over; more than once after a crash."""


@dataclass(frozen=True)
class OrderHouse(Generic[Kept]):
    """What is around, whatever is ordered."""

    directory: Directory
    clock: Clock
    begins: Told[Kept] = nobody_is_told
    ends: Told[Kept] = nobody_is_told
    counting: Rights | None = None
    """The limits of a day; None: there are none."""
    recalls: Told[Kept] = nobody_is_told
    """Is told, after a start, of each order that was over shortly before."""


class OrderSending(ABC, Generic[Kept, Rules]):
    """The loop; `run` it once in the whole house."""

    LOG: ClassVar[structlog.stdlib.BoundLogger]
    KEY: ClassVar[str]
    """Under which the log names an order."""
    NOUN: ClassVar[str]
    """What is ordered, for the log."""
    STANDSTILL: ClassVar[str]
    """Nothing of it can be sent: the sentence for the log."""
    WHAT: ClassVar[Outgoing]
    REFUSED: ClassVar[StrEnum]
    """The cause where a rule of ours forbids it."""

    def __init__(self, orders: Orders[Kept], house: OrderHouse[Kept], rules: Rules) -> None:
        self._orders = orders
        self._house = house
        self._rules = rules
        self._stir = asyncio.Event()
        self._busy: dict[str, str] = {}
        """Number that is dialled, by order."""
        self._rests: dict[str, float] = {}
        """Until when an order is left alone, in the loop's time."""

    # --- what the kinds tell

    @abstractmethod
    async def _tried(self, order: Kept, user: User) -> Kept:
        """The order after one more call, or why there was none."""

    @abstractmethod
    async def _followed(self, order: Kept) -> Kept:
        """The order after the call that it is in. Raises `LineAway`: then it is still in it."""

    @abstractmethod
    def _judged(self, user: User, order: Kept) -> Allowed | NotAllowed:
        """May it still leave?"""

    async def _sweep(self) -> None:
        """Forget what is long over."""
        await self._orders.sweep(self._house.clock.now() - self._rules.keep)

    # --- the loop

    def wake(self) -> None:
        """There is something to do."""
        self._stir.set()

    async def run(self) -> None:
        """Work until cancelled; calls go on without us then."""
        await self._recall()
        swept = -SWEEP_EVERY
        async with asyncio.TaskGroup() as group:
            while True:
                self._stir.clear()
                try:
                    await self._begin_what_can(group)
                    if now() - swept >= SWEEP_EVERY:
                        swept = now()
                        await self._sweep()
                except (OrdersUnavailable, LineAway) as error:
                    self.LOG.error(self.STANDSTILL, reason=str(error))
                await self._nap()

    async def _recall(self) -> None:
        """The journal is written in the background: a kill may have taken its last words."""
        since = self._house.clock.now() - RECALLED
        try:
            for order in await self._orders.of_user(""):
                if order.ended and order.ended >= since:
                    await self._house.recalls(order)
        except _AWAY as error:
            self.LOG.warning(f"no {self.NOUN} is noted again", reason=str(error))

    async def _nap(self) -> None:
        try:
            async with asyncio.timeout(LOOK_AGAIN):
                await self._stir.wait()
        except TimeoutError:
            pass

    async def _begin_what_can(self, group: asyncio.TaskGroup) -> None:
        before = set(self._busy)  # what ends while we look is not what we have read
        for order in sorted(await self._orders.going_on(), key=lambda one: one.rank):
            if order.id in before or self._rests.get(order.id, 0.0) > now():
                continue
            if await self._may_begin(order):
                self._busy[order.id] = order.number
                group.create_task(self._work(order), name=f"{self.NOUN} {order.id}")

    async def _may_begin(self, order: Kept) -> bool:
        """What is on the line already is always followed; two calls to one number meet as busy."""
        if order.state.stage is not Stage.WAITING:
            return True
        if await self._orders.is_cancelled(order.id):
            return True
        free = len(self._busy) < self._rules.lines and order.number not in self._busy.values()
        return free and order.is_due(self._house.clock.now())

    async def _work(self, order: Kept) -> None:
        """One step of one order; whatever breaks on it does not stop the others."""
        try:
            await self._step(order)
        except _AWAY as error:
            self._log(order).warning(f"{self.NOUN} has to wait", reason=str(error))
            self._rests[order.id] = now() + BREATHE
        except Exception:
            self._log(order).exception(f"{self.NOUN} cannot be worked on")
            self._rests[order.id] = now() + BREATHE
        finally:
            self._busy.pop(order.id, None)
            self._stir.set()

    async def _step(self, order: Kept) -> None:
        match order.state.stage:
            case Stage.ON_THE_LINE:
                order = await self._followed(order)
            case Stage.WAITING if await self._orders.is_cancelled(order.id):
                order = cancelled(order, self._house.clock.now())
            case Stage.WAITING:
                user = await self._house.directory.user_by_id(order.user_id)
                order = await self._tried(order, user) if user else self._refused(order, GONE)
        await self._orders.save(order)
        if order.state.is_over:
            await self._finish(order)

    def _refused(self, order: Kept, reason: str) -> Kept:
        return failed(order, self.REFUSED, reason, self._house.clock.now())

    async def _unless_cancelled(self, order: Kept) -> Kept:
        """After a call: nobody wants any more of what has not arrived."""
        if order.state.stage is Stage.ARRIVED or not await self._orders.is_cancelled(order.id):
            return order
        return cancelled(order, self._house.clock.now())

    async def _counted(self, user: User, order: Kept, pages: int = 0) -> Allowed | NotAllowed:
        """Each occasion once, however many calls it takes."""
        judged, counting = self._judged(user, order), self._house.counting
        if counting is None or isinstance(judged, NotAllowed):
            return judged
        refused = await counting.take(user, self.WHAT, judged, order.occasion, pages)
        return denial(refused) or judged

    def _log(self, order: Kept) -> structlog.stdlib.BoundLogger:
        return self.LOG.bind(**{self.KEY: order.id})

    async def _finish(self, order: Kept) -> None:
        """Saved before: after a crash everybody is told once more, and knows it already."""
        await self._house.ends(order)
        arrived = order.state.stage is Stage.ARRIVED
        if self._house.counting and not arrived and not order.seconds:
            await self._house.counting.give_back(order.occasion)  # nobody answered: it cost nothing
        await self._orders.close(order)
        self._rests.pop(order.id, None)


def now() -> float:
    """The loop's time, in seconds."""
    return asyncio.get_running_loop().time()
