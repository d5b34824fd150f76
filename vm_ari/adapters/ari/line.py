"""A channel of Asterisk as the telephone line of a call."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import TypeVar

from vm_ari.adapters.ari.client import AriClient, ChannelHandle
from vm_ari.adapters.ari.connection import AriEvent
from vm_ari.adapters.ari.errors import AriError, AriUnavailable, NotFound
from vm_ari.domain.recording import Limits
from vm_ari.speech.parts import Clip
from vm_ari.telephony.channel import (
    TALK_END_SILENCE,
    ChannelGone,
    Event,
    HungUp,
    KeyPressed,
    LineFault,
    PlayEnded,
    RecordingEnded,
    TalkingEnded,
    TalkingStarted,
)

T = TypeVar("T")

WHISPER = "whisper"
"""First argument of the helper channels that whisper; they are no calls."""

TALK_THRESHOLD = 256


class AriLine:
    """Implements `vm_ari.telephony.channel.Channel`; the adapter feeds it with `take`."""

    def __init__(
        self, channel_id: str, app: str, client: Callable[[], AriClient], sounds: Path
    ) -> None:
        self._id = channel_id
        self._app = app
        self._client = client
        self._sounds = sounds
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._plays = count(1)
        self._recording: str | None = None
        self._gone = False

    @property
    def id(self) -> str:
        """Asterisk's channel id."""
        return self._id

    def take(self, event: AriEvent) -> None:
        """An event of this channel, in the order in which Asterisk sent it."""
        if (translated := self._translate(event)) is not None:
            self._events.put_nowait(translated)

    def lost(self) -> None:
        """The channel does not exist any more, though nobody told us."""
        self._end()

    @property
    def gone(self) -> bool:
        """Has the channel left us?"""
        return self._gone

    async def resume(self) -> None:
        """After a gap in the events: report a recording that ended meanwhile.

        A playback that ended is noticed by the call's own watchdog.
        """
        name = self._recording
        if name is None:
            return
        try:
            await self._client().recordings.live(name)
        except NotFound:
            self._events.put_nowait(RecordingEnded(name))
            self._recording = None

    async def next_event(self) -> Event:
        """See `Channel`."""
        return await self._events.get()

    async def answer(self) -> None:
        """See `Channel`; also lifts the limit that the dialplan has put on waiting for us."""
        await self._do(lambda line: line.answer())
        await self._do(lambda line: line.set_variable("TIMEOUT(absolute)", "0"))

    async def play(self, clips: Sequence[Clip]) -> str:
        """See `Channel`."""
        play_id = self._play_id()
        media = [self._media(clip) for clip in clips]
        await self._do(lambda line: line.play(media, play_id))
        return play_id

    async def stop_playing(self, play_id: str) -> None:
        """See `Channel`."""
        await self._harmless(lambda client: client.playbacks.stop(play_id))

    async def is_playing(self, play_id: str) -> bool:
        """See `Channel`."""
        try:
            await self._client().playbacks.get(play_id)
        except NotFound:
            return False
        except (AriError, AriUnavailable) as error:
            raise LineFault(str(error)) from error
        return True

    async def whisper(self, clip: Clip) -> None:
        """See `Channel`: a play on the channel itself would wait until the recording ends."""
        await self._do(
            lambda line: line.snoop(self._app, f"{WHISPER},{self._media(clip)}", whisper="out")
        )

    async def record(self, name: str, limits: Limits, tone: Clip | None = None) -> None:
        """See `Channel`. Asterisk queues the recording behind the tone.

        Should we die between the two commands, he would talk after a tone to nobody: so they go
        out together. Silence is sent while he talks: without a stream a whisper has nothing to be
        mixed into, and some trunks end a call from which nothing comes.
        """
        self._recording = name
        silence = f"{int(TALK_END_SILENCE * 1000)},{TALK_THRESHOLD}"
        await self._do(lambda line: line.set_variable("TALK_DETECT(set)", silence))
        await self._do(lambda line: self._begin_recording(line, name, limits, tone))

    async def rejoin(self, name: str) -> None:
        """See `Channel`."""
        self._recording = name
        await self.resume()

    async def stop_recording(self, name: str) -> None:
        """See `Channel`."""
        await self._harmless(lambda client: client.recordings.stop(name))

    async def leave(self, status: str, extension: str = "") -> None:
        """See `Channel`."""
        await self._do(lambda line: line.set_variable("VM_ARI_STATUS", status))
        if extension:
            await self._do(lambda line: line.set_variable("VM_ARI_EXIT", extension))
        await self._do(lambda line: line.continue_in_dialplan())

    async def hang_up(self) -> None:
        """See `Channel`."""
        await self._harmless(lambda client: client.channels.handle(self._id).hangup())

    async def _begin_recording(
        self, line: ChannelHandle, name: str, limits: Limits, tone: Clip | None
    ) -> None:
        tones = [] if tone is None else [partial(line.play, [self._media(tone)], self._play_id())]
        record = partial(
            line.record,
            name,
            format="wav",
            maxDurationSeconds=limits.longest,
            maxSilenceSeconds=limits.silence,
            ifExists="overwrite",
            terminateOn="#",
            beep=False,
        )
        await line.in_order(*tones, line.start_silence, record)

    def _play_id(self) -> str:
        return f"{self._id}-{next(self._plays)}"

    def _media(self, clip: Clip) -> str:
        return f"sound:{clip.name if clip.absolute else self._sounds / clip.name}"

    def _translate(self, event: AriEvent) -> Event | None:
        match event["type"]:
            case "ChannelDtmfReceived":
                return KeyPressed(str(event["digit"]))
            case "PlaybackFinished":
                return PlayEnded(str(event["playback"]["id"]))
            case "RecordingFinished" | "RecordingFailed":
                self._recording = None
                return RecordingEnded(str(event["recording"]["name"]))
            case "ChannelTalkingStarted":
                return TalkingStarted()
            case "ChannelTalkingFinished":
                return TalkingEnded()
            case "StasisEnd" | "ChannelDestroyed":
                self._end()
        return None

    def _end(self) -> None:
        if not self._gone:
            self._gone = True
            self._events.put_nowait(HungUp())

    async def _do(self, command: Callable[[ChannelHandle], Awaitable[T]]) -> T:
        if self._gone:
            raise ChannelGone
        try:
            return await command(self._client().channels.handle(self._id))
        except NotFound:
            raise ChannelGone from None
        except (AriError, AriUnavailable) as error:
            raise LineFault(str(error)) from error

    async def _harmless(self, command: Callable[[AriClient], Awaitable[None]]) -> None:
        """What has ended already needs no stopping."""
        try:
            await command(self._client())
        except NotFound:
            return
        except (AriError, AriUnavailable) as error:
            raise LineFault(str(error)) from error
