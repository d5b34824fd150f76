"""Bridges of conferences: what Asterisk's do, and that the fake of the dialogue tests does it."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.clock import run_virtually
from tests.fake_conferences import FakeBridges
from tests.patience import AT_MOST
from vm_ari.adapters.ari.application import AriApplication, Arrival
from vm_ari.adapters.ari.conference_bridges import AriBridges
from vm_ari.adapters.ari.line import AriLine
from vm_ari.adapters.ari.transport import Address
from vm_ari.adapters.asterisk.process import PrivateAsterisk
from vm_ari.adapters.softphone import Softphone
from vm_ari.domain.conferences import Conference, Happening, HappeningKind
from vm_ari.ports.conference import Bridges, RoomFault
from vm_ari.speech.parts import Clip

Story = Callable[[Bridges, Sequence[str]], Awaitable[None]]
Tell = Callable[[Story], None]


class _Hand:
    """Answers two calls, and holds them until the test is through."""

    def __init__(self) -> None:
        self.lines: asyncio.Queue[AriLine] = asyncio.Queue()
        self.through = asyncio.Event()

    async def call(self, line: AriLine, _arrival: Arrival) -> None:
        await line.answer()
        await self.lines.put(line)
        await self.through.wait()
        await line.hang_up()

    async def orphan(self, line: AriLine) -> None:
        await line.hang_up()

    async def connected(self) -> None:
        """Nothing to do."""


async def on_asterisk(asterisk: PrivateAsterisk, story: Story) -> None:
    """Two calls by a softphone into our application."""
    instance, hand = asterisk.instance, _Hand()
    base = asterisk.ari_url.removesuffix("/ari")
    sounds = instance.sounds
    assert sounds
    address = Address(base, instance.ari_user, instance.ari_password)
    app = AriApplication(address, hand, sounds=sounds.absolute(), now=time.time)
    beep = f"sound:{sounds.absolute() / 'tones/beep'}"
    bridges = AriBridges(
        "vm-ari", lambda: app.connection.client, lambda _clip: beep, lambda *_: [Clip("any")]
    )
    running = asyncio.create_task(app.run())
    server = ("127.0.0.1", instance.sip_port)
    try:
        await asyncio.wait_for(app.connection.ready.wait(), AT_MOST)
        async with Softphone(user="caller", server=server) as phone:
            for _ in range(2):
                await phone.call("101")
            lines = [await asyncio.wait_for(hand.lines.get(), AT_MOST) for _ in range(2)]
            await asyncio.wait_for(story(bridges, [line.id for line in lines]), AT_MOST)
            hand.through.set()
    finally:
        running.cancel()
        await asyncio.wait([running])


@pytest.fixture(params=["fake", "asterisk"])
def tell(request: pytest.FixtureRequest) -> Tell:
    if request.param == "fake":

        async def on_fake(story: Story) -> None:
            await story(FakeBridges(exists=lambda channel: channel != "nobody"), ["one", "two"])

        return lambda story: run_virtually(on_fake(story))
    asterisk: PrivateAsterisk = request.getfixturevalue("asterisk")
    Path(asterisk.instance.spool / "recording" / "vm-ari").mkdir(exist_ok=True)
    return lambda story: asyncio.run(on_asterisk(asterisk, story))


async def until(reached: Callable[[], Awaitable[bool]]) -> None:
    """A moment later it is so."""
    async with asyncio.timeout(AT_MOST):
        while not await reached():
            await asyncio.sleep(0.05)


def test_parties_come_and_go_and_what_is_done_twice_is_no_fault(tell: Tell) -> None:
    async def story(bridges: Bridges, channels: Sequence[str]) -> None:
        one, two = channels
        room = secrets.token_hex(4)
        conference = Conference(room, "+4930555103", "anna", datetime.now(UTC))
        assert room not in await bridges.ids()
        assert list(await bridges.inside(room)) == []
        for _ in range(2):
            await bridges.open(room)
        assert room in await bridges.ids()
        for channel in (one, two, one, "nobody"):
            await bridges.put_in(room, channel)
        await until(lambda: _are_inside(bridges, room, {one, two}))
        for channel in (two, two, "nobody"):
            await bridges.take_out(room, channel)
        await until(lambda: _are_inside(bridges, room, {one}))
        for heard in (False, False, True, True):
            for channel in (one, two, "nobody"):
                await bridges.set_heard(channel, heard)
        for on in (True, True, False, False):
            await bridges.set_music(room, on)
        await bridges.announce(conference, Happening(HappeningKind.LOCKED))
        for _ in range(2):
            await bridges.close(room)
        assert room not in await bridges.ids()
        await bridges.put_in(room, one)
        await bridges.announce(conference, Happening(HappeningKind.LOCKED))

    tell(story)


@pytest.mark.parametrize("ends_with_the_room", [False, True])
def test_a_recording_goes_on_until_it_is_stopped_or_its_room_is_gone(
    tell: Tell, ends_with_the_room: bool
) -> None:
    async def story(bridges: Bridges, channels: Sequence[str]) -> None:
        room = secrets.token_hex(4)
        name = f"vm-ari/bridge-test-{time.monotonic_ns()}"
        assert not await bridges.is_recording(name)
        with pytest.raises(RoomFault):
            await bridges.record(room, name, 60)
        await bridges.open(room)
        for channel in channels:
            await bridges.put_in(room, channel)
        await bridges.record(room, name, 60)
        assert await bridges.is_recording(name)
        if not ends_with_the_room:
            for _ in range(2):
                await bridges.stop_recording(name)
        else:
            await bridges.close(room)
        await until(lambda: _is_over(bridges, name))
        await bridges.close(room)

    tell(story)


async def _is_over(bridges: Bridges, name: str) -> bool:
    return not await bridges.is_recording(name)


async def _are_inside(bridges: Bridges, room: str, wanted: set[str]) -> bool:
    return set(await bridges.inside(room)) == wanted
