"""Conferences as scripts, told from all ends at once (UM-04)."""

import asyncio

import pytest

from tests.dialogues.conference_site import MODERATOR, PIN, ROOM, Meeting, staying, stays
from tests.dialogues.exchange import START, tell
from tests.phone import Phone
from vm_ari.domain.conferences import Conference
from vm_ari.domain.journal import Kind, Result
from vm_ari.domain.login_state import RoomPins
from vm_ari.domain.pin_rules import PinFault
from vm_ari.ports.conference import LiveConference
from vm_ari.services.conference_pins import is_open, set_room_pins
from vm_ari.services.conferences import LOOK_AROUND, OTHERS_LAST
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Number

part = pytest.mark.feature_part


@part("UM-04", "who knows the PIN hears the others; nothing is left when all have gone")
def test_those_with_the_pin_hear_each_other() -> None:
    async def story() -> None:
        async with Meeting().open() as room:
            first = asyncio.create_task(room.comes(staying(60)))
            second = asyncio.create_task(room.comes(staying(30), MODERATOR))
            await room.until_there_are(2)
            one, other = room.inside
            assert room.bridges.hears(one, other)
            assert room.bridges.hears(other, one)
            assert not room.bridges.only().music
            await second
            await room.until_there_are(1)
            assert room.bridges.only().music, "who is alone hears music"
            await first
            assert not room.bridges.bridges
            assert not room.memory.kept
            assert not room.conferences.rooms
            await room.conferences.publish()
            assert room.board.shown["node"] == []

    tell(story())


def test_names_are_said_at_the_door_and_heard_by_the_others() -> None:
    async def story() -> None:
        async with Meeting(conference_announcement="names").open() as room:

            async def says_a_name(phone: Phone) -> None:
                await phone.hears(P.RECORD_NAME_AFTER_TONE, P.BEEP)
                await phone.speaks(1.5)
                phone.presses("#")
                await phone.waits(40)
                phone.hangs_up()

            async def says_nothing(phone: Phone) -> None:
                await phone.hears(P.RECORD_NAME_AFTER_TONE, P.BEEP)
                await phone.waits(20)
                phone.hangs_up()

            first = asyncio.create_task(room.comes(stays))
            await room.until_there_are(1)
            await room.comes(says_a_name)
            await room.comes(says_nothing)
            told = [
                (one.kind.value, bool(one.party and one.party.name)) for one in room.bridges.told
            ]
            assert told == [("joined", True), ("left", True), ("joined", False), ("left", False)]
            room.conferences.rooms[ROOM].end()
            await first

    tell(story())


def test_a_wrong_pin_opens_nothing_and_is_counted_like_one_of_a_mailbox() -> None:
    room = Meeting()

    async def story() -> None:
        async with room.open():

            async def guesses(phone: Phone) -> None:
                for _ in range(2):
                    await phone.hears(P.CONFERENCE_WRONG_PIN, P.ENTER_PIN)
                    phone.presses("1111#")
                await phone.hears(P.CONFERENCE_WRONG_PIN, P.GOODBYE)

            for _ in range(2):  # six guesses: after five the room is locked
                told = await room.comes(guesses, "1111")
                assert told.channel.left == ("SUCCESS", "")
            state = await room.site.directory.login_state("anna")
            assert state.room.failures == 5
            assert state.failures == 0
            assert not is_open(state.room, 5)

            async def is_refused(phone: Phone) -> None:
                await phone.hears(P.CONFERENCE_WRONG_PIN)
                phone.hangs_up()

            await room.comes(is_refused, PIN)
            await room.set_pins()  # the owner sets them anew
            await room.comes(staying(5), PIN)

    tell(story())
    results = [(entry.kind, entry.result, entry.user_id) for entry in room.site.noted()]
    refused, served = (Kind.CONFERENCE, Result.LOGIN_FAILED), (Kind.CONFERENCE, Result.SERVED)
    assert results == [(*refused, "anna")] * 3 + [(*served, "anna")]


def test_the_room_needs_two_different_pins_that_nobody_guesses_at_once() -> None:
    async def story() -> None:
        records = Meeting().site.directory
        assert await set_room_pins(records, "anna", RoomPins("5391", "5391")) is not None
        assert await set_room_pins(records, "anna", RoomPins("1234", "")) is PinFault.SEQUENCE
        assert await set_room_pins(records, "anna", RoomPins("5391", "")) is None
        assert (await records.login_state("anna")).room == RoomPins("5391")

    tell(story())


def test_a_number_without_the_service_leads_to_no_room() -> None:
    async def hears_no(phone: Phone) -> None:
        await phone.hears(P.CONFERENCE_NO_CONFERENCE, P.GOODBYE)

    async def leaves_a_message(phone: Phone) -> None:
        await phone.hears(P.BEEP)
        phone.hangs_up()

    async def story() -> None:
        room = Meeting()
        for number in ("101", "4711"):
            await room.site.call(hears_no, dialled=number, purpose="conference")
        await room.site.call(leaves_a_message, dialled="101")

    tell(story())


