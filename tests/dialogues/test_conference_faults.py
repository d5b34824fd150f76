"""Conferences in which something breaks, somebody dies, or orders come from afar (UM-04)."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.dialogues.conference_site import MODERATOR, PIN, ROOM, Meeting, dies, staying, stays
from tests.dialogues.exchange import tell
from tests.fake_conferences import FakeBridge
from tests.phone import Phone
from vm_ari.ports.conference import RoomOrder, Verb
from vm_ari.speech.catalogue import P

part = pytest.mark.feature_part
_MINUTE = timedelta(minutes=1)


@part("UM-04", "the controller dies: the conference goes on, with moderator, lock and recording")
def test_a_new_controller_takes_the_room_over() -> None:
    async def story() -> None:
        room = Meeting()
        async with room.open():
            moderator = asyncio.create_task(room.comes(stays, MODERATOR))
            await room.until_there_are(1)
            guest, goner = (asyncio.create_task(room.comes(stays)) for _ in range(2))
            await room.until_there_are(3)
            live = room.conferences.rooms[ROOM]
            await live.record()
            order = RoomOrder(live.conference.id, Verb.LOCK)
            await room.conferences.carry_out(order)
            await room.conferences.carry_out(replace(order, verb=Verb.MUTE, party=2))
            before = room.conference
            await asyncio.sleep(5)  # who was muted has heard that
            await dies(moderator, guest, goner)
        assert len(room.inside) == 3, "the bridge goes on"
        lost = before.parties[2].channel
        room.lines[lost].caller_hangs_up()  # while nobody looks
        room.restart()
        await room.conferences.reconnected(room.exists)
        after = room.conference
        assert after.locked
        assert after.recording == before.recording
        assert [p.role for p in after.parties] == [p.role for p in before.parties[:2]]
        assert after.parties[1].channel in room.bridges.unheard

        async def ends_it(phone: Phone) -> None:
            phone.presses("*9")
            await phone.hears(P.CONFERENCE_ENDED)

        async def is_sent_home(phone: Phone) -> None:
            await phone.hears(P.CONFERENCE_ENDED)

        await asyncio.gather(
            room.goes_on(before.parties[0].channel, ends_it),
            room.goes_on(before.parties[1].channel, is_sent_home),
        )
        assert not room.bridges.bridges
        assert not room.memory.kept
        assert len(room.site.spool.kept) == 1

    tell(story())


@part("UM-04", "Asterisk dies: what was recorded is delivered as partial, nothing is left")
def test_the_telephone_system_dies() -> None:
    async def story() -> None:
        room = Meeting()
        async with room.open():
            guest = asyncio.create_task(room.comes(stays, MODERATOR))
            await room.until_there_are(1)
            await room.conferences.rooms[ROOM].record()
            name = next(iter(room.bridges.only().recordings))
            room.site.spool.cut_short.add(name)
            room.bridges.dies()
            for line in room.lines.values():
                line.caller_hangs_up()
            await guest
            [message] = room.site.spool.kept
            assert message.partial
            assert not room.memory.kept
            assert not room.conferences.rooms

    tell(story())


def test_both_die_and_only_the_recording_is_left() -> None:
    async def story() -> None:
        room = Meeting()
        async with room.open():
            guest = asyncio.create_task(room.comes(stays))
            await room.until_there_are(1)
            await room.conferences.rooms[ROOM].record()
            await dies(guest)
        for line in room.lines.values():
            line.caller_hangs_up()
        room.bridges.dies()
        room.bridges.bridges["stray"] = FakeBridge()
        room.restart()
        await room.conferences.reconnected(room.exists)
        assert not room.bridges.bridges, "a bridge of nobody is left"
        assert not room.memory.kept
        assert len(room.site.spool.kept) == 1

    tell(story())


def test_orders_from_afar_and_what_others_see() -> None:
    async def story() -> None:
        async with Meeting().open() as room:
            guest = asyncio.create_task(room.comes(stays))
            await room.until_there_are(1)
            await asyncio.sleep(2)
            [shown] = await room.board.all(room.site.clock.now() - _MINUTE)
            assert [p.caller.number for p in shown.conference.parties] == ["+49301234567"]
            room.lines[next(iter(room.inside))].voice_on()
            for verb in (Verb.HUSH, Verb.LOCK, Verb.RECORD, Verb.REMOVE):
                order = RoomOrder(shown.conference.id, verb, party=1, by="anna")
                await room.board.order("node", order, room.site.clock.now())
            told = await guest
            assert P.CONFERENCE_REMOVED in [
                name.removeprefix("en/") for name in told.phone.heard_names()
            ]
            kinds = {one.kind.value for one in room.bridges.told}
            assert {"hushed", "locked", "recorded"} <= kinds

    tell(story())


@pytest.mark.parametrize("verb", ["put_in", "set_heard", "set_music", "announce"])
def test_what_the_telephone_system_refuses_is_tried_again(verb: str) -> None:
    async def story() -> None:
        async with Meeting().open() as room:
            room.bridges.refuses.add(verb)
            guests = [asyncio.create_task(room.comes(staying(60))) for _ in range(2)]
            await asyncio.sleep(10)
            room.bridges.refuses.clear()
            await room.until_there_are(2)
            await asyncio.gather(*guests)
            assert not room.bridges.bridges

    tell(story())


def test_a_broken_disk_and_database_do_not_end_the_talk() -> None:
    async def story() -> None:
        async with Meeting(conference_announcement="names").open() as room:
            room.memory.broken = room.board.away = True
            guests = [asyncio.create_task(room.comes(staying(60))) for _ in range(2)]
            await room.until_there_are(2)
            await asyncio.gather(*guests)
            assert not room.bridges.bridges

    tell(story())


def test_without_a_bridge_somebody_is_told_so() -> None:
    async def story() -> None:
        async with Meeting().open() as room:
            room.bridges.refuses.add("open")

            async def hears_it(phone: Phone) -> None:
                await phone.hears(P.TECHNICAL_PROBLEM)

            await room.comes(hears_it)

    tell(story())


MOMENTS = [at / 2 for at in range(1, 70, 2)]


def test_whoever_hangs_up_at_any_moment_leaves_nothing_behind() -> None:
    """From the first word to the menu, with a name and a recording, alone and with another."""

    async def whole(phone: Phone) -> None:
        await phone.hears(P.RECORD_NAME_AFTER_TONE, P.BEEP)
        await phone.speaks(1.5)
        phone.presses("#")
        await phone.waits(6)
        for keys in ("*", "2", "1", "*", "*5", "*"):
            phone.presses(keys)
            await phone.waits(2)
        await phone.hears_the_end()

    async def story(moment: float) -> None:
        how = {"conference_announcement": "names", "conference_recorded": "always"}
        async with Meeting(**how).open() as room:
            other = asyncio.create_task(room.comes(staying(20)))
            await room.comes(whole, MODERATOR, hang_up_after=moment)
            await other
            assert not room.bridges.bridges, moment
            assert not room.memory.kept, moment
            assert not room.conferences.rooms, moment
            assert len(room.site.spool.kept) >= 1, moment
            assert not room.site.spool.open, moment

    for moment in MOMENTS:
        tell(story(moment))


def test_whenever_the_controller_dies_the_next_one_brings_it_to_its_end() -> None:
    async def joins(phone: Phone) -> None:
        await phone.waits(3)
        phone.presses("*5")
        await phone.waits(4)
        phone.presses("*2")
        await phone.hears_the_end()

    taken_over: list[int] = []
    """How many parties the next controller found each time."""

    async def story(moment: float) -> None:
        room = Meeting(conference_recorded="always", conference_begin="with-moderator")
        async with room.open():
            calls = [
                asyncio.create_task(room.comes(story_, pin))
                for story_, pin in ((stays, PIN), (joins, MODERATOR), (staying(15), PIN))
            ]
            await asyncio.sleep(moment)
            await dies(*calls)
        room.restart()
        await room.conferences.reconnected(room.exists)
        for live in list(room.conferences.rooms.values()):
            there = {one.channel for one in live.conference.parties}
            taken_over.append(len(there))
            assert there <= {line.id for line in room.lines.values() if not line.gone}, moment
            adopted = [asyncio.create_task(room.goes_on(channel, staying(5))) for channel in there]
            await asyncio.gather(*adopted)
        assert not room.bridges.bridges, moment
        assert not room.memory.kept, moment
        left = await room.site.spool.unfinished()
        assert [facts for facts, takes in left if not takes] == [], moment
        assert len(room.site.spool.kept) + len(left) <= 1, moment
        if taken_over[-1:] == [3]:
            assert len(room.site.spool.kept) == 1, "the recording of the conference is lost"

    for moment in MOMENTS:
        tell(story(moment))
    assert {2, 3} <= set(taken_over)
