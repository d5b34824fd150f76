"""Conference rooms, as configured: bridges of Asterisk, memory in the spool, the shared board."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog

from vm_ari.adapters.ari.application import AriApplication
from vm_ari.adapters.ari.conference_bridges import AriBridges
from vm_ari.adapters.ari.line import AriLine
from vm_ari.adapters.conference_memory import FileConferenceMemory
from vm_ari.adapters.conferences_database import DatabaseConferences
from vm_ari.config import Config
from vm_ari.dialogues.conference import resume
from vm_ari.dialogues.conference_words import announced_clips
from vm_ari.dialogues.desk import Desk
from vm_ari.dialogues.own_call import serve_own_call
from vm_ari.domain.journal import Kind
from vm_ari.ports import CallDirectory, Clock, Spool
from vm_ari.services.conference_pins import RoomDoor
from vm_ari.services.conference_recordings import ConferenceRecordings
from vm_ari.services.conference_takeover import TakeOver
from vm_ari.services.conference_view import ConferenceView
from vm_ari.services.conferences import Alive, Conferences
from vm_ari.services.logins import Logins
from vm_ari.speech.language import UnknownLanguage, language
from vm_ari.speech.parts import Clip
from vm_ari.telephony.call import Call
from vm_ari.web.conference_parts import ConferenceParts
from vm_ari.wiring.directories import blamed

log = structlog.get_logger("vm_ari.conferences")


class ConferenceRooms:
    """What a controller needs of them."""

    def __init__(self, rooms: Conferences, board: DatabaseConferences, ari: AriApplication) -> None:
        self.rooms = rooms
        self._board = board
        self._ari = ari
        self._take_over = TakeOver(rooms, ari.is_alive, lambda: ari.connection.client)

    async def run(self) -> None:
        """Beside the calls, until cancelled."""
        async with asyncio.TaskGroup() as parts:
            parts.create_task(self.rooms.run(), name="rooms")
            parts.create_task(self._take_over.run(), name="rooms taken over")

    async def connected(self) -> None:
        """Asterisk is there (again): find the rooms, before anything that was left is adopted."""
        await self._take_over.attempt()

    @property
    def alive(self) -> Alive:
        """For left recordings: is there such a channel, or does that conference's one go on?"""
        recordings = self.rooms.recordings

        async def is_alive(channel_id: str) -> bool:
            if recordings.is_ours(channel_id):
                return await recordings.is_alive(channel_id)
            return await self._ari.is_alive(channel_id)

        return is_alive

    async def adopts(self, line: AriLine, desk: Desk) -> bool:
        """Serve somebody whose script died with an earlier controller; False: not in a room."""
        seat = await self._take_over.seat_of(line.id)
        party = seat.party if seat else None
        if seat is None or party is None:
            return False
        log.info("party taken over", call=line.id, room=seat.room.conference.id)
        try:
            spoken = language(seat.room.conference.language)
        except UnknownLanguage:
            spoken = language(desk.rules.language)
        call = Call(line, spoken)
        noted = desk.records.of(
            line.id,
            Kind.CONFERENCE,
            caller=party.caller,
            called=seat.room.conference.number,
            withheld=party.withheld,
            user_id=seat.room.conference.owner,
            started=party.joined,
        )
        async with noted as record:
            own = replace(desk, record=record)
            await serve_own_call(call, lambda: resume(call, seat, own), record)
        return True

    async def close(self) -> None:
        """Those that go on are the next controller's."""
        await self._board.close()


def open_conferences(
    config: Config,
    ari: AriApplication,
    spool: Spool,
    directory: CallDirectory,
    logins: Logins,
    clock: Clock,
    *,
    node: str,
    on_kept: Callable[[], None],
) -> ConferenceRooms:
    """Nothing is connected yet. Raises `BadConfig`."""
    board = open_conference_board(config)
    sounds = config.sounds.absolute()

    def media(clip: Clip) -> str:
        return f"sound:{clip.name if clip.absolute else sounds / clip.name}"

    bridges = AriBridges(config.asterisk.app, lambda: ari.connection.client, media, announced_clips)
    host = config.mail.sender.rpartition("@")[2]
    rooms = Conferences(
        bridges,
        FileConferenceMemory(config.spool.directory),
        ConferenceRecordings(spool, bridges, clock, host, on_kept),
        board,
        clock,
        RoomDoor(directory, logins),
        node,
    )
    return ConferenceRooms(rooms, board, ari)


@dataclass(frozen=True)
class ConferencePages:
    """What portal and commands have opened."""

    parts: ConferenceParts
    board: DatabaseConferences

    async def close(self) -> None:
        """Let go of the database."""
        await self.board.close()


def open_conference_pages(
    config: Config, directory: CallDirectory, clock: Clock
) -> ConferencePages:
    """Nothing is connected yet. Raises `BadConfig`."""
    board = open_conference_board(config)
    return ConferencePages(ConferenceParts(ConferenceView(board, clock), directory), board)


def open_conference_board(config: Config) -> DatabaseConferences:
    """That of the journal, which all nodes share; to be closed. Raises `BadConfig`."""
    with blamed("journal.url"):
        return DatabaseConferences(config.journal.url or config.directory.url)
