"""Asterisk's mixing bridges as conference rooms (`vm_ari.ports.conference.Bridges`)."""

import secrets
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TypeVar

from vm_ari.adapters.ari.client import AriClient
from vm_ari.adapters.ari.errors import AriError, AriUnavailable, NotFound
from vm_ari.adapters.ari.hearing import TALK, TOLD
from vm_ari.domain.conferences import Conference, Happening
from vm_ari.ports.conference import RoomFault
from vm_ari.speech.parts import Clip

T = TypeVar("T")

GONE = frozenset({400, 404, 409, 422})
"""Of a channel that has just hung up: "not found", "not in a Stasis application", "not in this
bridge". Its line reports the end, or it is put in again with the next look."""

Words = Callable[[Conference, Happening], Sequence[Clip]]


def room_prefix(app: str) -> str:
    """How the ids of our rooms' bridges begin; the rest is the id of the conference."""
    return f"{app}-room-"


class AriBridges:
    """Those of one application; *media* makes a URI of a clip, *words* says what happens."""

    def __init__(
        self,
        app: str,
        client: Callable[[], AriClient],
        media: Callable[[Clip], str],
        words: Words,
    ) -> None:
        self._prefix = room_prefix(app)
        self._client = client
        self._media = media
        self._words = words

    async def ids(self) -> Collection[str]:
        """See `Bridges`."""
        found = await self._asked(lambda client: client.bridges.list())
        names = (str(one["id"]) for one in found or ())
        return [name.removeprefix(self._prefix) for name in names if name.startswith(self._prefix)]

    async def open(self, conference_id: str) -> None:
        """See `Bridges`."""
        if conference_id not in await self.ids():
            await self._must(lambda client: client.bridges.create_room(self._id(conference_id)))

    async def close(self, conference_id: str) -> None:
        """See `Bridges`."""
        await self._may(lambda client: client.bridges.destroy(self._id(conference_id)))

    async def inside(self, conference_id: str) -> Collection[str]:
        """See `Bridges`."""
        found = await self._asked(lambda client: client.bridges.get(self._id(conference_id)))
        return [str(one) for one in found["channels"]] if found else []

    async def put_in(self, conference_id: str, channel: str) -> None:
        """See `Bridges`; from then on Asterisk tells who talks."""
        room = self._id(conference_id)
        await self._may(lambda client: client.channels.handle(channel).set_variable(TALK, TOLD))
        await self._may(lambda client: client.bridges.add_quietly(room, channel))

    async def take_out(self, conference_id: str, channel: str) -> None:
        """See `Bridges`."""
        room = self._id(conference_id)
        await self._may(lambda client: client.bridges.remove_channel(room, channel))

    async def set_heard(self, channel: str, heard: bool) -> None:
        """See `Bridges`."""
        if heard:
            await self._may(lambda client: client.channels.handle(channel).unmute())
        else:
            await self._may(lambda client: client.channels.handle(channel).mute())

    async def set_music(self, conference_id: str, on: bool) -> None:
        """See `Bridges`."""
        room = self._id(conference_id)
        if on:
            await self._may(lambda client: client.bridges.start_moh(room))
        else:
            await self._may(lambda client: client.bridges.stop_moh(room))

    async def announce(self, conference: Conference, happening: Happening) -> None:
        """See `Bridges`."""
        media = [self._media(clip) for clip in self._words(conference, happening)]
        if media:
            room, play_id = self._id(conference.id), f"{conference.id}-{secrets.token_hex(4)}"
            await self._may(lambda client: client.bridges.play(room, media, play_id))

    async def record(self, conference_id: str, name: str, longest: int) -> None:
        """See `Bridges`."""
        room = self._id(conference_id)
        await self._must(
            lambda client: client.bridges.record(
                room, name, format="wav", maxDurationSeconds=longest, ifExists="overwrite"
            )
        )

    async def stop_recording(self, name: str) -> None:
        """See `Bridges`."""
        await self._may(lambda client: client.recordings.stop(name))

    async def is_recording(self, name: str) -> bool:
        """See `Bridges`."""
        return await self._asked(lambda client: client.recordings.live(name)) is not None

    def _id(self, conference_id: str) -> str:
        return self._prefix + conference_id

    async def _must(self, command: Callable[[AriClient], Awaitable[T]]) -> T:
        try:
            return await command(self._client())
        except (AriError, AriUnavailable) as error:
            raise RoomFault(str(error)) from error

    async def _may(self, command: Callable[[AriClient], Awaitable[object]]) -> None:
        """What is gone, or done already, needs nothing."""
        try:
            await command(self._client())
        except AriError as error:
            if error.status not in GONE:
                raise RoomFault(str(error)) from error
        except AriUnavailable as error:
            raise RoomFault(str(error)) from error

    async def _asked(self, question: Callable[[AriClient], Awaitable[T]]) -> T | None:
        """None: there is none."""
        try:
            return await question(self._client())
        except NotFound:
            return None
        except (AriError, AriUnavailable) as error:
            raise RoomFault(str(error)) from error
