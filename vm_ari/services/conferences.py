"""All conferences of this node: coming in, leaving, what is ordered from afar, taking over (UM-04).

The controller may die in a conference: the bridge goes on, and the next one finds it in the
memory, with its moderators, its lock and its recording. Who stops on purpose touches nothing.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import structlog

from vm_ari.domain.conference_settings import Begin
from vm_ari.domain.conferences import (
    Admission,
    Conference,
    Party,
    Role,
    admission,
    rules_of,
    with_hushed,
    with_locked,
    with_muted,
    without,
)
from vm_ari.domain.users import User
from vm_ari.ports import Clock
from vm_ari.ports.conference import (
    Bridges,
    ConferenceBoard,
    ConferenceMemory,
    ConferencesUnavailable,
    LiveConference,
    RoomOrder,
    Verb,
)
from vm_ari.services.conference_pins import RoomDoor
from vm_ari.services.conference_recordings import ConferenceRecordings
from vm_ari.services.conference_room import NotRecorded, Room, Seat

log = structlog.get_logger("vm_ari.conferences")

EVERY = 1.0
"""Seconds between two looks: at the time, at orders, at what others shall see."""
BEAT = 5.0
"""Seconds after which a conference is shown again, even if nothing has changed."""
LOOK_AROUND = 2.0
"""Seconds between two looks at the conferences of other nodes."""
OTHERS_LAST = timedelta(seconds=12)
"""A node that has shown a conference for the last time so long ago has it no more."""
PAUSE = 10.0
"""Seconds without asking a database that did not answer."""
ORDERS_LAST = timedelta(minutes=1)

Alive = Callable[[str], Awaitable[bool]]


@dataclass
class Conferences:
    """Rooms by number."""

    bridges: Bridges
    memory: ConferenceMemory
    recordings: ConferenceRecordings
    board: ConferenceBoard
    clock: Clock
    door: RoomDoor
    node: str = ""
    rooms: dict[str, Room] = field(default_factory=dict)
    _entrance: asyncio.Lock = field(default_factory=asyncio.Lock)
    _shown: tuple[LiveConference, ...] = ()
    _beat_at: float = 0.0
    _elsewhere: frozenset[str] = frozenset()
    """Numbers whose conference goes on at another node, as it was seen last."""
    _look_at: float = 0.0

    def may_enter(self, number: str, owner: User, role: Role) -> Admission:
        """As it is now; `enter` asks again."""
        room = self.rooms.get(number)
        found = room.conference if room else self._new(number, owner)
        return admission(found, role)

    def is_empty(self, number: str) -> bool:
        """Is nobody there yet?"""
        return number not in self.rooms

    def is_elsewhere(self, numbers: Iterable[str]) -> bool:
        """Does the conference of one of them go on at another node, and at this one none?

        Asks nobody: a caller does not wait for a database. Wrong for seconds at most.
        """
        return any(one in self._elsewhere and one not in self.rooms for one in numbers)

    def waits_for_moderator(self, number: str, owner: User, role: Role) -> bool:
        """Does it not begin with this party?"""
        room = self.rooms.get(number)
        begun = room.conference.begun if room else rules_of(owner).begin is Begin.AT_ONCE
        return not begun and role is not Role.MODERATOR

    def is_recorded(self, number: str) -> bool:
        """Must somebody who comes in be told so?"""
        room = self.rooms.get(number)
        if room is None or not room.conference.rules.recording_announced:
            return False
        return bool(room.conference.recording)

    async def enter(self, number: str, owner: User, party: Party) -> Seat | Admission:
        """A place in the room, or why there is none. Raises `RoomFault`."""
        async with self._entrance:
            room = self.rooms.get(number)
            found = room.conference if room else self._new(number, owner)
            if (judged := admission(found, party.role)) is not Admission.WELCOME:
                return judged
            if room is None:
                await self.bridges.open(found.id)
                room = self.rooms[number] = self._room(found)
                log.info("conference", room=found.id, number=number[-3:], owner=owner.id)
            return await room.sit(party)

    async def leave(self, seat: Seat) -> None:
        """Somebody has gone; the last one closes the room."""
        room = seat.room
        async with self._entrance:
            await room.rise(seat.channel)
            over = not (room.conference.parties or room.closed)
            if over and self.rooms.get(room.conference.number) is room:
                del self.rooms[room.conference.number]
        if over:
            log.info("conference is over", room=room.conference.id)
            await room.close()

    async def carry_out(self, order: RoomOrder) -> None:
        """What somebody wants from afar; who may, has been decided before."""
        rooms = {room.conference.id: room for room in self.rooms.values()}
        room = rooms.get(order.conference_id)
        if room is None:
            return
        log.info("order", room=order.conference_id, verb=order.verb.value, by=order.by)
        found = (p for p in room.conference.parties if p.number == order.party)
        channel = next((one.channel for one in found), "")
        match order.verb:
            case Verb.MUTE | Verb.UNMUTE:
                muted = order.verb is Verb.MUTE
                await room.change(lambda now: with_muted(now, channel, muted))
            case Verb.LOCK | Verb.UNLOCK:
                await room.change(lambda now: with_locked(now, order.verb is Verb.LOCK))
            case Verb.HUSH | Verb.UNHUSH:
                await room.change(lambda now: with_hushed(now, order.verb is Verb.HUSH))
            case Verb.REMOVE if channel:
                await room.rise(channel)
            case Verb.RECORD:
                await _record(room)
            case Verb.STOP_RECORDING:
                await room.stop_recording()
            case Verb.END:
                room.end()

    # --- beside the calls

    async def run(self) -> None:
        """Look after the rooms, show them, take orders, until cancelled."""
        ask_at = 0.0
        while True:
            for room in list(self.rooms.values()):
                await room.keep_up()
            if _loop_time() >= ask_at:
                try:
                    await self.publish()
                    await self._take_orders()
                    await self._look_around()
                except ConferencesUnavailable as error:
                    log.warning("conferences are not shown", reason=str(error))
                    ask_at = _loop_time() + PAUSE
            await asyncio.sleep(EVERY)

    async def publish(self) -> None:
        """What has changed, or everything where it is time for that.

        Raises `ConferencesUnavailable`.
        """
        now = self.clock.now()
        shown = tuple(self._live(room) for room in self.rooms.values())
        if shown == self._shown and not (shown and _loop_time() >= self._beat_at):
            return
        await self.board.write(self.node, [replace(one, seen=now) for one in shown])
        self._shown, self._beat_at = shown, _loop_time() + BEAT

    async def close(self) -> None:
        """Those that go on are another controller's in a moment."""

    async def _take_orders(self) -> None:
        if self.rooms:
            since = self.clock.now() - ORDERS_LAST
            for order in await self.board.take_orders(self.node, since):
                await self.carry_out(order)

    async def _look_around(self) -> None:
        """While the database is away, what was seen last counts: who cannot go there comes back."""
        if _loop_time() < self._look_at:
            return
        found = await self.board.all(self.clock.now() - OTHERS_LAST)
        others = (one.conference.number for one in found if one.node != self.node)
        self._elsewhere, self._look_at = frozenset(others), _loop_time() + LOOK_AROUND

    def _live(self, room: Room) -> LiveConference:
        talking = (
            party.number
            for party in room.conference.parties
            if (seat := room.seats.get(party.channel)) and not party.muted and seat.talks()
        )
        started = room.conference.started
        return LiveConference(room.conference, self.node, started, frozenset(talking))

    # --- taking over

    async def reconnected(self, is_alive: Alive) -> None:
        """Asterisk is there (again): find the conferences that go on, end those that do not.

        *is_alive*: does a channel exist? Harmless to do again. Raises `RoomFault`, `MemoryFailed`,
        `SpoolFull`, and what *is_alive* raises; then it is to be done again.
        """
        async with self._entrance:
            await self._compare(is_alive)

    async def seat_left(self, channel: str) -> Seat | None:
        """The place of somebody whose script died with an earlier controller; None: nobody's."""
        async with self._entrance:
            for room in self.rooms.values():
                if room.conference.party(channel) and channel not in room.seats:
                    return room.seats.setdefault(channel, Seat(room, channel))
        return None

    async def _compare(self, is_alive: Alive) -> None:
        bridges = set(await self.bridges.ids())
        for room in list(self.rooms.values()):
            bridges.discard(room.conference.id)
            await room.resume()
        known = {room.conference.id for room in self.rooms.values()}
        for found in await self.memory.all():
            if found.id not in known:
                bridges.discard(found.id)
                await self._take_over(found, is_alive)
        for stray in bridges:
            log.warning("bridge of nobody removed", room=stray)
            await self.bridges.close(stray)

    async def _take_over(self, found: Conference, is_alive: Alive) -> None:
        """Who has gone meanwhile is gone; with nobody left it is over."""
        there = found
        for party in found.parties:
            if not await is_alive(party.channel):
                there = without(there, party.channel)
        parties = tuple(replace(one, aside=False) for one in there.parties)
        room = self._room(replace(there, parties=parties))
        if found.recording and not await self.recordings.take_over(found.recording):
            room.conference = replace(room.conference, recording="")
        if not parties or found.number in self.rooms:
            await room.close()
            return
        log.info("conference taken over", room=found.id, parties=len(parties))
        self.rooms[found.number] = room
        await room.resume()

    def _room(self, conference: Conference) -> Room:
        return Room(conference, self.bridges, self.memory, self.recordings, self.clock)

    def _new(self, number: str, owner: User) -> Conference:
        return Conference(
            id=secrets.token_hex(8),
            number=number,
            owner=owner.id,
            started=self.clock.now(),
            language=owner.language,
            rules=rules_of(owner),
        )


async def _record(room: Room) -> None:
    try:
        await room.record()
    except NotRecorded as error:
        log.error("conference not recorded", room=room.conference.id, reason=str(error))


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
