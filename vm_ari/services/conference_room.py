"""One conference that goes on at this node: whatever changes in it goes through `Room.change`.

First the change is remembered on the disk, then the telephone system does it, then everybody hears
of it. What the telephone system does not take now is tried again with the next look (`keep_up`).
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from enum import Enum

import structlog

from vm_ari.domain.conference_settings import Recorded
from vm_ari.domain.conferences import (
    Change,
    Conference,
    Deadline,
    Happening,
    Party,
    Stage,
    deadline,
    entered,
    happenings,
    stage,
    with_recording,
    without,
)
from vm_ari.ports import Clock, SpoolFull
from vm_ari.ports.conference import Bridges, ConferenceMemory, MemoryFailed, RoomFault
from vm_ari.services.conference_recordings import ConferenceRecordings

log = structlog.get_logger("vm_ari.conferences")


class Word(Enum):
    """What one party's script is told."""

    REMOVED = "removed"
    ENDED = "ended"
    MUTED = "muted"
    HEARD = "heard"


class NotRecorded(Exception):
    """A recording cannot begin. The text says why."""


@dataclass
class Seat:
    """Somebody's place in a room."""

    room: "Room"
    channel: str
    talks: Callable[[], bool] = lambda: False
    """Is the voice of that party heard just now?"""
    words: asyncio.Queue[Word] = field(default_factory=asyncio.Queue)

    @property
    def party(self) -> Party | None:
        """Who sits here; None: nobody any more."""
        return self.room.conference.party(self.channel)


@dataclass
class Room:
    """The conference as it is, and what the telephone system was told of it."""

    conference: Conference
    bridges: Bridges
    memory: ConferenceMemory
    recordings: ConferenceRecordings
    clock: Clock
    seats: dict[str, Seat] = field(default_factory=dict)
    done: Stage = field(default_factory=Stage)
    """What the telephone system has done."""
    closed: bool = False
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def change(self, decide: Change) -> None:
        """From what is to what shall be."""
        async with self._turn:
            before, self.conference = self.conference, decide(self.conference)
            if before != self.conference:
                await self._remember()
                await self._arrange()
                for one in happenings(before, self.conference):
                    await self._tell(one)
                self._tell_each(before)

    async def sit(self, party: Party) -> Seat:
        """Somebody comes in."""
        seat = self.seats[party.channel] = Seat(self, party.channel)
        await self.change(lambda now: entered(now, party))
        if self.conference.rules.recorded is Recorded.ALWAYS and self.conference.begun:
            try:
                await self.record()
            except NotRecorded as error:
                log.error("conference not recorded", room=self.conference.id, reason=str(error))
        return seat

    async def rise(self, channel: str) -> None:
        """Somebody has gone, or must go."""
        if seat := self.seats.pop(channel, None):
            seat.words.put_nowait(Word.REMOVED)
        await self.change(lambda now: without(now, channel))

    def end(self) -> None:
        """Everybody is asked to leave; who leaves last closes the room."""
        for seat in self.seats.values():
            seat.words.put_nowait(Word.ENDED)

    async def record(self) -> None:
        """Begin to, unless it is done already. Raises `NotRecorded`."""
        if self.conference.recording or self.conference.rules.recorded is Recorded.NEVER:
            return
        try:
            item = await self.recordings.prepare(self.conference)
        except SpoolFull as error:
            raise NotRecorded(str(error)) from error
        await self.change(lambda now: with_recording(now, now.recording or item))
        if self.conference.recording != item:
            await self.recordings.finish(item)
            return
        try:
            await self.recordings.begin(self.conference)
        except RoomFault as error:
            await self.stop_recording()
            raise NotRecorded(str(error)) from error

    async def stop_recording(self) -> None:
        """What was recorded goes to the owner."""
        if item := self.conference.recording:
            await self.recordings.finish(item)
            await self.change(lambda now: with_recording(now, "") if now.recording == item else now)

    async def keep_up(self) -> None:
        """What was not done is done now; the time, and recordings that end by themselves."""
        async with self._turn:
            await self._arrange()
        match deadline(self.conference, self.clock.now()):
            case Deadline.WARN:
                await self.change(lambda now: replace(now, warned=True))
            case Deadline.END:
                self.end()
        if item := self.conference.recording:
            try:
                if not await self.recordings.goes_on(item):
                    await self.stop_recording()
            except RoomFault as error:
                log.debug("nobody knows of the recording", reason=str(error))

    async def resume(self) -> None:
        """Look at the bridge as it is: this process, or the connection, was away."""
        async with self._turn:
            try:
                inside = frozenset(await self.bridges.inside(self.conference.id))
            except RoomFault as error:
                log.warning("conference cannot be looked at", reason=str(error))
                return
            wanted = stage(self.conference)
            # who is muted, and whether music plays, nobody tells: it is all said again
            self.done = Stage(inside, frozenset(inside - wanted.unheard), not wanted.music)
            await self._arrange()

    async def close(self) -> None:
        """Nobody is left: the recording goes to the owner, and nothing stays behind."""
        self.closed = True
        if self.conference.recording:
            await self.recordings.finish(self.conference.recording)
        try:
            await self.bridges.close(self.conference.id)
        except RoomFault as error:
            log.warning("bridge not removed, later", room=self.conference.id, reason=str(error))
        try:
            await self.memory.forget(self.conference)
        except MemoryFailed as error:
            log.error("conference is remembered still", reason=str(error))

    async def _remember(self) -> None:
        """Without a disk the conference goes on; it is only not found again after a crash."""
        try:
            await self.memory.keep(self.conference)
        except MemoryFailed as error:
            log.error("conference not remembered", room=self.conference.id, reason=str(error))

    async def _arrange(self) -> None:
        """The difference between what is done and what shall be."""
        wanted, done = stage(self.conference), self.done
        for channel in done.unheard - wanted.unheard:
            if await self._did(self.bridges.set_heard(channel, True)):
                self.done = replace(self.done, unheard=self.done.unheard - {channel})
        for channel in wanted.unheard - done.unheard:
            if await self._did(self.bridges.set_heard(channel, False)):
                self.done = replace(self.done, unheard=self.done.unheard | {channel})
        for channel in done.inside - wanted.inside:
            if await self._did(self.bridges.take_out(self.conference.id, channel)):
                self.done = replace(self.done, inside=self.done.inside - {channel})
        if done.music and not wanted.music:
            await self._play_music(False)
        for channel in wanted.inside - done.inside:
            if await self._did(self.bridges.put_in(self.conference.id, channel)):
                self.done = replace(self.done, inside=self.done.inside | {channel})
        if wanted.music and not done.music:
            await self._play_music(True)

    async def _play_music(self, on: bool) -> None:
        if await self._did(self.bridges.set_music(self.conference.id, on)):
            self.done = replace(self.done, music=on)

    async def _did(self, what: Awaitable[None]) -> bool:
        try:
            await what
        except RoomFault as error:
            log.warning("not done yet", room=self.conference.id, reason=str(error))
            return False
        return True

    async def _tell(self, happening: Happening) -> None:
        try:
            await self.bridges.announce(self.conference, happening)
        except RoomFault as error:
            log.warning("not announced", what=happening.kind.value, reason=str(error))

    def _tell_each(self, before: Conference) -> None:
        """Who is muted alone must know it; a hush is told to everybody."""
        if before.hushed != self.conference.hushed:
            return
        for party in self.conference.parties:
            was, seat = before.party(party.channel), self.seats.get(party.channel)
            if was and seat and was.muted != party.muted:
                seat.words.put_nowait(Word.MUTED if party.muted else Word.HEARD)
