"""A conference room on the virtual clock: several telephones, one room, perhaps two controllers."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

from tests.dialogues.exchange import ANNA, Exchange
from tests.fake_channel import FakeChannel
from tests.fake_conferences import FakeBridges, FakeConferenceBoard, FakeConferenceMemory
from tests.phone import Phone, Told, on_the_phone
from vm_ari.dialogues.conference import resume
from vm_ari.domain.conferences import Conference
from vm_ari.domain.login_state import RoomPins
from vm_ari.services.conference_pins import RoomDoor, set_room_pins
from vm_ari.services.conference_recordings import ConferenceRecordings
from vm_ari.services.conferences import Conferences
from vm_ari.speech.catalogue import P
from vm_ari.telephony.call import CallerHungUp

ROOM = "+4930555103"
PIN, MODERATOR = "482913", "739164"
Story = Callable[[Phone], Coroutine[Any, Any, None]]


class Meeting:
    """Anna's room."""

    def __init__(self, **settings: Any) -> None:
        chosen = {"conference_announcement": "nothing", **settings}
        chosen = {key: _value(key, value) for key, value in chosen.items()}
        owner = replace(ANNA, numbers=("101", ROOM), conference_numbers=(ROOM,), **chosen)
        self.owner = owner
        self.site = Exchange(users=(owner,))
        self.lines: dict[str, FakeChannel] = {}
        self.bridges = FakeBridges(self.site.spool.takes, exists=self._exists)
        self.memory = FakeConferenceMemory(self.site.spool.takes)
        self.board = FakeConferenceBoard()
        self.restart()

    def restart(self) -> None:
        """Another controller; the telephone system, disk and database are what they were."""
        self.site.spool.new_controller()
        recordings = ConferenceRecordings(
            self.site.spool,
            self.bridges,
            self.site.clock,
            "pbx.example",
            self.site._ask_to_deliver,
        )
        self.conferences = Conferences(
            self.bridges,
            self.memory,
            recordings,
            self.board,
            self.site.clock,
            RoomDoor(self.site.directory, self.site.desk.logins),
            "node",
        )
        self.site.desk = replace(self.site.desk, conferences=self.conferences)

    async def set_pins(self) -> None:
        """As the owner would in the portal."""
        pins = RoomPins(PIN, MODERATOR)
        assert await set_room_pins(self.site.directory, self.owner.id, pins) is None

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Meeting"]:
        """With PINs, and with what a controller does beside the calls."""
        await self.set_pins()
        beside = asyncio.create_task(self.conferences.run())
        try:
            yield self
        finally:
            beside.cancel()
            await asyncio.gather(beside, return_exceptions=True)

    async def comes(self, story: Story, pin: str = PIN, **how: Any) -> Told:
        """Somebody calls the room and types a PIN; then his story begins."""
        line = self.site.line()
        self.lines[line.id] = line

        async def whole(phone: Phone) -> None:
            await phone.hears(P.CONFERENCE_WELCOME, P.ENTER_PIN)
            phone.presses(f"{pin}#")
            await story(phone)

        return await self.site.call(whole, dialled=ROOM, line=line, **how)

    async def goes_on(self, channel: str, story: Story) -> Told:
        """Somebody in the room, whose script has died, is adopted by this controller."""
        line = self.lines[channel]
        line.new_controller()
        seat = await self.conferences.seat_left(channel)
        assert seat is not None, f"{channel} is nobody"
        return await on_the_phone(
            lambda call: resume(call, seat, self.site.desk), story, channel=line
        )

    @property
    def conference(self) -> Conference:
        """The one that goes on."""
        [room] = self.conferences.rooms.values()
        return room.conference

    async def until(self, reached: Callable[[], bool], within: float = 60.0) -> None:
        """Wait for something that happens in the room."""
        async with asyncio.timeout(within):
            while not reached():
                await asyncio.sleep(0.1)

    async def until_there_are(self, count: int) -> None:
        """So many in the bridge."""
        await self.until(lambda: bool(self.bridges.bridges) and len(self.inside) == count)

    @property
    def inside(self) -> set[str]:
        """Channels in the bridge."""
        return self.bridges.only().inside

    async def exists(self, channel: str) -> bool:
        """Is there still such a line?"""
        return self._exists(channel)

    def _exists(self, channel: str) -> bool:
        line = self.lines.get(channel)
        return line is not None and not line.gone


async def stays(phone: Phone) -> None:
    """Until the other side ends it."""
    await phone.hears_the_end()


def staying(seconds: float) -> Story:
    """So long, then hang up."""

    async def story(phone: Phone) -> None:
        await phone.waits(seconds)
        phone.hangs_up()

    return story


async def dies(*calls: "asyncio.Task[Told]") -> None:
    """A controller is killed: its scripts end without a word."""
    for call in calls:
        call.cancel()
    for call in calls:
        with suppress(asyncio.CancelledError, CallerHungUp):
            await call


def _value(key: str, value: object) -> object:
    from vm_ari.domain.preferences import SETTINGS

    return SETTINGS[key].parse(value) if isinstance(value, str) else value
