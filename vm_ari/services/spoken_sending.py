"""Calls whoever shall hear a message, until it was heard or is given up (SPEECH-04).

A call is written down before it is made, and what was heard before the line is given back. A
controller that was killed finds both; where it died in the middle of a call nobody knows how much
was heard, and the message is spoken once more: at least once, where a fax is sent exactly once.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from vm_ari.domain.dialling import Allowed
from vm_ari.domain.notice_call import NoticeCallRules, may_ring, next_time
from vm_ari.domain.office_hours import OfficeHours
from vm_ari.domain.orders import NotAllowed, failed
from vm_ari.domain.rights import Outgoing
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
    may_speak,
    put_off,
    shown_sender,
    way_back,
    words_of,
)
from vm_ari.domain.users import User
from vm_ari.ports import DirectoryUnavailable, Unspeakable, Voice, VoiceUnavailable
from vm_ari.ports.orders import OrdersUnavailable
from vm_ari.ports.spoken import SpokenLine, SpokenOrders, SpokenScript
from vm_ari.services.order_sending import (
    FOLLOW_EVERY,
    OrderHouse,
    OrderRules,
    OrderSending,
    now,
)

log = structlog.get_logger("vm_ari.spoken")

SETTLE = 3.0
"""Seconds in which it is told how a call ended that is over."""
UNKNOWN = Ending(Cause.TROUBLE, "nobody knows how the call ended")


@dataclass(frozen=True)
class SpokenRules(OrderRules):
    """How the site calls."""

    rights: SpokenRights = field(default_factory=SpokenRights)
    hours: OfficeHours | None = None
    """When telephones may ring, in the sender's time; None: at any time."""


class SpokenSending(OrderSending[SpokenOrder, SpokenRules]):
    """See `OrderSending`; and `ports.spoken.Speaking`."""

    LOG, KEY, NOUN = log, "order", "spoken message"
    STANDSTILL = "no messages can be spoken"
    WHAT, REFUSED = Outgoing.VOICE, Cause.REFUSED
    _orders: SpokenOrders

    def __init__(
        self,
        orders: SpokenOrders,
        line: SpokenLine,
        voice: Voice,
        house: OrderHouse[SpokenOrder],
        rules: SpokenRules,
    ) -> None:
        super().__init__(orders, house, rules)
        self._line = line
        self._voice = voice

    # --- what the dialogue asks

    async def script(self, call_id: str) -> SpokenScript | None:
        """See `Speaking`."""
        order = await self._orders.find(call_id.rpartition("-")[0])
        if order is None or order.state is not SpokenState.CALLING or order.call_id != call_id:
            return None
        try:
            user = await self._house.directory.user_by_id(order.user_id)
            judged = self._judged(user, order) if user else None
            if user is None or not isinstance(judged, Allowed):
                return None
            sounds = await self._sounds(order)
        except (DirectoryUnavailable, VoiceUnavailable, Unspeakable) as error:
            raise OrdersUnavailable(str(error)) from error
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
        await self._orders.note(hearing.call_id.rpartition("-")[0], hearing)

    async def _sounds(self, order: SpokenOrder) -> list[Path]:
        """Raises `VoiceUnavailable`, `Unspeakable`."""
        said = [await self._voice.spoken(one.text, one.language) for one in words_of(order)]
        return [sound.with_suffix("") for sound in said]

    async def _name(self, user: User, language: str) -> Path | None:
        """None where only the number can be said."""
        try:
            return (await self._voice.spoken(user.name, language)).with_suffix("")
        except (VoiceUnavailable, Unspeakable):
            return None

    # --- the calls

    async def _tried(self, order: SpokenOrder, user: User) -> SpokenOrder:
        moment = self._house.clock.now()
        if (until := self._quiet_until(user, moment)) is not None:
            return put_off(order, until)
        await self._house.begins(order)
        try:
            await self._sounds(order)  # nobody shall pick up to hear silence
        except Unspeakable as error:
            return failed(order, Cause.UNSPEAKABLE, str(error), moment)
        except VoiceUnavailable as error:
            return after(order, Ending(Cause.TROUBLE, str(error)), self._rules.retries, moment)
        judged = await self._counted(user, order)
        if isinstance(judged, NotAllowed):
            return self._refused(order, judged.reason)
        return await self._called(begun(order), user, judged)

    async def _called(self, order: SpokenOrder, user: User, number: Allowed) -> SpokenOrder:
        """Written down first: whatever happens now, the call is found by its name."""
        await self._orders.save(order)
        log.info("spoken message dialled", order=order.id, call=order.calls, to=order.number[-3:])
        shown = shown_sender(user, number, self._rules.sites[0])
        await self._line.call(order.call_id, number, shown)
        return await self._followed(order)

    async def _followed(self, order: SpokenOrder) -> SpokenOrder:
        line, stopped = self._line, False
        while not await line.is_over(order.call_id):
            if not stopped and (stopped := await self._orders.is_cancelled(order.id)):
                await line.hang_up(order.call_id)
            await asyncio.sleep(FOLLOW_EVERY)
        told, moment = await self._end_of(order), self._house.clock.now()
        match told:
            case Hearing():
                order = after_hearing(order, told, self._rules.retries, moment)
            case Ending():
                order = after(order, told, self._rules.retries, moment)
        order = await self._unless_cancelled(order)
        _report(order)
        return order

    async def _end_of(self, order: SpokenOrder) -> Hearing | Ending:
        """The dialogue and the events of Asterisk may be later than the end of the channel."""
        last = now() + SETTLE
        while True:
            hearing = await self._orders.hearing(order.id)
            if hearing and hearing.call_id == order.call_id:
                return hearing
            if (ending := self._line.ending(order.call_id)) is not None:
                return ending
            if now() >= last:
                return UNKNOWN
            await asyncio.sleep(FOLLOW_EVERY)

    def _quiet_until(self, user: User, moment: datetime) -> datetime | None:
        """None: telephones may ring."""
        if self._rules.hours is None:
            return None
        rules, there = NoticeCallRules(hours=self._rules.hours), _local(moment, user)
        return None if may_ring(user, there, rules) else next_time(user, there, rules)

    def _judged(self, user: User, order: SpokenOrder) -> Allowed | NotAllowed:
        return may_speak(user, order.number, self._rules.rights, self._rules.sites)


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
