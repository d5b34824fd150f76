"""Which calls go on now, on every controller; and ending one of them (WEB-02).

A controller writes its calls into a database that the portal and commands read, beside the calls:
nobody who telephones ever waits for that. What is there of a controller that says nothing any more
counts as gone. Whoever wants a call to end leaves an order, which its controller carries out.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import Protocol

import structlog

from vm_ari.domain.journal import JournalEntry
from vm_ari.domain.live_calls import Doing, LiveCall, Node, live_call, lives
from vm_ari.ports import Clock, LiveCallsUnavailable
from vm_ari.services.call_records import CallRecords, Record

log = structlog.get_logger("vm_ari.live_calls")

EVERY = 1.0
"""Seconds between two looks at our own calls."""
BEAT = 5.0
"""Seconds after which a controller is heard of, even if nothing has changed."""
PAUSE = 10.0
"""Seconds without asking a database that did not answer."""
MOST = 500
"""Calls of one controller that are written down; more are counted by nobody."""
ORDERS_LAST = timedelta(minutes=1)
"""So long an order waits for its controller."""


class LiveCallsStore(Protocol):
    """Where all controllers write. Every method raises `LiveCallsUnavailable`."""

    async def begin(self, node: Node) -> None:
        """This controller starts: what an earlier life of it has written is gone."""
        ...

    async def write(self, node: Node, changed: Sequence[LiveCall], over: Collection[str]) -> None:
        """What is new of its calls, and the ids of those that are over."""
        ...

    async def take_orders(self, node: str, since: datetime) -> Mapping[str, str]:
        """Calls that are to be ended, and who wants it; they are told once, old ones never."""
        ...

    async def leave(self, node: str) -> None:
        """This controller stops."""
        ...

    async def nodes(self) -> Sequence[Node]:
        """All that were heard of and have not left."""
        ...

    async def calls(self, nodes: Collection[str]) -> Sequence[LiveCall]:
        """Those of these controllers, the oldest first."""
        ...

    async def order_end(self, call: LiveCall, by: str, at: datetime) -> None:
        """Let its controller hang up."""
        ...


class Board:
    """The calls of this controller, as their records tell of them."""

    def __init__(self) -> None:
        self._records: dict[str, Record] = {}
        self._told: dict[str, tuple[tuple[JournalEntry, Doing, str], LiveCall]] = {}
        """What was made of each record when it was looked at last, and of what."""

    @contextmanager
    def shows(self, channel_id: str, record: Record) -> Iterator[None]:
        """While a call goes on. Costs its caller nothing."""
        self._records[channel_id] = record
        try:
            yield
        finally:
            if self._records.get(channel_id) is record:
                del self._records[channel_id]

    def calls(self) -> dict[str, LiveCall]:
        """By id, as they are now; at most `MOST`. Of one that has not changed, the same object."""
        before, self._told = self._told, {}
        for channel_id, record in islice(self._records.items(), MOST):
            known = before.get(channel_id)
            facts = (record.entry, record.doing, record.towards)
            if known is None or any(a is not b for a, b in zip(known[0], facts, strict=True)):
                known = facts, live_call(channel_id, *facts)
            self._told[channel_id] = known
        return {call.id: call for _, call in self._told.values()}


EndCall = Callable[[str], Awaitable[bool]]
"""Hangs up a channel that this controller serves; False: it does not."""
Telephony = Callable[[], Awaitable[str]]


async def _unknown_telephony() -> str:
    """Nobody asks."""
    return ""


@dataclass
class LiveCalls:
    """Publishes the calls of this controller, and carries out orders."""

    store: LiveCallsStore
    clock: Clock
    node: str
    end: EndCall
    version: str = ""
    telephony: Telephony = _unknown_telephony
    """What Asterisk says of itself; empty where it is away. Asked with each beat."""
    board: Board = field(default_factory=Board)
    _written: dict[str, LiveCall] = field(default_factory=dict)
    _began: datetime | None = None

    def watching(self, records: CallRecords) -> CallRecords:
        """The records of calls, with their calls on our board."""
        return records.shown_on(self.board.shows)

    async def run(self) -> None:
        """Until cancelled; then nothing is left of us."""
        begun, beat_at = False, 0.0
        while True:
            try:
                if not begun:
                    await self.store.begin(await self._self())
                    begun, beat_at, self._written = True, _loop_time() + BEAT, {}
                due = _loop_time() >= beat_at
                if await self.publish(beat=due):
                    beat_at = _loop_time() + BEAT
                await self.carry_out()
            except LiveCallsUnavailable as error:
                log.warning("calls are not shown", reason=str(error))
                begun = False  # who knows what has been written
                await asyncio.sleep(PAUSE)
            await asyncio.sleep(EVERY)

    async def publish(self, *, beat: bool) -> bool:
        """What has changed; with a *beat* even if nothing has. Was anything written?

        Raises `LiveCallsUnavailable`.
        """
        now = self.board.calls()
        changed = [one for key, one in now.items() if self._written.get(key) is not one]
        over = self._written.keys() - now.keys()
        if not (changed or over or beat):
            return False
        await self.store.write(await self._self(), changed, over)
        self._written = now
        return True

    async def carry_out(self) -> None:
        """End what is to be ended. Raises `LiveCallsUnavailable`."""
        if not self._written:
            return
        orders = await self.store.take_orders(self.node, self.clock.now() - ORDERS_LAST)
        for call_id, by in orders.items():
            call = self._written.get(call_id)
            if call and await self.end(call.channel):
                log.info("call ended by an administrator", call=call.channel, by=by)

    async def close(self) -> None:
        """Nothing of us is to be seen any more, if the database takes that now.

        Who never began says nothing: another controller may run under the same name.
        """
        if self._began is None:
            return
        try:
            async with asyncio.timeout(BEAT):
                await self.store.leave(self.node)
        except (LiveCallsUnavailable, TimeoutError) as error:
            log.warning("calls are shown for a moment still", reason=str(error) or "slow")

    async def _self(self) -> Node:
        now = self.clock.now()
        self._began = self._began or now
        return Node(self.node, now, self._began, self.version, await self.telephony())


@dataclass(frozen=True)
class LiveCallsView:
    """The calls of all controllers. Methods raise `LiveCallsUnavailable`."""

    store: LiveCallsStore
    clock: Clock

    async def nodes(self) -> Sequence[Node]:
        """Controllers that live."""
        now = self.clock.now()
        return [one for one in await self.store.nodes() if lives(one, now)]

    async def calls(self) -> Sequence[LiveCall]:
        """Of these, the oldest first."""
        return await self.store.calls([one.name for one in await self.nodes()])

    async def end(self, call: LiveCall, by: str) -> None:
        """Within a second or two. Who is to answer for it has been decided before."""
        await self.store.order_end(call, by, self.clock.now())


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