def test_the_room_is_reached_by_its_own_purpose_too() -> None:
    async def comes(phone: Phone) -> None:
        await phone.hears(P.CONFERENCE_WELCOME)
        phone.hangs_up()

    tell(Meeting().site.call(comes, dialled=ROOM, purpose="conference"))


@part("UM-04", "nobody is heard before the moderator comes")
def test_waiting_for_the_moderator() -> None:
    async def story() -> None:
        async with Meeting(conference_begin="with-moderator").open() as room:

            async def waits(phone: Phone) -> None:
                await phone.hears(P.CONFERENCE_WAIT_FOR_MODERATOR)
                await stays(phone)

            waiting = [asyncio.create_task(room.comes(waits)) for _ in range(2)]
            await room.until_there_are(2)
            one, other = room.inside
            assert not room.bridges.hears(one, other)
            assert room.bridges.only().music
            moderator = asyncio.create_task(room.comes(staying(30), MODERATOR))
            await room.until_there_are(3)
            assert room.bridges.hears(one, other)
            assert not room.bridges.only().music
            assert room.bridges.only().told == ["begins"]
            await moderator
            assert room.bridges.hears(one, other), "it goes on without the moderator"
            room.conferences.rooms[ROOM].end()
            await asyncio.gather(*waiting)

    tell(story())


def test_a_locked_and_a_full_room_let_nobody_in() -> None:
    async def story() -> None:
        async with Meeting(conference_parties=2).open() as room:

            async def locks(phone: Phone) -> None:
                await phone.waits(5)
                phone.presses("*")
                await phone.hears(P.CONFERENCE_TO_LOCK)
                phone.presses("4")
                await stays(phone)

            async def hears_locked(phone: Phone) -> None:
                await phone.hears(P.CONFERENCE_LOCKED, P.GOODBYE)

            async def hears_full(phone: Phone) -> None:
                await phone.hears(P.CONFERENCE_FULL, P.GOODBYE)

            moderator = asyncio.create_task(room.comes(locks, MODERATOR))
            await room.until(lambda: bool(room.conferences.rooms) and room.conference.locked)
            await room.comes(hears_locked)
            deputy = asyncio.create_task(room.comes(stays, MODERATOR))  # a lock is no wall for him
            await room.until_there_are(2)
            await room.comes(hears_full, MODERATOR)
            room.conferences.rooms[ROOM].end()
            await asyncio.gather(moderator, deputy)

    tell(story())


@part("UM-04", "a moderator lists, mutes and removes others by keys, mutes all, ends")
def test_what_a_moderator_does_by_keys() -> None:
    async def story() -> None:
        async with Meeting().open() as room:
            ends: list[str] = []

            async def is_removed(phone: Phone) -> None:
                await phone.hears(P.CONFERENCE_YOU_ARE_MUTED)
                await phone.hears(P.CONFERENCE_REMOVED, P.GOODBYE)
                ends.append("removed")

            async def hears_the_end(phone: Phone) -> None:
                await phone.hears(P.CONFERENCE_ENDED, P.GOODBYE)
                ends.append("ended")

            first = asyncio.create_task(room.comes(is_removed))
            await room.until_there_are(1)
            [unwanted] = room.inside
            second = asyncio.create_task(room.comes(hears_the_end))
            await room.until_there_are(2)

            async def moderates(phone: Phone) -> None:
                await room.until_there_are(3)
                phone.presses("*")
                await phone.hears(P.CONFERENCE_TO_MUTE_YOURSELF)
                phone.presses("2")
                await phone.hears(P.CONFERENCE_PARTICIPANTS_ARE, Number(3))
                await phone.hears(P.CONFERENCE_PARTICIPANT, Number(1))
                phone.presses("1")  # mute the first
                await phone.hears(P.CONFERENCE_PARTICIPANT, Number(2))
                phone.presses("3")  # nobody is behind the second
                await room.until_there_are(3)
                assert unwanted in room.bridges.unheard
                phone.presses("*2")
                await phone.hears(P.CONFERENCE_PARTICIPANT, Number(1))
                phone.presses("7*")
                await room.until_there_are(2)
                phone.presses("*5")
                await room.until(lambda: room.conference.hushed)
                await room.until_there_are(2)
                assert {
                    p.channel for p in room.conference.parties if p.muted
                } <= room.bridges.unheard
                phone.presses("*9")
                await phone.hears(P.CONFERENCE_ENDED)

            await room.comes(moderates, MODERATOR)
            await asyncio.gather(first, second)
            assert sorted(ends) == ["ended", "removed"]
            assert not room.bridges.bridges

    tell(story())


