"""Follows all calls of the house, and tells of each one that is over (MISSED-01)."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field

import structlog

from vm_ari.domain.ring_events import Lost
from vm_ari.domain.ringing import Follower, RungCall
from vm_ari.ports import RingEvents

log = structlog.get_logger("vm_ari.ringing")

MOST_WAITING = 1000
"""Calls that are over and not yet told of; with more the events have to wait."""
LISTEN_AGAIN = 10.0
"""Seconds after a fault of our own."""


@dataclass
class RingFollower:
    """*on_over* is told of one call after the other, beside the events."""

    events: RingEvents
    follower: Follower
    on_over: Callable[[RungCall], Awaitable[None]]
    _over: asyncio.Queue[RungCall] = field(default_factory=lambda: asyncio.Queue(MOST_WAITING))

    async def run(self) -> None:
        """Until cancelled. What is under way when it ends is not told of."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._follow(), name="ring events")
            both.create_task(self._tell(), name="calls that are over")

    async def _follow(self) -> None:
        while True:
            try:
                await self._listen()
            except Exception:  # calls are answered all the same
                log.exception("no calls can be followed for a while")
            await asyncio.sleep(LISTEN_AGAIN)

    async def _listen(self) -> None:
        async with aclosing(self.events.listen()) as events:
            async for event in events:
                forgotten = self.follower.forgotten
                if call := self.follower.hear(event):
                    log.debug("a call is over", call=call.id, rings=len(call.rings))
                    await self._over.put(call)
                if (more := self.follower.forgotten - forgotten) > 0:
                    why = "connection lost" if isinstance(event, Lost) else "no end was seen"
                    log.warning("calls are given up", number=more, reason=why)

    async def _tell(self) -> None:
        while True:
            call = await self._over.get()
            try:
                await self.on_over(call)
            except Exception:  # the next call may go well
                log.exception("a call that is over could not be dealt with", call=call.id)
