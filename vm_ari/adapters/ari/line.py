"""A channel of Asterisk as the telephone line of a call."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import TypeVar

from vm_ari.adapters.ari.client import AriClient, ChannelHandle
from vm_ari.adapters.ari.connection import AriEvent
from vm_ari.adapters.ari.errors import AriError, AriUnavailable, NotFound, fault_of
from vm_ari.adapters.ari.hearing import Hearing
from vm_ari.adapters.ari.recording import SETTLES, ChannelRecording
from vm_ari.adapters.ari.refer import BOTH_END, FENCE, refer
from vm_ari.adapters.ari.sound_files import SoundFiles
from vm_ari.domain.recording import Limits
from vm_ari.domain.transfer import Chain, Waiting
from vm_ari.measures import FIRST_PROMPT
from vm_ari.speech.parts import Clip
from vm_ari.telephony.channel import (
    Cause,
    Channel,
    ChannelGone,
    Event,
    HungUp,
    KeyPressed,
    Leg,
    LineFault,
    LineSilent,
    PlayEnded,
    RecordingEnded,
    TalkingEnded,
    TalkingStarted,
)

T = TypeVar("T")

WHISPER = "whisper"
"""First argument of the helper channels that whisper; they are no calls."""
FAX_EXTENSION = "fax"
"""Where Asterisk sends a call in which it has heard a fax machine."""
CHAIN_VARIABLE = "VM_ARI_CHAIN"
"""Which mailboxes have sent a call on; channels that a leg leads to inherit it."""
ELSEWHERE_VARIABLE = "VM_ARI_ELSEWHERE"
REPORT_VARIABLE = "VM_ARI_REPORT"
"""What has come of a call so far, for who has asked for it."""
LOCAL = "Local/"
"""Only such a channel can be the far end of a leg of ours."""
FAR = "-far"
"""Behind the id of a leg: that of the far half, where it is a Local channel."""
NOT_REACHABLE = "25"
"""Q.850: exchange routing error, which SIP calls 483, too many hops."""

Dial = Callable[["AriLine", Leg], Awaitable["AriLine"]]


def talk_prefix(app: str) -> str:
    """How the ids of our bridges begin; the rest is the id of the caller's channel."""
    return f"{app}-talk-"


