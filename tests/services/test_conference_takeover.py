"""Conferences are found again, also where the telephone system does not answer at first (UM-04)."""

import asyncio
from collections.abc import Callable

import pytest

from tests.dialogues.conference_site import Meeting, dies, stays
from tests.dialogues.exchange import tell
from vm_ari.services.conference_room import Seat
from vm_ari.services.conference_takeover import TakeOver


class NotConnected(Exception):
    pass


async def exists(_channel: str) -> bool:
    return True


def away() -> object:
    raise NotConnected("there is no connection")


async def left_behind(room: Meeting) -> str:
    """A conference of one, whose controller has died; its channel."""
    async with room.open():
        guest = asyncio.create_task(room.comes(stays))
        await room.until_there_are(1)
        [channel] = room.inside
        await dies(guest)
    room.restart()
    return channel


def test_it_is_done_once_for_each_connection() -> None:
    async def story() -> None:
        room = Meeting()
        channel = await left_behind(room)
        connection = [object()]
        taking = TakeOver(room.conferences, exists, lambda: connection[0])
        assert await taking.attempt()
        assert room.conference.party(channel)
        room.bridges.refuses.add("ids")
        assert await taking.attempt(), "it was looked for again"
        connection[0] = object()
        assert not await taking.attempt()
        room.bridges.refuses.clear()
        assert await taking.attempt()

    tell(story())


@pytest.mark.parametrize("fault", ["bridges", "connection"])
def test_nobody_is_sent_away_because_asterisk_does_not_answer_at_first(fault: str) -> None:
    async def story() -> None:
        room = Meeting()
        channel = await left_behind(room)
        here: list[Callable[[], object]] = [object]

        def connection() -> object:
            return here[0]()

        taking = TakeOver(room.conferences, exists, connection)
        if fault == "bridges":
            room.bridges.refuses.add("ids")
        else:
            here[0] = away
        asked = asyncio.create_task(taking.seat_of(channel))
        await asyncio.sleep(5)
        assert not asked.done()
        room.bridges.refuses.clear()
        same = object()
        here[0] = lambda: same
        seat = await asked
        assert isinstance(seat, Seat)
        assert seat.channel == channel

    tell(story())


def test_other_orphans_do_not_wait_for_a_broken_disk() -> None:
    async def story() -> None:
        room = Meeting()
        await left_behind(room)
        room.memory.broken = True
        taking = TakeOver(room.conferences, exists, object)
        async with asyncio.timeout(0.1):
            assert await taking.seat_of("another") is None

    tell(story())


def test_what_failed_is_tried_again_without_anybody_asking() -> None:
    async def story() -> None:
        room = Meeting()
        await left_behind(room)
        same = object()
        taking = TakeOver(room.conferences, exists, lambda: same)
        beside = asyncio.create_task(taking.run())
        room.bridges.refuses.add("ids")
        assert not await taking.attempt()
        room.bridges.refuses.clear()
        await room.until(lambda: bool(room.conferences.rooms))
        beside.cancel()
        await asyncio.gather(beside, return_exceptions=True)

    tell(story())
