"""The controller dies, or loses its connection, while callers wait or talk: nobody is left over."""

import asyncio
import os
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest

from tests.patience import AT_MOST, STORY
from tests.proxy import Proxy, proxy_to
from tests.system.callers import Caller, calling
from tests.system.conftest import NewAsterisk
from tests.system.transfer_node import Node, node
from tests.system.transfer_site import (
    CONFIGURATION,
    MODULES,
    PHONES,
    Mailboxes,
    controller,
    hears_tone,
    nothing_is_left,
    phone,
    prepare_records,
    registered,
    tone,
)
from vm_ari.adapters.asterisk.process import PrivateAsterisk
from vm_ari.adapters.softphone import CallEnded, Ending, IncomingCall, Softphone
from vm_ari.config import shared_files
from vm_ari.domain.transfer import Outcome


@pytest.fixture(scope="module")
def site(new_asterisk: NewAsterisk) -> Iterator[PrivateAsterisk]:
    """An Asterisk with two office telephones."""
    one = new_asterisk(
        phones=PHONES,
        sounds=shared_files() / "sounds",
        extra_configuration=CONFIGURATION,
        extra_modules=MODULES,
    )
    asyncio.run(one.start())
    prepare_records(one)
    yield one
    asyncio.run(one.stop())


def run(story: Coroutine[Any, Any, None]) -> None:
    """On a loop of its own, not for ever."""
    asyncio.run(asyncio.wait_for(story, STORY))


@dataclass
class Scene:
    """Carla calls, Ben's telephone rings."""

    site: PrivateAsterisk
    node: Node
    carla: Caller
    ben: IncomingCall

    async def they_hear_each_other(self, hz: int) -> None:
        """Audio goes both ways."""
        await asyncio.gather(
            self.carla.speaks(tone(hz, 2)),
            self.ben.speak(tone(hz + 300, 2)),
            hears_tone(self.ben, hz),
            hears_tone(self.carla.call, hz + 300),
        )


@asynccontextmanager
async def scene(site: PrivateAsterisk) -> AsyncIterator[Scene]:
    """What is left of it fails the test."""
    async with (
        node(site) as one,
        registered(site) as office,
        phone(site, "carla") as outside,
        calling(outside, "101", "en") as carla,
    ):
        yield Scene(site, one, carla, await office.next_call(within=AT_MOST))
        await nothing_is_left(site)


@pytest.mark.parametrize("who", ["destination", "caller"])
@pytest.mark.feature_part("XFER-02", "who talks goes on talking when the controller is killed")
def test_who_talks_goes_on_talking(site: PrivateAsterisk, who: str) -> None:
    async def scenario() -> None:
        async with scene(site) as they:
            they.ben.answer()
            await they.they_hear_each_other(900)
            await they.node.kill()
            await they.they_hear_each_other(1000)
            await they.node.start()
            await they.they_hear_each_other(1100)
            if who == "caller":
                await they.carla.hangs_up()
                await asyncio.wait_for(they.ben.ended.wait(), AT_MOST)
            else:
                await they.ben.hang_up()
                await they.carla.is_hung_up_on()

    run(scenario())


@pytest.mark.parametrize("who", ["destination", "caller"])
def test_who_is_alone_after_a_restart_is_not_left_so(site: PrivateAsterisk, who: str) -> None:
    """The other one hung up while there was no controller."""

    async def scenario() -> None:
        async with scene(site) as they:
            they.ben.answer()
            await they.they_hear_each_other(900)
            await they.node.kill()
            await (they.carla.hangs_up() if who == "caller" else they.ben.hang_up())
            await they.node.start()
            await asyncio.wait_for(they.ben.ended.wait(), AT_MOST)
            await they.carla.is_hung_up_on()

    run(scenario())


@pytest.mark.parametrize("answered", [False, True])
def test_who_waited_is_asked_for_a_message(site: PrivateAsterisk, answered: bool) -> None:
    """And nobody rings any more, or is left alone if he picked up meanwhile."""

    async def scenario() -> None:
        async with scene(site) as they:
            await hears_tone(they.carla.call, 425)
            await they.node.kill()
            if answered:
                they.ben.answer()
                await asyncio.wait_for(they.ben.ended.wait(), AT_MOST)
            await they.node.start()
            await they.carla.hears("fallback-greeting")
            await asyncio.wait_for(they.ben.ended.wait(), AT_MOST)
            assert they.ben.ending is (Ending.HUNG_UP_THERE if answered else Ending.CANCELLED)
            await they.carla.hangs_up()

    run(scenario())


# --- at any moment