class AriLine:
    """Implements `vm_ari.telephony.channel.Channel`; the adapter feeds it with `take`."""

    def __init__(
        self,
        channel_id: str,
        app: str,
        client: Callable[[], AriClient],
        sounds: Path,
        *,
        dial: Dial,
        name: str | None = None,
    ) -> None:
        """*dial* makes and registers legs; no *name*: nobody knows what Asterisk does on it."""
        self._id = channel_id
        self._app = app
        self._client = client
        self._sounds = SoundFiles(sounds)
        self._dial = dial
        self._name = LOCAL if name is None else name
        self._is_ours = name is not None
        self._playing: set[str] = set()
        self._joined = False
        self._fence = ""
        self._fence_passed = asyncio.Event()
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._plays = count(1)
        self._last_key: AriEvent | None = None
        self._recording = ChannelRecording(channel_id, client)
        self._hearing = Hearing()
        self._gone = False
        self._arrived: float | None = None

    @property
    def id(self) -> str:
        """Asterisk's channel id."""
        return self._id

    def arrived(self, late: float) -> None:
        """The call has just come in, and is read so many seconds *late*."""
        self._arrived = perf_counter() - late

    def take(self, event: AriEvent) -> None:
        """An event of this channel, in the order in which Asterisk sent it.

        All but keys may come twice without harm; of two keys in one millisecond, one is an echo.
        """
        if event["type"] == "ChannelDtmfReceived":
            if event == self._last_key:
                return
            self._last_key = event
        if (translated := self._translate(event)) is not None:
            self._events.put_nowait(translated)

    def lost(self) -> None:
        """The channel does not exist any more, though nobody told us."""
        self._end()

    @property
    def gone(self) -> bool:
        """Has the channel left us?"""
        return self._gone

    @property
    def bridge(self) -> str | None:
        """The bridge in which this line's call talks now."""
        return self._bridge_id if self._joined else None

    def talks(self) -> None:
        """An earlier controller has put it into that bridge."""
        self._joined = True

    @property
    def _bridge_id(self) -> str:
        return talk_prefix(self._app) + self._id

    async def resume(self) -> None:
        """After a gap in the events: report a recording that ended meanwhile.

        A playback that ended is noticed by the call's own watchdog.
        """
        name = self._recording.name
        if name is not None and not await self._recording.goes_on():
            self._events.put_nowait(RecordingEnded(name))
            self._recording.name = None

    async def adopt_recording(self) -> None:
        """What an earlier controller has begun goes on. Raises `LineFault`."""
        try:
            await self._recording.adopt()
        except (AriError, AriUnavailable) as error:
            raise fault_of(error) from error

    async def close_recording(self, client: AriClient) -> None:
        """End what is being recorded, whatever connection there is: its file is whole then."""
        with suppress(AriError, AriUnavailable):
            await self._recording.stop(client)

    async def next_event(self) -> Event:
        """See `Channel`."""
        return await self._events.get()

    async def answer(self) -> None:
        """See `Channel`; also lifts the limit that the dialplan has put on waiting for us."""
        await self._do(lambda line: line.answer())
        await self._do(lambda line: line.set_variable("TIMEOUT(absolute)", "0"))

    async def play(self, clips: Sequence[Clip], *, skip: float = 0.0) -> str:
        """See `Channel`."""
        play_id = self._play_id()
        media = [self._sounds.media(clip) for clip in clips]
        offset = self._sounds.offset_ms(clips[0], skip) if skip else 0
        if self._arrived is not None:
            FIRST_PROMPT.note(perf_counter() - self._arrived)
            self._arrived = None
        self._playing.add(play_id)
        await self._do(lambda line: line.play(media, play_id, offset))
        return play_id

    async def stop_playing(self, play_id: str) -> None:
        """See `Channel`."""
        await self._harmless(lambda client: client.playbacks.stop(play_id))
        self._playing.discard(play_id)

    async def is_playing(self, play_id: str) -> bool:
        """See `Channel`."""
        try:
            await self._client().playbacks.get(play_id)
        except NotFound:
            return False
        except (AriError, AriUnavailable) as error:
            raise fault_of(error) from error
        return True

    async def send_silence(self) -> None:
        """See `Channel`."""
        await self._do(lambda line: line.start_silence())

    async def whisper(self, clip: Clip) -> None:
        """See `Channel`: a play on the channel itself would wait until the recording ends."""
        await self._do(
            lambda line: line.snoop(
                self._app, f"{WHISPER},{self._sounds.media(clip)}", whisper="out"
            )
        )

    async def record(self, name: str, limits: Limits, tone: Clip | None = None) -> None:
        """See `Channel`; how, is told in `vm_ari.adapters.ari.recording`.

        With `Limits.stream` silence is sent while he talks: without it a whisper has nothing to be
        mixed into, and some trunks end a call from which nothing comes.

        Only what Asterisk has confirmed is looked for after a gap in the events.
        """
        self._recording.name = None
        await self._do(self._hearing.for_talk)
        media = self._sounds.media(tone) if tone else ""
        await self._do(lambda _: self._recording.begin(name, limits, media))

    async def rejoin(self, name: str) -> None:
        """See `Channel`."""
        self._recording.name = name
        try:
            if not await self._recording.goes_on():
                await asyncio.sleep(SETTLES)
                await self.resume()
            await self._recording.settle()
        except (AriError, AriUnavailable) as error:
            raise fault_of(error) from error

    async def stop_recording(self, name: str) -> None:
        """See `Channel`."""
        await self._harmless(lambda client: client.recordings.stop(name))

    async def leave(self, status: str, extension: str = "") -> None:
        """See `Channel`.

        What goes on is ended: what is asked about the channel would wait for that. Where an earlier
        controller has begun it, nobody knows its name: then he leaves as soon as it is over.
        """
        await asyncio.gather(*map(self.stop_playing, self._playing), return_exceptions=True)
        await self._harmless(self._recording.stop)
        await self._tell_dialplan("VM_ARI_STATUS", status)
        if extension:
            await self._tell_dialplan("VM_ARI_EXIT", extension)
        await self._do(lambda line: line.continue_in_dialplan())

    async def _tell_dialplan(self, name: str, value: str) -> None:
        """Where a busy channel does not answer it is queued, as will be what comes after it."""
        try:
            await self._do(lambda line: line.set_variable(name, value))
        except LineSilent:
            if self._is_ours:
                raise

    async def listen_for_fax(self, number: str) -> None:
        """See `Channel`; where Asterisk has no res_fax it logs that, and the call goes on."""
        await self._do(lambda line: self._hearing.for_fax(line, number))

    async def hang_up(self) -> None:
        """See `Channel`."""
        await self._harmless(lambda client: client.channels.handle(self._id).hangup())

    async def refuse(self) -> None:
        """See `Channel`."""
        await self._harmless(
            lambda client: client.channels.handle(self._id).hangup(reason_code=NOT_REACHABLE)
        )

    async def chain(self) -> Chain:
        """See `Channel`."""
        local = self._name.startswith(LOCAL)
        return Chain.read(await self._variable(CHAIN_VARIABLE) if local else "")

    async def has_other_nodes(self) -> bool:
        """See `Channel`; the dialplan hangs up with cause 34 then, where we give the call back."""
        return await self._variable(ELSEWHERE_VARIABLE) == "yes"

    async def _variable(self, name: str) -> str:
        """Empty where it is not set, or the channel has gone."""
        with suppress(ChannelGone):
            return await self._do(lambda line: line.get_variable(name))
        return ""

    async def report(self, text: str) -> None:
        """See `Channel`."""
        await self._do(lambda line: line.set_variable(REPORT_VARIABLE, text))

    async def dial(self, leg: Leg) -> Channel:
        """See `Channel`."""
        if self._gone:
            raise ChannelGone
        return await self._dial(self, leg)

    async def wait_with(self, sound: Waiting) -> None:
        """See `Channel`."""
        match sound:
            case Waiting.MUSIC:
                await self._do(lambda line: line.start_moh())
            case Waiting.RINGING:
                await self._do(lambda line: line.ring())

    async def stop_waiting(self) -> None:
        """See `Channel`; after a restart nobody knows which of them it was."""
        await self._do(lambda line: line.stop_moh())
        await self._do(lambda line: line.ring_stop())

    async def join(self, other: Channel) -> None:
        """See `Channel`."""
        client, self._joined = self._client(), True
        try:
            await self._hearing.end(self._handle(client))
            await client.bridges.create(self._bridge_id)
            await client.bridges.add_channels(self._bridge_id, [self._id, other.id])
        except (AriError, AriUnavailable) as error:
            await self.part()
            raise LineFault(str(error)) from error

    async def hand_over(self, other: Channel) -> None:
        """See `Channel`.

        Until the other side has answered, Asterisk's thread of this channel waits for that, and a
        request about the channel waits for the thread. Only a playback is merely queued: when it
        begins, the answer is there.
        """
        try:
            asked = await refer(self._client(), self._id, other.id, other.id + FAR)
        except (AriError, AriUnavailable) as error:
            raise fault_of(error) from error
        if asked:
            self._fence = self._play_id()
            await self._do(lambda line: line.play([FENCE], self._fence))
            await self._fence_passed.wait()
            await self.stop_playing(self._fence)
            await asyncio.sleep(BOTH_END)

    async def part(self) -> None:
        """See `Channel`."""
        self._joined = False
        await self._harmless(lambda client: client.bridges.destroy(self._bridge_id))

    def _play_id(self) -> str:
        return f"{self._id}-{next(self._plays)}"

    def _translate(self, event: AriEvent) -> Event | None:
        match event["type"]:
            case "ChannelDtmfReceived":
                return KeyPressed(str(event["digit"]))
            case "PlaybackStarted" if event["playback"]["id"] == self._fence:
                self._fence_passed.set()
            case "PlaybackFinished":
                self._playing.discard(play_id := str(event["playback"]["id"]))
                return PlayEnded(play_id)
            case "RecordingFinished" | "RecordingFailed":
                self._recording.name = None
                return RecordingEnded(str(event["recording"]["name"]))
            case "ChannelTalkingStarted":
                return TalkingStarted()
            case "ChannelTalkingFinished":
                return TalkingEnded()
            case "StasisEnd" if event["channel"]["dialplan"]["exten"] == FAX_EXTENSION:
                self._end(Cause.FAX)
            case "StasisEnd" | "ChannelDestroyed":
                self._end()
        return None

    def _end(self, cause: Cause = Cause.CLEARED) -> None:
        if not self._gone:
            self._gone = True
            self._events.put_nowait(HungUp(cause))

    async def _do(self, command: Callable[[ChannelHandle], Awaitable[T]]) -> T:
        if self._gone:
            raise ChannelGone
        try:
            if self._recording.waits:  # for a recording that has not come about
                await self._recording.settle()
            return await command(self._handle(self._client()))
        except NotFound:
            raise ChannelGone from None
        except (AriError, AriUnavailable) as error:
            raise fault_of(error) from error

    def _handle(self, client: AriClient) -> ChannelHandle:
        """Does its thread wait for orders? Whoever thinks so wrongly holds all other calls up."""
        busy = self._playing or self._fence or self._recording.waits or self._recording.name
        return client.channels.handle(self._id, is_free=self._is_ours and not busy)

    async def _harmless(self, command: Callable[[AriClient], Awaitable[None]]) -> None:
        """What has ended already needs no stopping."""
        try:
            await command(self._client())
        except NotFound:
            return
        except (AriError, AriUnavailable) as error:
            raise fault_of(error) from error
