"""What the caller does, as it comes in: the one reader of a channel's events."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from vm_ari.telephony.channel import (
    TALK_END_SILENCE,
    Answered,
    Cause,
    Channel,
    ChannelGone,
    Event,
    HungUp,
    KeyPressed,
    PlayEnded,
    RecordingEnded,
    TalkingEnded,
    TalkingStarted,
)

T = TypeVar("T")

HANG_UP_FOLLOWS = 0.1
"""Seconds: when the caller hangs up, the ends of recording and playback are reported before."""


WATCHDOG_SECONDS = 5.0
"""How often a playback that reports no end is asked whether it is still going on."""


class NoAnswer(Exception):
    """Three empty or wrong inputs, or no end of a pause."""


class CallerHungUp(Exception):
    """The caller is gone; raised where the script talks to the caller."""


def now() -> float:
    """Seconds on the loop's own, monotonic clock."""
    return asyncio.get_running_loop().time()


class Line:
    """Keys not yet used, playbacks and recordings that are over, and whether somebody is there."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.keys: deque[str] = deque()
        self.answered = False
        """Of a line that we have dialled: has somebody picked up?"""
        self.gone = False
        self.cause: Cause | None = None
        """Why it is gone; None also for a while after a command that came too late."""
        self._over: set[str] = set()
        self.talking = False
        self._quiet_since = 0.0

    def is_over(self, name: str) -> bool:
        """Has that playback or recording been reported as ended?"""
        return name in self._over

    def quiet_seconds(self) -> float:
        """How long the caller has not been talking, since the last `listen_anew`."""
        return 0.0 if self.talking else now() - self._quiet_since

    def listen_anew(self) -> None:
        """Something new begins: quiet counts from here, and old endings do not matter."""
        self._over.clear()
        self.talking, self._quiet_since = False, now()

    async def command(self, command: Awaitable[T]) -> T:
        """Give the telephone system a command. Raises `CallerHungUp` when it came too late."""
        try:
            return await command
        except ChannelGone:
            self.gone = True
            raise CallerHungUp from None

    async def until(self, reached: Callable[[], bool], seconds: float | None) -> bool:
        """Take events until *reached*; False after *seconds*, if any. Raises `CallerHungUp`."""
        deadline = None if seconds is None else now() + seconds
        while not reached():
            if self.gone:
                raise CallerHungUp
            if await self.event(deadline) is None:
                return False
        return True

    async def until_done(self, work: asyncio.Future[T], seconds: float | None = None) -> bool:
        """Take events until *work* is done; False if a key comes before, or *seconds* are over.

        The work goes on. Raises `CallerHungUp`.
        """
        deadline = None if seconds is None else now() + seconds
        while not work.done() and not self.keys:
            if self.gone:
                raise CallerHungUp
            event = asyncio.ensure_future(self.event(deadline))
            try:
                both: set[asyncio.Future[Any]] = {event, work}
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            finally:
                event.cancel()
                await asyncio.wait({event})
            if not (event.cancelled() or event.result() or work.done()):
                return False
        return work.done()

    async def event(self, deadline: float | None) -> Event | None:
        """The next event, noted; None when *deadline* (loop time), if any, comes first."""
        try:
            async with asyncio.timeout_at(deadline):
                event = await self.channel.next_event()
        except TimeoutError:
            return None
        self._note(event)
        return event

    async def catch_up(self) -> None:
        """Note what has happened already. Raises `CallerHungUp` if that was the end."""
        while not self.gone and await self.event(now()) is not None:
            pass
        if self.gone:
            raise CallerHungUp

    def _note(self, event: Event) -> None:
        match event:
            case KeyPressed(key):
                self.keys.append(key)
            case PlayEnded(name) | RecordingEnded(name):
                self._over.add(name)
            case TalkingStarted():
                self.talking = True
            case TalkingEnded():
                self.talking = False
                self._quiet_since = now() - TALK_END_SILENCE
            case Answered():
                self.answered = True
            case HungUp(cause):
                self.gone, self.cause = True, cause
