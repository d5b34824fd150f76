"""A conference is recorded into the spool, as a message for its owner (UM-04).

The facts lie on the disk before the recording begins, so whatever happens then, what was said is
delivered: by us when it ends, by the adoption of left recordings where nobody saw that.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from vm_ari.domain.callers import Caller
from vm_ari.domain.conferences import Conference
from vm_ari.domain.messages import CallFacts
from vm_ari.domain.recording import Ending, Limits, worth_keeping
from vm_ari.ports import Clock, RecordingUnreadable, Spool, SpoolFull
from vm_ari.ports.conference import Bridges, RoomFault

log = structlog.get_logger("vm_ari.conferences")

CHANNEL = "conference-recording-"
"""Instead of a channel in the facts of a call; the rest is the id of the item."""
TAKE = 1
SHORTEST = 2.0
CLOSING = (0.1, 0.2, 0.5, 1.0, 2.0)
"""Seconds between looks whether the file of a recording is whole."""


@dataclass(frozen=True)
class ConferenceRecordings:
    """Begins and ends them."""

    spool: Spool
    bridges: Bridges
    clock: Clock
    host: str
    """Right side of the Message-IDs."""
    on_kept: Callable[[], None] = lambda: None
    """Tells the outbox that there is something to deliver."""
    _in_hand: dict[str, CallFacts] = field(default_factory=dict)
    """While we have the facts, no adoption touches the item."""

    async def prepare(self, conference: Conference) -> str:
        """The id of an item for it; its facts are on the disk. Raises `SpoolFull`."""
        name = secrets.token_hex(12)
        facts = CallFacts(
            id=name,
            message_id=f"<{name}@{self.host}>",
            channel_id=CHANNEL + name,
            called=conference.number,
            user_id=conference.owner,
            caller=Caller(conference.number, ""),
            started=self.clock.now(),
            conference=True,
        )
        await self.spool.begin(facts)
        self._in_hand[name] = facts
        return name

    async def begin(self, conference: Conference) -> None:
        """Record what it names into that item. Raises `RoomFault`."""
        left = round((conference.ends - self.clock.now()).total_seconds())
        name = self.spool.recording_name(conference.recording, TAKE)
        await self.bridges.record(conference.id, name, max(1, left) + 60)

    async def goes_on(self, item: str) -> bool:
        """Raises `RoomFault`."""
        return await self.bridges.is_recording(self.spool.recording_name(item, TAKE))

    async def finish(self, item: str) -> bool:
        """End it, and keep what was recorded; was there anything? Never raises.

        What cannot be kept now stays in the spool, and is adopted later.
        """
        facts = self._in_hand.pop(item, None)
        try:
            await self._closed(self.spool.recording_name(item, TAKE))
            if facts is None:
                return True
            return await self._kept(facts)
        except (RoomFault, SpoolFull) as error:
            log.error("recording of a conference is kept later", item=item, reason=str(error))
            return True

    async def take_over(self, item: str) -> bool:
        """Have an item in hand that an earlier controller has begun; False: it is not there."""
        for facts, _takes in await self.spool.unfinished():
            if facts.id == item:
                await self.spool.begin(facts)
                self._in_hand[item] = facts
                return True
        return False

    def is_ours(self, channel_id: str) -> bool:
        """Is that what our facts name instead of a channel?"""
        return channel_id.startswith(CHANNEL)

    async def is_alive(self, channel_id: str) -> bool:
        """For the adoption of left recordings: does this one go on? Raises `RoomFault`."""
        return await self.goes_on(channel_id.removeprefix(CHANNEL))

    async def _closed(self, name: str) -> None:
        await self.bridges.stop_recording(name)
        for pause in CLOSING:
            if not await self.bridges.is_recording(name):
                return
            await asyncio.sleep(pause)

    async def _kept(self, facts: CallFacts) -> bool:
        """Raises `SpoolFull`."""
        try:
            found = await self.spool.inspect(facts.id, TAKE)
        except RecordingUnreadable as error:
            await self.spool.set_aside(facts, TAKE, str(error))
            return False
        cut = self.spool.was_cut(facts.id, TAKE)
        ending = Ending.FAULT if cut else Ending.KEY
        if found is None or not worth_keeping(found, Limits(shortest=SHORTEST), ending):
            await self.spool.discard(facts.id)
            return False
        await self.spool.keep(facts, TAKE, partial=cut)
        self.on_kept()
        return True
