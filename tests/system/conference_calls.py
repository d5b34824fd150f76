"""People in a real conference room: each sends a tone of its own, and hears those of the others."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from tests.patience import AT_MOST
from tests.system.callers import Caller, NotHeard, calling
from vm_ari.adapters.conferences_database import DatabaseConferences
from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.ear import RATE, Audio
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.softphone import CallEnded, Softphone
from vm_ari.adapters.softphone.errors import CallRefused
from vm_ari.demo.people import Person
from vm_ari.demo.world import World
from vm_ari.domain.conference_settings import Alone, Announcement
from vm_ari.domain.conferences import Conference
from vm_ari.domain.login_state import RoomPins
from vm_ari.ports.conference import LiveConference, RoomOrder, Verb
from vm_ari.services.conference_pins import set_room_pins

PIN, MODERATOR = "482913", "739164"
LOUD = 0.05
"""Amplitude of a tone: twenty of them together do not clip."""
LISTENED = 0.4
"""Seconds over which a tone is looked for."""
FIRST_HZ, STEP_HZ = 400, 130


def hz_of(place: int) -> int:
    """The tone of the how many-th who came."""
    return FIRST_HZ + STEP_HZ * place


def tone(hz: int, seconds: float) -> Audio:
    """Loud enough to be a voice."""
    times = np.arange(round(seconds * RATE)) / RATE
    return (LOUD * np.sin(2 * np.pi * hz * times)).astype(np.float32)


def strength(heard: Audio, hz: int) -> float:
    """Amplitude of a tone in what was heard last (Goertzel's sum)."""
    last = heard[-round(LISTENED * RATE) :].astype(np.float64)
    if len(last) < LISTENED * RATE / 2:
        return 0.0
    turning = np.exp(-2j * np.pi * hz * np.arange(len(last)) / RATE)
    return float(2 * abs(np.dot(last, turning)) / len(last))


def holds(recorded: Audio, hz: int) -> bool:
    """Is that tone anywhere in it?"""
    window = round(LISTENED * RATE)
    ends = range(window, len(recorded) + 1, window)
    return any(strength(recorded[:end], hz) > LOUD / 4 for end in ends)


@dataclass
class Guest:
    """One party."""

    caller: Caller
    hz: int
    _speaking: "asyncio.Task[None] | None" = None

    def hums(self) -> None:
        """Send the own tone, for as long as it takes."""
        self._speaking = asyncio.create_task(self._hum())

    async def _hum(self) -> None:
        with suppress(CallEnded):
            await self.caller.speaks(tone(self.hz, 90))

    async def is_quiet(self) -> None:
        """No tone any more."""
        if self._speaking:
            self._speaking.cancel()
            with suppress(asyncio.CancelledError):
                await self._speaking

    def hears(self, other: "Guest") -> bool:
        """Just now?"""
        return strength(self.caller.call.heard, other.hz) > LOUD / 4


@dataclass
class Room:
    """Somebody's room in a world."""

    world: World
    owner: Person
    phone: Softphone
    guests: list[Guest] = field(default_factory=list)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def number(self) -> str:
        """Of the room."""
        return self.owner.number

    async def comes(self, pin: str = PIN, *, name: Audio | None = None) -> Guest:
        """Somebody calls, types the PIN, perhaps says a name, and hums."""
        caller = await self._stack.enter_async_context(
            calling(self.phone, self.number, self.owner.language)
        )
        guest = Guest(caller, hz_of(len(self.guests)))
        self.guests.append(guest)
        await caller.presses(f"{pin}#", ms=60)
        if name is not None:
            await caller.presses("#", ms=60)  # without the explanation
            await caller.hears("tones/beep")
            await caller.speaks(name)
            await caller.presses("#")
        guest.hums()
        return guest

    async def is_refused(self, number: str) -> int:
        """With which answer of SIP; 0: it is taken."""
        try:
            async with calling(self.phone, number, self.owner.language):
                return 0
        except CallRefused as refused:
            return refused.status

    async def live(self) -> LiveConference | None:
        """As every process sees it."""
        board = DatabaseConferences(f"sqlite:///{self.world.directory / 'journal.db'}")
        try:
            found = await board.all(datetime.now(UTC) - timedelta(seconds=20))
        finally:
            await board.close()
        mine = (one for one in found if one.conference.owner == self.owner.user.id)
        return next(mine, None)

    async def number_of(self, guest: Guest) -> int:
        """As the how many-th that guest came in."""
        live = await self.live()
        assert live is not None
        mine = guest.caller.number
        return next(p.number for p in live.conference.parties if p.caller.number == mine)

    async def order(self, verb: Verb, about: Guest | None = None) -> None:
        """As portal and commands do."""
        live = await self.live()
        assert live is not None
        party = 0 if about is None else await self.number_of(about)
        board = DatabaseConferences(f"sqlite:///{self.world.directory / 'journal.db'}")
        order = RoomOrder(live.conference.id, verb, party, "test")
        await board.order(live.node, order, datetime.now(UTC))
        await board.close()

    async def until_there_are(self, count: int) -> LiveConference:
        """So many parties, as every process sees it."""
        async with asyncio.timeout(AT_MOST):
            while True:
                live = await self.live()
                if live and len(live.conference.parties) == count:
                    return live
                await asyncio.sleep(0.2)

    async def until_over(self) -> None:
        """Nobody is left."""
        async with asyncio.timeout(AT_MOST):
            while await self.live() is not None:
                await asyncio.sleep(0.2)

    async def everybody_hears(
        self, heard: Callable[[Guest, Guest], bool], guests: Sequence[Guest] | None = None
    ) -> None:
        """Wait until who hears whom is as it should be: *heard* by (listener, speaker)."""
        wrong: list[str] = []
        with suppress(TimeoutError):
            async with asyncio.timeout(AT_MOST):
                while True:
                    wrong = self._wrong(heard, guests or self.guests)
                    if not wrong:
                        return
                    await asyncio.sleep(0.2)
        raise NotHeard("; ".join(wrong[:8]))

    def _wrong(self, heard: Callable[[Guest, Guest], bool], guests: Sequence[Guest]) -> list[str]:
        return [
            f"{one.hz} {'does not hear' if heard(one, other) else 'hears'} {other.hz}"
            for one in guests
            for other in self.guests
            if one.hears(other) != heard(one, other)
        ]

    async def leaves(self, *guests: Guest) -> None:
        """They hang up."""
        for guest in guests:
            await guest.is_quiet()
            with suppress(CallEnded):
                await guest.caller.hangs_up()

    async def close(self) -> None:
        """Nobody holds a receiver any more."""
        for guest in self.guests:
            await guest.is_quiet()
        await self._stack.aclose()


@asynccontextmanager
async def room_in(world: World, extension: str, **settings: Any) -> AsyncIterator[Room]:
    """The room of a new user, opened with both PINs."""
    owner = Person(f"Host{extension}", extension, "de")
    plain = {"conference_announcement": Announcement.NOTHING, "conference_alone": Alone.SENTENCE}
    chosen = {**plain, "conference_numbers": (owner.number,), **settings}
    owner = Person(owner.name, extension, "de", settings=chosen)
    await world.add(owner)
    embedded = EmbeddedDirectory(
        f"sqlite:///{world.directory / 'directory.db'}", KeyRing(world.directory / "keys")
    )
    assert await set_room_pins(embedded, owner.user.id, RoomPins(PIN, MODERATOR)) is None
    await embedded.close()
    async with world.outside_phone() as phone:
        room = Room(world, owner, phone)
        try:
            yield room
        finally:
            await room.close()


@asynccontextmanager
async def goes_on_elsewhere(room: Room) -> AsyncIterator[None]:
    """Another node shows a conference of that number, again and again."""
    board = DatabaseConferences(f"sqlite:///{room.world.directory / 'journal.db'}")
    conference = Conference(secrets.token_hex(8), room.number, room.owner.user.id, _now())

    async def show() -> None:
        while True:
            await board.write("another-node", [LiveConference(conference, "", _now())])
            await asyncio.sleep(1)

    showing = asyncio.create_task(show())
    yield
    showing.cancel()
    await asyncio.gather(showing, return_exceptions=True)
    await board.write("another-node", [])
    await board.close()


def _now() -> datetime:
    return datetime.now(UTC)


def new_extension() -> str:
    """For a user of a world that many tests share."""
    return f"4{secrets.randbelow(9000) + 1000}"


def others(listener: Guest, speaker: Guest) -> bool:
    """Everybody hears everybody else."""
    return listener is not speaker
