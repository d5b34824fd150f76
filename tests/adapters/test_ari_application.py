"""Our application on a real Asterisk, when connections break and controllers come and go."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.patience import AT_MOST
from tests.proxy import Proxy, proxy_to
from vm_ari.adapters.ari.application import AriApplication, Arrival
from vm_ari.adapters.ari.connection import BEAT_VARIABLE, Way
from vm_ari.adapters.ari.errors import AriUnavailable
from vm_ari.adapters.ari.line import AriLine
from vm_ari.adapters.ari.transport import Address, HttpTransport, WebSocketTransport
from vm_ari.adapters.asterisk.process import PrivateAsterisk
from vm_ari.adapters.softphone.phone import Softphone
from vm_ari.domain.recording import Limits
from vm_ari.speech.parts import Clip
from vm_ari.telephony.channel import Event, HungUp, PlayEnded, RecordingEnded

SOUNDS = Path(__file__).parents[2] / "sounds"
BEEP = Clip("tones/beep")
LIMITS = Limits(longest=60, silence=30)


class Desk:
    """Answers calls and keeps their lines; the test does the rest."""

    def __init__(self) -> None:
        self.lines: asyncio.Queue[AriLine] = asyncio.Queue()
        self.orphans: asyncio.Queue[AriLine] = asyncio.Queue()
        self.arrivals: list[Arrival] = []
        self.connects = 0

    async def call(self, line: AriLine, arrival: Arrival) -> None:
        """Pick up and wait for the end."""
        self.arrivals.append(arrival)
        await line.answer()
        await self.lines.put(line)
        await asyncio.Event().wait()

    async def orphan(self, line: AriLine) -> None:
        """Somebody else's."""
        await self.orphans.put(line)
        await asyncio.Event().wait()

    async def connected(self) -> None:
        """Count."""
        self.connects += 1


def address(asterisk: PrivateAsterisk, port: int = 0) -> Address:
    """Where ARI is, perhaps through a proxy."""
    instance = asterisk.instance
    return Address(
        f"http://127.0.0.1:{port or instance.http_port}", instance.ari_user, instance.ari_password
    )


@asynccontextmanager
async def application(
    where: Address,
    desk: Desk,
    *,
    way: Way = "auto",
    most_calls: int = 100,
    now: Callable[[], float] = time.time,
) -> AsyncIterator[AriApplication]:
    """An application that takes calls."""
    app = AriApplication(where, desk, sounds=SOUNDS, now=now, way=way, most_calls=most_calls)
    running = asyncio.create_task(app.run())
    try:
        await asyncio.wait_for(app.connection.ready.wait(), AT_MOST)
        yield app
    finally:
        running.cancel()
        await asyncio.wait([running])


def phone_at(asterisk: PrivateAsterisk) -> Softphone:
    """A caller's telephone."""
    return Softphone(user="caller", server=("127.0.0.1", asterisk.instance.sip_port))


async def until(line: AriLine, wanted: type[Event]) -> Event:
    """The next event of that kind."""
    async with asyncio.timeout(AT_MOST):
        while not isinstance(event := await line.next_event(), wanted):
            pass
    return event


async def eventually(
    true: Callable[[], Coroutine[Any, Any, bool]], within: float = AT_MOST
) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(within):
        while not await true():
            await asyncio.sleep(0.05)


def run(story: Coroutine[Any, Any, None]) -> None:
    """On a loop of its own."""
    asyncio.run(story)


def test_the_faster_way_is_chosen_where_asterisk_offers_it(asterisk: PrivateAsterisk) -> None:
    async def story() -> None:
        async with application(address(asterisk), Desk()) as app:
            assert isinstance(app.connection.client.transport, WebSocketTransport)
        async with application(address(asterisk), Desk(), way="http") as app:
            assert isinstance(app.connection.client.transport, HttpTransport)

    run(story())


def test_the_heartbeat_is_the_time_and_stops_with_us(asterisk: PrivateAsterisk) -> None:
    async def story() -> None:
        async with application(address(asterisk), Desk()) as app:
            first = await app.connection.client.asterisk.get_global_variable(BEAT_VARIABLE)
            assert abs(int(first) - time.time()) <= 2
            await asyncio.sleep(1.5)
            second = await app.connection.client.asterisk.get_global_variable(BEAT_VARIABLE)
            assert int(second) > int(first)

    run(story())


def test_a_wrong_password_is_no_crash(asterisk: PrivateAsterisk) -> None:
    async def story() -> None:
        wrong = Address(address(asterisk).url, "vm-ari", "wrong")
        app = AriApplication(wrong, Desk(), sounds=SOUNDS, now=time.time)
        running = asyncio.create_task(app.run())
        await asyncio.sleep(0.5)
        assert not running.done()
        with pytest.raises(AriUnavailable):
            _ = app.connection.client
        running.cancel()
        await asyncio.wait([running])

    run(story())


@pytest.mark.parametrize("way", ["http", "websocket"])
def test_a_call_goes_on_after_the_connection_was_cut(asterisk: PrivateAsterisk, way: Way) -> None:
    async def story(proxy: Proxy) -> None:
        desk = Desk()
        async with (
            application(address(asterisk, proxy.port), desk, way=way) as app,
            phone_at(asterisk) as phone,
        ):
            call = await phone.call("101")
            line = await asyncio.wait_for(desk.lines.get(), AT_MOST)
            proxy.cut()
            await eventually(lambda: connected_again(desk, app))
            play = await line.play([BEEP])
            assert await until(line, PlayEnded) == PlayEnded(play)
            assert desk.orphans.empty()
            await call.hang_up()
            await until(line, HungUp)

    run(through_proxy(asterisk, story))


