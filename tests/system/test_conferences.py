"""Conferences on a real Asterisk: who hears whom, what moderators do, who dies meanwhile (UM-04).

``VM_ARI_CONFERENCE_PARTIES=20`` makes it as many people as that.
"""

import asyncio
import os
from collections.abc import Iterator

import pytest

from tests.patience import AT_MOST
from tests.system.callers import babble, calling
from tests.system.conference_calls import (
    MODERATOR,
    PIN,
    Guest,
    Room,
    goes_on_elsewhere,
    holds,
    new_extension,
    others,
    room_in,
)
from tests.system.mails import Mail, mails
from tests.system.worlds import NewWorld
from vm_ari.demo.world import World
from vm_ari.domain.conference_settings import Announcement
from vm_ari.ports.conference import Verb

PARTIES = int(os.environ.get("VM_ARI_CONFERENCE_PARTIES", "5"))
STRAIGHT = """
[vm-ari-trunk](+)
exten => _88.,1,Goto(vm-ari-conference,${EXTEN:2},1)
exten => _87.,1,Set(VM_ARI_ELSEWHERE=yes)
 same => n,Goto(vm-ari,${EXTEN:2},1)
exten => _86.,1,Set(VM_ARI_ELSEWHERE=yes)
 same => n,Goto(vm-ari-conference,${EXTEN:2},1)
"""
"""Behind 88 a number leads to the door of a room, and never to a mailbox; behind 86 and 87 somebody
brings a call to other nodes that this one does not take."""
NEXT_NODE = 503
"""Whoever has brought the call asks the next node."""
part = pytest.mark.feature_part


@pytest.fixture(scope="module")
def frail_world(new_world: NewWorld) -> Iterator[World]:
    """One whose parts may be killed."""
    world = new_world(extra_configuration={"extensions.conf": STRAIGHT})
    asyncio.run(world.__aenter__())
    yield world
    asyncio.run(_end(world))


async def _end(world: World) -> None:
    await world.stop_controller()
    await world.asterisk.kill()
    await world.__aexit__(None, None, None)


@pytest.mark.feature("UM-04")
def test_a_conference(world: World) -> None:
    async def story() -> None:
        async with room_in(world, new_extension()) as room:
            moderator = await room.comes(MODERATOR)
            for _ in range(PARTIES - 1):
                await room.comes()
            await room.until_there_are(PARTIES)
            await room.everybody_hears(others)

            await moderator.caller.presses("*6")  # record
            await moderator.caller.presses("*5")  # mute all
            await room.everybody_hears(
                lambda one, other: other is moderator and one is not moderator
            )
            live = await room.live()
            assert live is not None
            assert live.conference.recording
            assert [one.caller.call.keys_heard for one in room.guests] == [""] * PARTIES
            second = room.guests[1]
            await room.order(Verb.UNMUTE, second)
            await room.everybody_hears(
                lambda one, other: one is not other and other in (moderator, second)
            )
            await _are_seen_talking(room, moderator, second)
            await room.order(Verb.REMOVE, second)
            await second.caller.is_hung_up_on()
            await room.until_there_are(PARTIES - 1)
            await moderator.caller.presses("*9")  # end it
            for guest in room.guests:
                await guest.caller.is_hung_up_on()
            await room.until_over()
            await _nothing_is_left(world)
            mail = await _recording(room)
            assert holds(mail.audio, second.hz)

    asyncio.run(story())


@part("UM-04", "the others hear the recorded name of who comes and goes")
def test_names_are_announced(world: World) -> None:
    async def story() -> None:
        names = {"conference_announcement": Announcement.NAMES}
        async with room_in(world, new_extension(), **names) as room:
            first = await room.comes(name=babble(1.2, 1))
            await room.until_there_are(1)
            await first.is_quiet()
            said = babble(1.2, 2)
            second = await room.comes(name=said)
            await second.is_quiet()
            await first.caller.hears_audio(said)
            await first.caller.hears("conference/has-joined")
            await room.leaves(second)
            await first.caller.hears("conference/has-left", "conference/alone")

    asyncio.run(story())


