"""A real call is seen while it goes on, and ended by an administrator; the log tells of it."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from tests.patience import AT_MOST
from tests.system.callers import BEEP, babble, calling
from tests.system.mails import arrived
from tests.system.worlds import somebody
from vm_ari.adapters.log_files import FileLogs
from vm_ari.adapters.system_clock import SystemClock
from vm_ari.config import load
from vm_ari.demo.world import Person, World
from vm_ari.domain.live_calls import Doing, LiveCall
from vm_ari.domain.log_lines import LogKind, LogLine, LogQuery
from vm_ari.domain.notifications import Channel
from vm_ari.services.live_calls import LiveCallsView
from vm_ari.wiring.live_calls import open_live_calls_store
from vm_ari.wiring.logs import level_file


@asynccontextmanager
async def looking(world: World) -> AsyncIterator[LiveCallsView]:
    """As the portal does."""
    store = open_live_calls_store(load(world.config))
    try:
        yield LiveCallsView(store, SystemClock())
    finally:
        await store.close()


async def seen(view: LiveCallsView, person: Person, doing: Doing) -> LiveCall:
    """That user's call, as soon as it is so far."""
    async with asyncio.timeout(AT_MOST):
        while True:
            for call in await view.calls():
                if call.user_id == person.user.id and call.doing is doing:
                    return call
            await asyncio.sleep(0.2)


async def lines(world: World, query: LogQuery) -> Sequence[LogLine]:
    """The controller's, as soon as there are any."""
    async with asyncio.timeout(AT_MOST):
        while True:
            page = await FileLogs(world.controller_log).newest(query)
            if page.lines:
                return page.lines
            await asyncio.sleep(0.1)


def types(world: World, *words: str) -> None:
    """A command without rows."""
    whole = [sys.executable, "-m", "vm_ari", *words, "-c", str(world.config)]
    subprocess.run(whole, check=True, capture_output=True, timeout=AT_MOST)


@pytest.mark.feature("WEB-02", "OPS-02")
def test_a_call_is_seen_ended_and_in_the_log_and_what_was_said_is_kept(world: World) -> None:
    async def story() -> None:
        person = await somebody(world, "de", notify_voice=(Channel.LAMP, Channel.MAIL))
        async with (
            looking(world) as view,
            world.outside_phone() as phone,
            calling(phone, person.number) as caller,
        ):
            greeting = await seen(view, person, Doing.GREETING)
            assert greeting.caller.number == caller.number
            assert (greeting.greeting, greeting.towards) == ("default", "")
            assert greeting.why == "It plays where no other greeting applies."
            [node] = await view.nodes()
            assert node.telephony.startswith("Asterisk 2")
            await caller.presses("0")
            await caller.hears(BEEP)
            message = await seen(view, person, Doing.MESSAGE)
            assert message.id == greeting.id
            await caller.speaks(babble(2.6, 7))
            await asyncio.to_thread(types, world, "calls", "--end", message.id)
            await caller.is_hung_up_on()
            await arrived(world, person)
            while person.user.id in {call.user_id for call in await view.calls()}:
                await asyncio.sleep(0.2)
        call = await lines(world, LogQuery(call=message.channel, text="call ended"))
        assert call[0].kind is LogKind.CALLS
        assert await lines(world, LogQuery(LogKind.NOTICES, user=person.user.id))
        await asyncio.to_thread(types, world, "log", "level", "warning", "--for", "1m")
        assert await lines(world, LogQuery(LogKind.SYSTEM, text="to=warning"))
        level_file(load(world.config)).unlink()
        usual = f"to={load(world.config).log_level}"
        assert await lines(world, LogQuery(LogKind.SYSTEM, text=usual))
        async with world.outside_phone() as phone, calling(phone, person.number) as thief:
            await thief.presses("*000000#", ms=60)
            theirs = f"{person.extension} reason="  # the mailbox is the last but one
            failed = await lines(world, LogQuery(LogKind.WRONG_PIN, text=theirs))
            assert failed[0].event == "login failed"
            assert "000000" not in failed[0].raw

    asyncio.run(story())
