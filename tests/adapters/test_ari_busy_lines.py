"""A channel's own thread may be busy for minutes: no other call waits for that."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from tests.adapters.test_ari_application import (
    BEEP,
    Desk,
    address,
    application,
    eventually,
    phone_at,
    until,
)
from tests.patience import AT_MOST
from vm_ari.adapters.ari.application import AriApplication
from vm_ari.adapters.ari.client import AriClient
from vm_ari.adapters.ari.errors import AriError, AriUnavailable, NotFound
from vm_ari.adapters.ari.line import AriLine
from vm_ari.adapters.ari.transport import HttpTransport
from vm_ari.adapters.asterisk.process import PrivateAsterisk
from vm_ari.domain.recording import Limits
from vm_ari.speech.parts import Clip
from vm_ari.telephony.channel import HungUp, PlayEnded

LONG = Limits(longest=60, silence=50)
NAME = "vm-ari/busy"
PATIENCE = 1.5
"""Seconds for an answer to one request over HTTP."""
Request = Callable[[AriClient, str], Awaitable[Any]]

WAIT: Mapping[str, Request] = {
    "answer": lambda ari, one: ari.channels.handle(one).answer(),
    "set a variable": lambda ari, one: ari.channels.handle(one).set_variable("X", "1"),
    "set a function": lambda ari, one: ari.channels.handle(one).set_variable("TIMEOUT(digit)", "5"),
    "put into a bridge": lambda ari, one: ari.bridges.add_channels("busy", [one]),
}
"""What goes aside."""
DO_NOT_WAIT: Mapping[str, Request] = {
    "look": lambda ari, one: ari.channels.get(one),
    "list": lambda ari, _: ari.channels.list(),
    "bridges": lambda ari, _: ari.bridges.list(),
    "get a variable": lambda ari, one: ari.channels.handle(one).get_variable("EXTEN"),
    "get a function": lambda ari, one: ari.channels.handle(one).get_variable("CHANNEL(state)"),
    "of its dialog": lambda ari, one: ari.channels.handle(one).get_variable(
        "CHANNEL(pjsip,call-id)"
    ),
    "ring": lambda ari, one: ari.channels.handle(one).ring(),
    "ring no more": lambda ari, one: ari.channels.handle(one).ring_stop(),
    "music": lambda ari, one: ari.channels.handle(one).start_moh(),
    "no music": lambda ari, one: ari.channels.handle(one).stop_moh(),
    "silence": lambda ari, one: ari.channels.handle(one).start_silence(),
    "mute": lambda ari, one: ari.channels.handle(one).mute(),
    "unmute": lambda ari, one: ari.channels.handle(one).unmute(),
    "play": lambda ari, one: ari.channels.handle(one).play(["tone:busy"], "busy-play"),
    "see a playback": lambda ari, _: ari.playbacks.get("busy-play"),
    "stop a playback": lambda ari, _: ari.playbacks.stop("busy-play"),
    "whisper": lambda ari, one: ari.channels.handle(one).snoop("no-app", "whisper"),
    "remove a bridge": lambda ari, _: ari.bridges.destroy("busy"),
    "give back": lambda ari, one: ari.channels.handle(one).continue_in_dialplan(),
}
"""What may go over the WebSocket, whatever the channel does; the last ones end it."""


@asynccontextmanager
async def busy_line(
    asterisk: PrivateAsterisk, desk: Desk, begin: Callable[[AriLine], Awaitable[object]]
) -> AsyncIterator[tuple[AriApplication, AriLine]]:
    """A line on which something goes on that takes long."""
    async with application(address(asterisk), desk) as app, phone_at(asterisk) as phone:
        call = await phone.call("101")
        line = await asyncio.wait_for(desk.lines.get(), AT_MOST)
        await begin(line)
        yield app, line
        await call.hang_up()


async def records(line: AriLine) -> None:
    """A recording of a minute."""
    await line.record(NAME, LONG)


async def plays(line: AriLine) -> str:
    """A greeting of many seconds."""
    return await line.play([Clip("de/you-have-reached")] * 9)


async def answered(asked: Awaitable[Any]) -> bool:
    """Is there an answer in time, even a refusal?"""
    try:
        async with asyncio.timeout(PATIENCE):
            await asked
    except AriUnavailable as error:
        raise AssertionError(str(error)) from error
    except AriError as error:
        return not isinstance(error, NotFound) or error.status == 409
    except TimeoutError:
        return False
    return True


def run(story: Coroutine[Any, Any, None]) -> None:
    """On a loop of its own."""
    asyncio.run(story)


def test_what_waits_for_a_channel_is_what_goes_aside(asterisk: PrivateAsterisk) -> None:
    """A gate is closed: Asterisk plays silence without an end. Over HTTP, so that each is alone."""

    async def closes_gate(line: AriLine) -> None:
        await line._client().channels.handle(line.id).play(["tone:0"], "gate")

    async def story() -> None:
        where = address(asterisk)
        async with (
            busy_line(asterisk, Desk(), closes_gate) as (_, line),
            aiohttp.ClientSession(headers=where.authorization()) as session,
        ):
            ari = AriClient(HttpTransport(session, where))
            await ari.bridges.create("busy")
            waited = await asyncio.gather(*(answered(ask(ari, line.id)) for ask in WAIT.values()))
            assert dict(zip(WAIT, waited, strict=True)) == dict.fromkeys(WAIT, False)
            for what, ask in DO_NOT_WAIT.items():
                assert await answered(ask(ari, line.id)), what

    run(story())


@pytest.mark.parametrize("begin", [records, plays])
def test_what_is_asked_of_a_busy_line_keeps_no_other_call_waiting(
    asterisk: PrivateAsterisk, begin: Callable[[AriLine], Awaitable[object]]
) -> None:
    async def story() -> None:
        desk = Desk()
        async with busy_line(asterisk, desk, begin) as (app, line), phone_at(asterisk) as other:
            asked = asyncio.create_task(line.report("busy"))
            await asyncio.sleep(0)
            call = await other.call("101")
            there = await asyncio.wait_for(desk.lines.get(), AT_MOST)
            play = await there.play([BEEP])
            assert await until(there, PlayEnded) == PlayEnded(play)
            assert not asked.done(), "nothing was busy"
            await app.connection.client.asterisk.ping()
            await line.leave("FALLBACK")
            await asked
            await until(line, HungUp)
            await call.hang_up()

    run(story())


def test_who_is_recorded_and_adopted_by_somebody_who_knows_nothing_delays_nobody(
    asterisk: PrivateAsterisk,
) -> None:
    """He is given back behind his recording, which nobody can name; another caller is greeted."""

    async def story() -> None:
        first, second = Desk(), Desk()
        async with phone_at(asterisk) as talking, phone_at(asterisk) as other:
            async with application(address(asterisk), first):
                talks = await talking.call("101")
                line = await asyncio.wait_for(first.lines.get(), AT_MOST)
                await line.record(NAME, LONG, BEEP)
            async with application(address(asterisk), second) as app:
                orphan = await asyncio.wait_for(second.orphans.get(), AT_MOST)
                given_back = asyncio.create_task(orphan.leave("FALLBACK"))
                await asyncio.sleep(0)
                call = await other.call("101")
                there = await asyncio.wait_for(second.lines.get(), AT_MOST)
                play = await there.play([BEEP])
                assert await until(there, PlayEnded) == PlayEnded(play)
                assert not given_back.done(), "he was not being recorded"
                live = app.connection.client.recordings
                assert (await live.live(NAME))["state"] == "recording"
                await given_back
                await talks.press("#")
                await until(orphan, HungUp)
                await eventually(lambda: is_gone(app, orphan))
                await call.hang_up()
            await talks.hang_up()

    run(story())


async def is_gone(app: AriApplication, line: AriLine) -> bool:
    """Is it the dialplan's again?"""
    ours = await app.connection.client.applications.get(app.connection.app)
    return line.id not in ours["channel_ids"]
