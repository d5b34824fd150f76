"""Calls whoever shall hear a message, until it was heard or is given up (SPEECH-04).

A call is written down before it is made, and what was heard before the line is given back. A
controller that was killed finds both; where it died in the middle of a call nobody knows how much
was heard, and the message is spoken once more: at least once, where a fax is sent exactly once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from vm_ari.domain.dialling import Allowed
from vm_ari.domain.fax_rights import NotAllowed, no_right
from vm_ari.domain.notice_call import NoticeCallRules, may_ring, next_time
from vm_ari.domain.numbers import Site
from vm_ari.domain.office_hours import OfficeHours
from vm_ari.domain.retries import Retries
from vm_ari.domain.rights import Outgoing, Why
from vm_ari.domain.spoken_orders import (
    Cause,
    Ending,
    Hearing,
    SpokenOrder,
    SpokenRights,
    SpokenState,
    after,
    after_hearing,
    begun,
    failed,
    may_speak,
    over,
    put_off,
    shown_sender,
    way_back,
    words_of,
)
from vm_ari.domain.users import User
from vm_ari.ports import (
    Clock,
    Directory,
    DirectoryUnavailable,
    MailNotQueued,
    Unspeakable,
    Voice,
    VoiceUnavailable,
)
from vm_ari.ports_spoken import (
    SpokenLine,
    SpokenLineAway,
    SpokenOrders,
    SpokenQueueUnavailable,
    SpokenScript,
)
from vm_ari.services.rights import Rights

log = structlog.get_logger("vm_ari.spoken")

LOOK_AGAIN = 2.0
"""Seconds: another process may have ordered or cancelled something."""
FOLLOW_EVERY = 0.5
SETTLE = 3.0
"""Seconds in which it is told how a call ended that is over."""
BREATHE = 30.0
"""Seconds without a try, after something of ours did not answer."""
SWEEP_EVERY = 3600.0
UNKNOWN = Ending(Cause.TROUBLE, "nobody knows how the call ended")
_AWAY = (SpokenQueueUnavailable, SpokenLineAway, DirectoryUnavailable, MailNotQueued)

Told = Callable[[SpokenOrder], Awaitable[None]]
"""Is told of an order that has begun, or is over; more than once after a crash."""


async def nobody_is_told(_order: SpokenOrder) -> None:
    """Where nobody wants to know."""


@dataclass(frozen=True)
class SpokenRules:
    """How the site calls."""

    rights: SpokenRights = field(default_factory=SpokenRights)
    retries: Retries[Cause] = field(default_factory=Retries)
    hours: OfficeHours | None = None
    """When telephones may ring, in the sender's time; None: at any time."""
    sites: tuple[Site, ...] = (Site(),)
    lines: int = 2
    """Calls at the same time."""
    keep: timedelta = timedelta(days=30)
    """So long those that are over are remembered."""


@dataclass(frozen=True)
class SpokenHouse:
    """What is around."""

    orders: SpokenOrders
    line: SpokenLine
    voice: Voice
    directory: Directory
    clock: Clock
    begins: Told = nobody_is_told
    ends: Told = nobody_is_told
    counting: Rights | None = None
    """The limits of a day; None: there are none."""