def test_a_participant_mutes_himself_and_has_no_other_keys() -> None:
    async def story() -> None:
        async with Meeting().open() as room:

            async def mutes_himself(phone: Phone) -> None:
                await room.until_there_are(1)
                phone.presses("*1")
                await phone.hears(P.CONFERENCE_YOU_ARE_MUTED)
                await room.until_there_are(1)
                assert room.inside <= room.bridges.unheard
                phone.presses("*4")
                await phone.hears(P.KEY_NOT_USED)
                phone.presses("1")
                await phone.hears(P.CONFERENCE_YOU_ARE_HEARD)
                await room.until_there_are(1)
                assert not room.bridges.unheard
                assert not room.conference.locked
                phone.hangs_up()

            await room.comes(mutes_himself)

    tell(story())


def test_who_is_alone_hears_a_sentence_where_the_owner_wants_that() -> None:
    async def story() -> None:
        async with Meeting(conference_alone="sentence").open() as room:

            async def alone(phone: Phone) -> None:
                await phone.hears(P.CONFERENCE_ALONE)
                await phone.waits(60)
                phone.hangs_up()

            first = asyncio.create_task(room.comes(alone))
            await room.until_there_are(1)
            assert not room.bridges.only().music
            await room.comes(staying(10))
            assert "alone" in room.bridges.only().told
            await first

    tell(story())


@part("UM-04", "a recording is announced, and goes to the owner when it ends")
def test_the_recording_goes_to_the_owner() -> None:
    async def story() -> None:
        async with Meeting().open() as room:

            async def records(phone: Phone) -> None:
                await room.until_there_are(1)
                phone.presses("*6")
                await room.until(lambda: bool(room.conference.recording))
                await phone.waits(30)
                phone.hangs_up()

            async def is_told(phone: Phone) -> None:
                await phone.hears(P.CONFERENCE_RECORDED)
                await stays(phone)

            moderator = asyncio.create_task(room.comes(records, MODERATOR))
            await room.until(
                lambda: bool(room.conferences.rooms) and bool(room.conference.recording)
            )
            assert room.bridges.only().told == ["recorded"]
            assert not room.site.spool.kept
            guest = asyncio.create_task(room.comes(is_told))
            await room.until_there_are(2)
            await moderator
            room.conferences.rooms[ROOM].end()
            await guest
            [message] = room.site.spool.kept
            assert message.facts.conference
            assert message.facts.user_id == "anna"
            assert message.seconds == 30.0
            assert not message.partial
            assert room.site.deliveries_asked == 1

    tell(story())


@pytest.mark.parametrize(("setting", "kept"), [("never", 0), ("always", 1)])
def test_whether_is_recorded_is_up_to_the_owner(setting: str, kept: int) -> None:
    async def story() -> None:
        async with Meeting(conference_recorded=setting).open() as room:

            async def tries_to(phone: Phone) -> None:
                await room.until_there_are(1)
                phone.presses("*6")
                await phone.hears(P.KEY_NOT_USED)
                phone.presses("*")
                await phone.waits(5)
                phone.hangs_up()

            await room.comes(tries_to, MODERATOR)
            assert len(room.site.spool.kept) == kept

    tell(story())


def test_the_longest_time_ends_it_with_a_warning() -> None:
    async def story() -> None:
        async with Meeting(conference_minutes=5).open() as room:

            async def is_sent_home(phone: Phone) -> None:
                await phone.hears(P.CONFERENCE_ENDED)

            told = await room.comes(is_sent_home)
            assert 300 <= told.seconds < 320
            assert [one.kind.value for one in room.bridges.told] == ["ends-soon"]

    tell(story())


@part("OPS-04", "who calls a conference of another node is brought there")
@pytest.mark.parametrize("purpose", ["leave", "conference"])
def test_a_conference_of_another_node_is_left_to_it(purpose: str) -> None:
    async def story() -> None:
        room = Meeting()
        live = LiveConference(Conference("c", ROOM, "anna", START), "", room.site.clock.now())
        await room.board.write("other", [live])
        async with room.open():
            await asyncio.sleep(LOOK_AROUND)
            line = room.site.line()
            line.other_nodes = True
            await room.site.call(stays, dialled=ROOM, line=line, purpose=purpose)
            assert not line.answered
            assert line.left == ("FALLBACK", "")
            alone = asyncio.create_task(room.comes(staying(30), purpose=purpose))
            await room.until_there_are(1)  # nobody would ask another node
            await alone
            await asyncio.sleep(OTHERS_LAST.total_seconds() + LOOK_AROUND)
            assert not room.conferences.is_elsewhere([ROOM]), "that node is dead"

    tell(story())


def test_a_room_of_this_node_is_entered_whatever_other_nodes_show() -> None:
    async def story() -> None:
        async with Meeting().open() as room:
            first = asyncio.create_task(room.comes(staying(60)))
            await room.until_there_are(1)
            now = room.site.clock.now()
            live = LiveConference(Conference("c", ROOM, "anna", START), "", now)
            await room.board.write("other", [live])
            await asyncio.sleep(LOOK_AROUND)
            assert not room.conferences.is_elsewhere([ROOM])
            room.board.away = True  # what was seen last counts
            await first
            assert room.conferences.is_elsewhere([ROOM])

    tell(story())
