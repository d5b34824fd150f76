"""From the moment somebody else is called for the caller until one of them hangs up.

Nothing here ends a leg when our own process ends: who talks then goes on talking, and the next
controller takes care of the rest.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from vm_ari.domain.transfer import Outcome, Waiting
from vm_ari.telephony.channel import Cause, Leg, LineFault
from vm_ari.telephony.line import CallerHungUp, Line

T = TypeVar("T")

GRACE = 3.0
"""Seconds: the telephone system itself ends the ringing, on time."""

HANDING_OVER = 3.0
"""Seconds between the ends of both lines when a telephone system takes them over."""

Screen = Callable[[Line], Awaitable[bool]]
"""Asks the person who has answered whether he takes the call. Raises `CallerHungUp`."""

_OUTCOMES = {
    Cause.CLEARED: Outcome.REFUSED,
    Cause.BUSY: Outcome.BUSY,
    Cause.NO_ANSWER: Outcome.NO_ANSWER,
    Cause.REFUSED: Outcome.REFUSED,
    Cause.UNREACHABLE: Outcome.UNREACHABLE,
}


class Transfer:
    """One attempt to connect one caller."""

    def __init__(
        self,
        caller: Line,
        leg: Leg,
        *,
        hears: Waiting,
        give_up: str,
        screen: Screen | None,
        leaves_server: bool,
    ) -> None:
        self._caller = caller
        self._leg = leg
        self._hears = hears
        self._give_up = give_up
        self._screen = screen
        self._leaves_server = leaves_server

    async def run(self) -> Outcome:
        """Try it. Raises `CallerHungUp` when he leaves before they talk."""
        await self._caller.catch_up()
        if self._wants_back():
            self._caller.keys.clear()
            return Outcome.GIVEN_UP
        try:
            other = Line(await self._caller.command(self._caller.channel.dial(self._leg)))
        except LineFault:
            return Outcome.UNREACHABLE
        try:
            outcome = await self._until_both_agree(other)
            return await self._talk(other) if outcome is None else outcome
        except Exception:
            await _let_go(other)
            raise
        finally:
            self._caller.keys.clear()

    async def _until_both_agree(self, other: Line) -> Outcome | None:
        """Let the caller wait; None when they may talk."""
        with suppress(LineFault):  # then he waits in silence
            await self._caller.command(self._caller.channel.wait_with(self._hears))
        outcome = await quickest(self._caller_leaves(), self._win(other))
        if outcome is not None:
            await _let_go(other)
        with suppress(LineFault):
            await self._caller.command(self._caller.channel.stop_waiting())
        return outcome

    async def _caller_leaves(self) -> Outcome:
        """Raises `CallerHungUp`."""
        await self._caller.until(self._wants_back, None)
        return Outcome.GIVEN_UP

    def _wants_back(self) -> bool:
        """Was the key pressed? All others mean nothing while it rings."""
        keys = self._caller.keys
        while keys and (not self._give_up or keys[0] != self._give_up):
            keys.popleft()
        return bool(keys)

    async def _win(self, other: Line) -> Outcome | None:
        """Wait for the destination's answer, and for a yes; None if both came."""
        try:
            if not await other.until(lambda: other.answered, self._leg.seconds + GRACE):
                return Outcome.NO_ANSWER
            if self._screen is None or await self._screen(other):
                return None
        except CallerHungUp:  # that is: the destination
            return _OUTCOMES[other.cause or Cause.CLEARED]
        except LineFault:
            return Outcome.UNREACHABLE
        return Outcome.REFUSED

    async def _talk(self, other: Line) -> Outcome:
        """Connect them; back when one of them has hung up, and the other one is alone again."""
        if self._leaves_server and await self._is_handed_over(other):
            return Outcome.REFERRED
        try:
            await self._caller.command(self._caller.channel.join(other.channel))
        except LineFault:
            await _let_go(other)
            return Outcome.UNREACHABLE
        await quickest(_ends(self._caller), _ends(other))
        await _let_go(other)
        await self._caller.channel.part()
        return Outcome.TALKED

    async def _is_handed_over(self, other: Line) -> bool:
        """Do they talk without us now? Raises `CallerHungUp`."""
        asking = self._caller.channel.hand_over(other.channel)
        with suppress(LineFault):
            await quickest(_ends(self._caller), _ends(other), asking)
        if not (self._caller.gone or other.gone):
            return False
        if not other.gone:  # it ends by itself, and must not be ended by us before
            await other.until(lambda: other.gone, HANDING_OVER)
        if not other.gone:
            raise CallerHungUp
        await _let_go(self._caller)
        return True


async def quickest(*ways: Coroutine[Any, Any, T]) -> T:
    """Go all these ways at once; of what arrives first, the leftmost counts, the rest is left."""
    tasks = [asyncio.ensure_future(way) for way in ways]
    try:
        arrived, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return next(task for task in tasks if task in arrived).result()


async def _ends(line: Line) -> None:
    await line.until(lambda: line.gone, None)


async def _let_go(line: Line) -> None:
    """Nobody is left ringing or alone; what cannot be ended now is ended at the next connect."""
    with suppress(LineFault):
        await line.channel.hang_up()