class SpokenSending:
    """The loop, `run` it once in the whole house; and `ports_spoken.Speaking`."""

    def __init__(self, house: SpokenHouse, rules: SpokenRules) -> None:
        self._house = house
        self._rules = rules
        self._stir = asyncio.Event()
        self._busy: dict[str, str] = {}
        """Number that is dialled, by order."""
        self._rests: dict[str, float] = {}
        """Until when an order is left alone, in the loop's time."""

    def wake(self) -> None:
        """There is something to do."""
        self._stir.set()

    async def run(self) -> None:
        """Call until cancelled; calls go on without us then."""
        swept = -SWEEP_EVERY
        async with asyncio.TaskGroup() as group:
            while True:
                self._stir.clear()
                try:
                    await self._begin_what_can(group)
                    if _now() - swept >= SWEEP_EVERY:
                        swept = _now()
                        before = self._house.clock.now() - self._rules.keep
                        await self._house.orders.sweep(before)
                except SpokenQueueUnavailable as error:
                    log.error("no messages can be spoken", reason=str(error))
                await self._nap()

    # --- what the dialogue asks

    async def script(self, call_id: str) -> SpokenScript | None:
        """See `Speaking`."""
        order = await self._house.orders.find(call_id.rpartition("-")[0])
        if order is None or order.state is not SpokenState.CALLING or order.call_id != call_id:
            return None
        try:
            user = await self._house.directory.user_by_id(order.user_id)
            judged = self._judged(user, order) if user else None
            if user is None or not isinstance(judged, Allowed):
                return None
            sounds = await self._sounds(order)
        except (DirectoryUnavailable, VoiceUnavailable, Unspeakable) as error:
            raise SpokenQueueUnavailable(str(error)) from error
        return SpokenScript(
            order.language,
            shown_sender(user, judged, self._rules.sites[0]),
            await self._name(user, order.language),
            sounds,
            order.confirm,
            way_back(user, self._rules.rights, self._rules.sites),
        )

    async def heard(self, hearing: Hearing) -> None:
        """See `Speaking`."""
        await self._house.orders.note(hearing.call_id.rpartition("-")[0], hearing)

    async def _sounds(self, order: SpokenOrder) -> list[Path]:
        """Raises `VoiceUnavailable`, `Unspeakable`."""
        voice = self._house.voice
        said = [await voice.spoken(one.text, one.language) for one in words_of(order)]
        return [sound.with_suffix("") for sound in said]

    async def _name(self, user: User, language: str) -> Path | None:
        """None where only the number can be said."""
        try:
            return (await self._house.voice.spoken(user.name, language)).with_suffix("")
        except (VoiceUnavailable, Unspeakable):
            return None

    # --- the loop

    async def _nap(self) -> None:
        try:
            async with asyncio.timeout(LOOK_AGAIN):
                await self._stir.wait()
        except TimeoutError:
            pass

    async def _begin_what_can(self, group: asyncio.TaskGroup) -> None:
        before = set(self._busy)  # what ends while we look is not what we have read
        for order in await self._house.orders.going_on():
            if order.id in before or self._rests.get(order.id, 0.0) > _now():
                continue
            if await self._may_begin(order):
                self._busy[order.id] = order.number
                group.create_task(self._work(order), name=f"spoken message {order.id}")

    async def _may_begin(self, order: SpokenOrder) -> bool:
        """What is on the line already is always followed; two calls to one number meet as busy."""
        if order.state is not SpokenState.WAITING:
            return True
        if await self._house.orders.is_cancelled(order.id):
            return True
        free = len(self._busy) < self._rules.lines and order.number not in self._busy.values()
        return free and order.is_due(self._house.clock.now())

    async def _work(self, order: SpokenOrder) -> None:
        """One step of one order; whatever breaks on it does not stop the others."""
        try:
            await self._step(order)
        except _AWAY as error:
            log.warning("spoken message has to wait", order=order.id, reason=str(error))
            self._rests[order.id] = _now() + BREATHE
        except Exception:
            log.exception("spoken message cannot be worked on", order=order.id)
            self._rests[order.id] = _now() + BREATHE
        finally:
            self._busy.pop(order.id, None)
            self._stir.set()

    async def _step(self, order: SpokenOrder) -> None:
        if order.state is SpokenState.CALLING:
            order = await self._followed(order)
        elif order.state is SpokenState.WAITING:
            if await self._house.orders.is_cancelled(order.id):
                order = over(order, SpokenState.CANCELLED, self._house.clock.now())
            else:
                order = await self._tried(order)
        await self._house.orders.save(order)
        if order.state.is_over:
            await self._finish(order)

    async def _tried(self, order: SpokenOrder) -> SpokenOrder:
        """The order after one more call, or why there was none."""
        user, now = await self._house.directory.user_by_id(order.user_id), self._house.clock.now()
        if user is None:
            return failed(order, Cause.REFUSED, "its sender is no user any more", now)
        if (until := self._quiet_until(user, now)) is not None:
            return put_off(order, until)
        await self._house.begins(order)
        try:
            await self._sounds(order)  # nobody shall pick up to hear silence
        except Unspeakable as error:
            return failed(order, Cause.UNSPEAKABLE, str(error), now)
        except VoiceUnavailable as error:
            return after(order, Ending(Cause.TROUBLE, str(error)), self._rules.retries, now)
        judged = await self._counted(user, order)
        if isinstance(judged, NotAllowed):
            return failed(order, Cause.REFUSED, judged.reason, now)
        return await self._called(begun(order), user, judged)

    async def _called(self, order: SpokenOrder, user: User, number: Allowed) -> SpokenOrder:
        """Written down first: whatever happens now, the call is found by its name."""
        await self._house.orders.save(order)
        log.info("spoken message dialled", order=order.id, call=order.calls, to=order.number[-3:])
        shown = shown_sender(user, number, self._rules.sites[0])
        await self._house.line.call(order.call_id, number, shown)
        return await self._followed(order)

    async def _followed(self, order: SpokenOrder) -> SpokenOrder:
        """The order after the call that it is in. Raises `SpokenLineAway`: it is still in it."""
        orders, line, cancelled = self._house.orders, self._house.line, False
        while not await line.is_over(order.call_id):
            if not cancelled and (cancelled := await orders.is_cancelled(order.id)):
                await line.hang_up(order.call_id)
            await asyncio.sleep(FOLLOW_EVERY)
        told, now = await self._end_of(order), self._house.clock.now()
        match told:
            case Hearing():
                order = after_hearing(order, told, self._rules.retries, now)
            case Ending():
                order = after(order, told, self._rules.retries, now)
        if order.state is not SpokenState.HEARD and await orders.is_cancelled(order.id):
            order = over(replace(order, cause=None), SpokenState.CANCELLED, now)
        _report(order)
        return order

    async def _end_of(self, order: SpokenOrder) -> Hearing | Ending:
        """The dialogue and the events of Asterisk may be later than the end of the channel."""
        last = _now() + SETTLE
        while True:
            hearing = await self._house.orders.hearing(order.id)
            if hearing and hearing.call_id == order.call_id:
                return hearing
            if (ending := self._house.line.ending(order.call_id)) is not None:
                return ending
            if _now() >= last:
                return UNKNOWN
            await asyncio.sleep(FOLLOW_EVERY)

    def _quiet_until(self, user: User, now: datetime) -> datetime | None:
        """None: telephones may ring now."""
        if self._rules.hours is None:
            return None
        rules, there = NoticeCallRules(hours=self._rules.hours), _local(now, user)
        return None if may_ring(user, there, rules) else next_time(user, there, rules)

    def _judged(self, user: User, order: SpokenOrder) -> Allowed | NotAllowed:
        return may_speak(user, order.number, self._rules.rights, self._rules.sites)

    async def _counted(self, user: User, order: SpokenOrder) -> Allowed | NotAllowed:
        """Each order once, however many calls it takes."""
        judged, counting = self._judged(user, order), self._house.counting
        if counting is None or isinstance(judged, NotAllowed):
            return judged
        refused = await counting.take(user, Outgoing.VOICE, judged, order.occasion)
        if refused and refused.why is Why.UNCOUNTED:
            raise SpokenQueueUnavailable(refused.reason)
        return no_right(refused) if refused else judged

    async def _finish(self, order: SpokenOrder) -> None:
        """Saved before: after a crash everybody is told once more, and knows it already."""
        await self._house.ends(order)
        if self._house.counting and not order.seconds:
            await self._house.counting.give_back(order.occasion)  # nobody answered: it cost nothing
        await self._house.orders.close(order)
        self._rests.pop(order.id, None)


def _report(order: SpokenOrder) -> None:
    line = log.bind(order=order.id, seconds=round(order.seconds), state=order.state.value)
    if order.state is SpokenState.HEARD:
        line.info("spoken message heard")
        return
    cause = order.cause.value if order.cause else ""
    line.warning("spoken message not heard", cause=cause, why=order.reason)


def _local(moment: datetime, user: User) -> datetime:
    """In the sender's time zone; UTC where the directory names none that exists."""
    try:
        return moment.astimezone(ZoneInfo(user.time_zone))
    except (KeyError, ValueError, OSError):
        return moment.astimezone(UTC)


def _now() -> float:
    return asyncio.get_running_loop().time()
