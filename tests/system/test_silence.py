"""What comes to a caller while he leaves a message: a stream of silence, or nothing at all."""

import asyncio
import re

from tests.patience import AT_MOST
from tests.system.callers import BEEP, Caller, assert_kept, babble, calling
from tests.system.mails import arrived
from tests.system.worlds import NewWorld, somebody
from vm_ari.adapters.ear import Audio
from vm_ari.demo.world import World

STREAM = 50
"""Packets in a second of it."""
LAST_OF_TONE = 0.5
"""Seconds: the tone is heard when its sound is over, a few packets before its end."""


async def talks(caller: Caller, said: Audio, *, sent: bool) -> None:
    """Behind the tone; sees whether anything comes meanwhile."""
    await caller.hears(BEEP)
    talking = asyncio.create_task(caller.speaks(said))
    await asyncio.sleep(LAST_OF_TONE)
    before, _ = caller.call.packets
    async with asyncio.timeout(AT_MOST):
        while sent and caller.call.packets[0] < before + STREAM:
            await asyncio.sleep(0.05)
    await talking
    assert sent or caller.call.packets[0] == before


async def leave(world: World, *, sent: bool) -> None:
    """A message, and then another one in its place."""
    person = await somebody(world)
    first, second = babble(3, 1), babble(3, 2)
    async with world.outside_phone() as phone, calling(phone, person.number) as caller:
        await caller.presses("0")
        await talks(caller, first, sent=sent)
        await caller.presses("#")
        await caller.hears("to-send")
        await caller.presses("3")
        await talks(caller, second, sent=sent)
        await caller.hangs_up()
    [mail] = await arrived(world, person)
    assert_kept(second, mail.audio)


async def transmitted(world: World) -> int:
    """RTP packets that Asterisk has sent in its only call."""
    told = await world.asterisk.command("pjsip show channelstats")
    [count] = re.findall(r"trunk-\w+ +[\d:]+ +\w+ +(?:[\d.]+ +){4}(\d+)", told)
    return int(count)


async def is_kept_alive(world: World) -> None:
    """The trunk's comfort noise comes in place of the stream."""
    async with world.outside_phone() as phone, calling(phone, world.anna.number) as caller:
        await caller.presses("0")
        await caller.hears(BEEP)
        talking = asyncio.create_task(caller.speaks(babble(AT_MOST, 3)))
        await asyncio.sleep(LAST_OF_TONE)
        audible, _ = caller.call.packets
        before = await transmitted(world)
        async with asyncio.timeout(AT_MOST):
            while await transmitted(world) < before + 2:
                await asyncio.sleep(0.2)
        assert caller.call.packets[0] == audible
        talking.cancel()


def test_callers_are_sent_silence_while_they_leave_a_message(world: World) -> None:
    asyncio.run(leave(world, sent=True))


def test_or_nothing_where_the_site_says_so_and_comfort_noise_by_the_trunk(
    new_world: NewWorld,
) -> None:
    async def scenario() -> None:
        trunk = {"pjsip.conf": "[trunk](+type=endpoint)\nrtp_keepalive=1\n"}
        unsent = "[calls]\ntransmit_silence = false\n"
        async with new_world(settings=unsent, extra_configuration=trunk) as world:
            await leave(world, sent=False)
            await is_kept_alive(world)

    asyncio.run(scenario())