async def connected_again(desk: Desk, app: AriApplication) -> bool:
    """Is this the second connection, and is it up?"""
    return desk.connects == 2 and app.connection.ready.is_set()


async def through_proxy(
    asterisk: PrivateAsterisk, story: Callable[[Proxy], Coroutine[Any, Any, None]]
) -> None:
    """Tell a story with a proxy in between."""
    async with proxy_to(asterisk.instance.http_port) as proxy:
        await story(proxy)


def test_what_ended_during_the_gap_is_reported(asterisk: PrivateAsterisk) -> None:
    """Missed events are never replayed: a hang-up and the end of a recording are found out."""

    async def story(proxy: Proxy) -> None:
        desk = Desk()
        async with (
            application(address(asterisk, proxy.port), desk) as app,
            phone_at(asterisk) as leaving,
            phone_at(asterisk) as staying,
        ):
            gone = await leaving.call("101")
            gone_line = await asyncio.wait_for(desk.lines.get(), AT_MOST)
            there = await staying.call("101")
            there_line = await asyncio.wait_for(desk.lines.get(), AT_MOST)
            await there_line.record("vm-ari/gap", LIMITS)
            proxy.refuse()
            proxy.cut()
            await asyncio.sleep(0.3)
            await gone.hang_up()
            await there.press("#")
            await asyncio.sleep(0.3)
            proxy.refuse(False)
            await eventually(lambda: connected_again(desk, app))
            assert await until(there_line, RecordingEnded) == RecordingEnded("vm-ari/gap")
            await until(gone_line, HungUp)
            await there.hang_up()

    run(through_proxy(asterisk, story))


def test_a_black_hole_is_noticed(asterisk: PrivateAsterisk) -> None:
    async def story(proxy: Proxy) -> None:
        desk = Desk()
        async with application(address(asterisk, proxy.port), desk) as app:
            proxy.hold()
            async with asyncio.timeout(AT_MOST):
                while app.connection.ready.is_set():
                    await asyncio.sleep(0.1)
            proxy.flow()
            await eventually(lambda: connected_again(desk, app), within=AT_MOST)

    run(through_proxy(asterisk, story))


def test_calls_of_a_dead_controller_are_adopted(asterisk: PrivateAsterisk) -> None:
    async def story() -> None:
        first, second = Desk(), Desk()
        async with phone_at(asterisk) as phone:
            async with application(address(asterisk), first):
                call = await phone.call("101")
                old = await asyncio.wait_for(first.lines.get(), AT_MOST)
            async with application(address(asterisk), second):
                line = await asyncio.wait_for(second.orphans.get(), AT_MOST)
                assert line.id == old.id
                await line.play([BEEP])
                await until(line, PlayEnded)
                await line.hang_up()
                await asyncio.wait_for(call.ended.wait(), AT_MOST)

    run(story())


def test_a_second_controller_takes_over_and_the_first_does_not_snatch_back(
    asterisk: PrivateAsterisk,
) -> None:
    async def story() -> None:
        first, second = Desk(), Desk()
        async with application(address(asterisk), first) as loser:
            async with application(address(asterisk), second), phone_at(asterisk) as phone:
                async with asyncio.timeout(AT_MOST):
                    while loser.connection.ready.is_set():
                        await asyncio.sleep(0.05)
                call = await phone.call("101")
                await asyncio.wait_for(second.lines.get(), AT_MOST)
                await call.hang_up()
                assert first.lines.empty()
                assert second.connects == 1
            await asyncio.wait_for(loser.connection.ready.wait(), AT_MOST)

    run(story())


def test_above_the_limit_the_dialplan_takes_the_message(asterisk: PrivateAsterisk) -> None:
    async def story() -> None:
        desk = Desk()
        async with (
            application(address(asterisk), desk, most_calls=1),
            phone_at(asterisk) as one,
            phone_at(asterisk) as other,
        ):
            first = await one.call("101")
            await asyncio.wait_for(desk.lines.get(), AT_MOST)
            second = await other.call("101")
            assert len(desk.arrivals) == 1
            fallback = asterisk.instance.spool / "recording" / "vm-ari" / "fallback"
            before = set(fallback.iterdir())
            await eventually(lambda: more_than(fallback, before), within=AT_MOST)
            await second.hang_up()
            await first.hang_up()

    run(story())


def test_a_call_that_waited_too_long_goes_to_the_dialplan(asterisk: PrivateAsterisk) -> None:
    async def story() -> None:
        desk, waited = Desk(), 0.0
        async with (
            application(address(asterisk), desk, now=lambda: time.time() + waited),
            phone_at(asterisk) as phone,
        ):
            first = await phone.call("101")
            await asyncio.wait_for(desk.lines.get(), AT_MOST)
            await first.hang_up()
            waited = 1.5
            fallback = asterisk.instance.spool / "recording" / "vm-ari" / "fallback"
            before = set(fallback.iterdir())
            late = await phone.call("101")
            await eventually(lambda: more_than(fallback, before), within=AT_MOST)
            await late.hang_up()
            waited = 0.0
            again = await phone.call("101")
            await asyncio.wait_for(desk.lines.get(), AT_MOST)
            await again.hang_up()
            assert len(desk.arrivals) == 2

    run(story())


async def more_than(directory: Path, before: set[Path]) -> bool:
    """Is there a new file?"""
    return bool(set(directory.iterdir()) - before)