@part("UM-04", "a killed controller's conference goes on, and is the next one's with all there is")
def test_the_controller_is_killed(frail_world: World) -> None:
    world = frail_world

    async def story() -> None:
        async with room_in(world, new_extension()) as room:
            moderator = await room.comes(MODERATOR)
            for _ in range(3):
                await room.comes()
            await room.until_there_are(4)
            await room.everybody_hears(others)
            await room.order(Verb.RECORD)
            await room.order(Verb.LOCK)
            muted, goner = room.guests[1:3]
            await room.order(Verb.MUTE, muted)
            await room.everybody_hears(lambda one, other: one is not other and other is not muted)

            world.kill_controller()
            await room.leaves(goner)
            room.guests.remove(goner)
            await room.everybody_hears(lambda one, other: one is not other and other is not muted)
            door = f"8800{room.number.removeprefix('+')}"
            async with calling(room.phone, door) as late:  # waits there for a controller
                await world.start_controller()
                await late.hears("conference/welcome")
                await late.presses(f"{PIN}#")
                await late.hears("conference/locked", "goodbye")
            live = await room.until_there_are(3)
            assert live.conference.locked
            assert live.conference.recording
            await room.everybody_hears(lambda one, other: one is not other and other is not muted)
            await room.order(Verb.UNMUTE, muted)
            await room.everybody_hears(others)
            await moderator.caller.presses("*9")
            for guest in room.guests:
                await guest.caller.is_hung_up_on()
            await room.until_over()
            await _nothing_is_left(world)
            mail = await _recording(room)
            assert holds(mail.audio, muted.hz), "what came after the restart is missing"

    asyncio.run(story())


@part("OPS-04", "who calls a conference of another node is brought there")
def test_a_conference_goes_on_at_another_node(frail_world: World) -> None:
    async def story() -> None:
        async with room_in(frail_world, new_extension()) as room, goes_on_elsewhere(room):
            for door in ("86", "87"):
                number = f"{door}00{room.number.removeprefix('+')}"
                async with asyncio.timeout(AT_MOST):
                    while await room.is_refused(number) != NEXT_NODE:
                        await asyncio.sleep(0.5)
            guest = await room.comes()  # nobody asks another node: better here than nowhere
            await guest.is_quiet()
            async with asyncio.timeout(AT_MOST):
                while not list((frail_world.spool / "conferences").glob("*.json")):
                    await asyncio.sleep(0.2)

    asyncio.run(story())


@part("UM-04", "Asterisk is killed: the owner gets what was recorded, marked as partial")
def test_asterisk_is_killed(frail_world: World) -> None:
    world = frail_world

    async def story() -> None:
        async with room_in(world, new_extension()) as room:
            first, second = await room.comes(MODERATOR), await room.comes()
            await room.until_there_are(2)
            await room.everybody_hears(others)
            await room.order(Verb.RECORD)
            await _grows(world)
            await world.asterisk.kill()
            await world.asterisk.start()
            mail = await _recording(room)
            assert mail["X-VM-ARI-Partial"] == "yes"
            assert holds(mail.audio, second.hz)
            await _nothing_is_left(world)
            await first.is_quiet()
            for guest in room.guests:
                guest.caller.call.drop()

    asyncio.run(story())


async def _grows(world: World) -> None:
    """Asterisk has written some seconds of audio."""
    async with asyncio.timeout(AT_MOST):
        while not any(f.stat().st_size > 60_000 for f in world.spool.glob("open/*/take-1.wav")):
            await asyncio.sleep(0.2)


async def _are_seen_talking(room: Room, *guests: Guest) -> None:
    numbers = {await room.number_of(guest) for guest in guests}
    async with asyncio.timeout(AT_MOST):
        while True:
            live = await room.live()
            if live and set(live.talking) == numbers:
                return
            await asyncio.sleep(0.2)


async def _nothing_is_left(world: World) -> None:
    """No bridge, no memory."""
    async with asyncio.timeout(AT_MOST):
        while "room" in await world.asterisk.command("bridge show all"):
            await asyncio.sleep(0.2)
        while list((world.spool / "conferences").glob("*.json")):
            await asyncio.sleep(0.2)


async def _recording(room: Room) -> Mail:
    """The owner's only mail."""
    async with asyncio.timeout(AT_MOST):
        while not (found := mails(room.world, room.owner)):
            await asyncio.sleep(0.2)
    [mail] = found
    return mail