async def one_call(site: PrivateAsterisk, chance: random.Random) -> None:
    """A caller who may wait, talk, give up or hang up, at any time."""
    async with phone(site, "carla") as outside, calling(outside, "101", "en") as carla:
        with suppress(CallEnded):
            await asyncio.sleep(chance.uniform(0, 9))
            await carla.presses(chance.choice(("*", "1", "#")))
            await asyncio.sleep(chance.uniform(0, 3))


def answers_somehow(
    office: Softphone, chance: random.Random, busy: set[asyncio.Task[None]]
) -> None:
    """Some calls are answered, some declined, some ring."""

    async def serve(call: IncomingCall) -> None:
        await asyncio.sleep(chance.uniform(0, 3))
        match chance.randrange(4):
            case 0:
                call.reject(chance.choice((486, 603, 480)))
            case 1 | 2:
                call.answer()
                await asyncio.sleep(chance.uniform(0, 4))
                await call.hang_up()

    def take(call: IncomingCall) -> None:
        call.ring()
        task = asyncio.ensure_future(serve(call))
        busy.add(task)

    office.on_call(take)


@pytest.mark.slow
@pytest.mark.feature_part("XFER-02", "no channel and no bridge is left, whenever we are killed")
def test_whenever_the_controller_is_killed_nothing_is_left_over(site: PrivateAsterisk) -> None:
    seed = int(os.environ.get("VM_ARI_SEED", random.SystemRandom().randrange(1_000_000)))
    print(f"VM_ARI_SEED={seed}")
    chance = random.Random(seed)

    async def scenario() -> None:
        busy: set[asyncio.Task[None]] = set()
        async with node(site) as one, registered(site) as office:
            answers_somehow(office, chance, busy)
            for _ in range(4):
                calls = [
                    asyncio.ensure_future(one_call(site, random.Random(chance.random())))
                    for _ in range(5)
                ]
                await asyncio.sleep(chance.uniform(1.5, 6))
                await one.kill()
                await asyncio.sleep(chance.uniform(0, 0.5))
                await one.start()
                await asyncio.gather(*calls)
            await asyncio.gather(*busy)
            await nothing_is_left(site, within=AT_MOST)

    run(scenario())


# --- the connection


async def through(
    site: PrivateAsterisk, story: Callable[[Proxy, Mailboxes, Caller, IncomingCall], Any]
) -> None:
    """The same with one controller behind a connection that can be cut."""
    mailboxes = Mailboxes({"101": "102"}, seconds=20)
    async with (
        proxy_to(site.instance.http_port) as proxy,
        controller(site, mailboxes, port=proxy.port) as app,
        registered(site) as office,
        phone(site, "carla") as outside,
        calling(outside, "101", "en") as carla,
    ):
        rings = await office.next_call(within=AT_MOST)
        await story(proxy, mailboxes, carla, rings)
        await asyncio.wait_for(app.connection.ready.wait(), AT_MOST)
        await nothing_is_left(site)


async def gap(proxy: Proxy, meanwhile: Coroutine[Any, Any, None] | None = None) -> None:
    """The connection is lost for a moment, in which something may happen."""
    proxy.refuse()
    proxy.cut()
    await asyncio.sleep(0.3)
    if meanwhile:
        await meanwhile
    proxy.refuse(False)


@pytest.mark.parametrize("who", ["destination", "caller"])
def test_a_hang_up_while_the_connection_is_lost_is_found_out(
    site: PrivateAsterisk, who: str
) -> None:
    async def story(proxy: Proxy, boxes: Mailboxes, carla: Caller, ben: IncomingCall) -> None:
        ben.answer()
        await asyncio.gather(ben.speak(tone(1000, 1)), hears_tone(carla.call, 1000))
        await gap(proxy, carla.hangs_up() if who == "caller" else ben.hang_up())
        assert await boxes.outcome() is Outcome.TALKED
        await asyncio.wait_for(ben.ended.wait(), AT_MOST)
        await carla.is_hung_up_on()

    run(through(site, story))


def test_it_goes_on_ringing_while_the_connection_is_lost(site: PrivateAsterisk) -> None:
    async def story(proxy: Proxy, boxes: Mailboxes, carla: Caller, ben: IncomingCall) -> None:
        await gap(proxy)
        await asyncio.sleep(2)
        ben.answer()
        await asyncio.gather(ben.speak(tone(1000, 1)), hears_tone(carla.call, 1000))
        await ben.hang_up()
        assert await boxes.outcome() is Outcome.TALKED
        await carla.is_hung_up_on()

    run(through(site, story))


def test_a_caller_who_hangs_up_meanwhile_lets_nobody_ring(site: PrivateAsterisk) -> None:
    async def story(proxy: Proxy, boxes: Mailboxes, carla: Caller, ben: IncomingCall) -> None:
        await gap(proxy, carla.hangs_up())
        assert await boxes.outcome() is None
        await asyncio.wait_for(ben.ended.wait(), AT_MOST)

    run(through(site, story))
