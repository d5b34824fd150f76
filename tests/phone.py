"""A caller with a telephone, and the line he calls on: a call told from both ends."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

from tests.clock import run_virtually
from vm_ari.domain.recording import Limits, Take
from vm_ari.speech.language import Language, language
from vm_ari.speech.parts import Clip, Part
from vm_ari.telephony.call import Call, CallerHungUp
from vm_ari.telephony.channel import (
    TALK_END_SILENCE,
    ChannelGone,
    Event,
    HungUp,
    KeyPressed,
    PlayEnded,
    RecordingEnded,
    TalkingEnded,
    TalkingStarted,
)

CLIP_SECONDS = 1.0
MISSING = Clip("no/such-clip")


@dataclass
class _Recording:
    name: str
    limits: Limits
    started: float
    last_speech: float
    speech: float = 0.0


class FakeChannel:
    """A line that behaves as Asterisk was measured to; `tests/adapters/test_channel.py` compares.

    Plays queue one behind the other and behind a recording; a missing clip is skipped.
    """

    def __init__(self) -> None:
        self.id = "fake-1"
        self.gone = False
        self.left: tuple[str, str] | None = None
        self.answered = False
        self.heard: list[Clip] = []
        self.whispered: list[Clip] = []
        self.takes: dict[str, Take] = {}
        self.audio_flows = True
        """False: the caller's telephone sends no audio at all."""
        self.notices_missing_audio = True
        """Asterisk 22 ends such a recording after the silence; older ones never do."""
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._queue: dict[str, list[Clip]] = {}
        self._player: asyncio.Task[None] | None = None
        self._recording: _Recording | None = None
        self._changed = asyncio.Condition()
        self._talking = 0
        self._plays = 0
        self._timers: list[asyncio.TimerHandle] = []

    async def next_event(self) -> Event:
        """The next thing that happened."""
        return await self._events.get()

    async def answer(self) -> None:
        """Pick up."""
        self._must_be_there()
        self.answered = True

    async def play(self, clips: Sequence[Clip]) -> str:
        """Queue a list of clips."""
        self._must_be_there()
        self._plays += 1
        play_id = f"play-{self._plays}"
        self._queue[play_id] = list(clips)
        if self._player is None:
            self._player = asyncio.create_task(self._play_queue())
        return play_id

    async def stop_playing(self, play_id: str) -> None:
        """Stop this one; the next in the queue begins."""
        if play_id in self._queue:
            self._end_play(play_id)
            if self._player:
                self._player.cancel()
            self._player = asyncio.create_task(self._play_queue()) if self._queue else None

    async def is_playing(self, play_id: str) -> bool:
        """Is it queued or playing?"""
        self._must_be_there()
        return play_id in self._queue

    async def whisper(self, clip: Clip) -> None:
        """Heard beside a recording."""
        self._must_be_there()
        self.whispered.append(clip)

    async def record(self, name: str, limits: Limits) -> None:
        """Record what the caller says."""
        self._must_be_there()
        now = self._now()
        self._recording = _Recording(name, limits, now, last_speech=now)
        self._timers = [self._later(limits.longest, self._stop_recording)]
        if self.audio_flows:
            self._watch_silence()
        elif self.notices_missing_audio:
            self._timers.append(self._later(limits.silence + 1, self._stop_recording))
        async with self._changed:
            self._changed.notify_all()

    async def stop_recording(self, name: str) -> None:
        """Stop it if it runs."""
        if self._recording and self._recording.name == name:
            self._stop_recording()

    async def leave(self, status: str, extension: str = "") -> None:
        """Back to the dialplan: for our side the line is over."""
        self._must_be_there()
        self.left = (status, extension)
        self._end()

    async def hang_up(self) -> None:
        """Our side ends it."""
        if not self.gone:
            self._end()

    # --- the caller's side

    def key(self, key: str) -> None:
        """A key was pressed and released."""
        if self.gone:
            return
        self._events.put_nowait(KeyPressed(key))
        if key == "#" and self._recording:
            self._stop_recording()

    def caller_hangs_up(self) -> None:
        """The recording is closed before the line is reported gone."""
        self._end()

    def speech(self, seconds: float) -> None:
        """So much speech was said just now."""
        if recording := self._recording:
            recording.speech += min(seconds, self._now() - recording.started)
            recording.last_speech = self._now()

    def voice_on(self) -> None:
        """The caller begins to talk."""
        self._talking += 1
        if self._recording:
            self._events.put_nowait(TalkingStarted())

    def voice_off(self) -> None:
        """The caller stops talking; noticed a little later."""
        self._talking -= 1
        if self._recording:
            self._later(TALK_END_SILENCE, self._notice_silence)
            self._watch_silence()

    def _notice_silence(self) -> None:
        if not self._talking:
            self._events.put_nowait(TalkingEnded())

    @property
    def recording(self) -> bool:
        """Is what the caller says being recorded now?"""
        return self._recording is not None

    async def changed(self) -> None:
        """Wait until the caller hears something new, or the line ends."""
        async with self._changed:
            await self._changed.wait()

    def _must_be_there(self) -> None:
        if self.gone:
            raise ChannelGone

    async def _play_queue(self) -> None:
        while self._queue:
            while self._recording:
                await self.changed()
            play_id, clips = next(iter(self._queue.items()))
            for clip in clips:
                if clip != MISSING:
                    await self._let_hear(clip)
                    await asyncio.sleep(CLIP_SECONDS)
            self._end_play(play_id)
        self._player = None

    async def _let_hear(self, clip: Clip) -> None:
        self.heard.append(clip)
        async with self._changed:
            self._changed.notify_all()

    def _end_play(self, play_id: str) -> None:
        del self._queue[play_id]
        self._events.put_nowait(PlayEnded(play_id))

    def _watch_silence(self) -> None:
        if recording := self._recording:
            self._timers.append(self._later(recording.limits.silence, self._end_if_silent))

    def _end_if_silent(self) -> None:
        recording = self._recording
        if recording and not self._talking:
            quiet = self._now() - recording.last_speech
            if quiet >= recording.limits.silence:
                self._stop_recording(trimmed=recording.limits.silence - 0.2)

    def _stop_recording(self, trimmed: float = 0.0) -> None:
        recording, self._recording = self._recording, None
        if recording is None:
            return
        for timer in self._timers:
            timer.cancel()
        seconds = self._now() - recording.started - trimmed
        if seconds > 0 and self.audio_flows:
            self.takes[recording.name] = Take(seconds, recording.speech)
        self._events.put_nowait(RecordingEnded(recording.name))
        self._wake()

    def _end(self) -> None:
        if self.gone:
            return
        self._stop_recording()
        self.gone = True
        if self._player:
            self._player.cancel()
        for play_id in list(self._queue):
            self._end_play(play_id)
        self._events.put_nowait(HungUp())
        self._wake()

    def _wake(self) -> None:
        async def notify() -> None:
            async with self._changed:
                self._changed.notify_all()

        self._waker = asyncio.ensure_future(notify())

    def _later(self, seconds: float, action: Callable[[], object]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, action)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


class LineIsDead(AssertionError):
    """The caller waited for something that never came: the call had ended."""


class Phone:
    """The caller's telephone: what a person does with it."""

    def __init__(self, channel: FakeChannel, tongue: Language) -> None:
        self._channel = channel
        self._language = tongue
        self._listened = 0

    async def hears(self, *sentence: Part) -> None:
        """Wait until all of this has been said, in this order, after what was heard before."""
        for clip in self._language.clips(sentence):
            await self._hears_clip(clip)

    async def _hears_clip(self, wanted: Clip) -> None:
        while True:
            while self._listened < len(self._channel.heard):
                self._listened += 1
                if self._channel.heard[self._listened - 1] == wanted:
                    return
            if self._channel.gone:
                raise LineIsDead(f"waited for {wanted.name}; heard {self.heard_names()}")
            await self._channel.changed()

    async def hears_the_end(self) -> None:
        """Wait until the other side ends the call."""
        while not self._channel.gone:
            await self._channel.changed()

    async def is_recorded(self) -> None:
        """Wait until the recording has begun."""
        while not self._channel.recording:
            if self._channel.gone:
                raise LineIsDead(f"was never recorded; heard {self.heard_names()}")
            await self._channel.changed()

    def presses(self, keys: str) -> None:
        """Press keys, as fast as the telephone can."""
        for key in keys:
            self._channel.key(key)

    async def speaks(self, seconds: float) -> None:
        """Talk so long; begins when it is recorded."""
        await self.is_recorded()
        self._channel.voice_on()
        await asyncio.sleep(seconds)
        self._channel.speech(seconds)
        self._channel.voice_off()

    async def waits(self, seconds: float) -> None:
        """Say and press nothing."""
        await asyncio.sleep(seconds)

    def sends_no_audio(self) -> None:
        """A dead microphone on an Asterisk that does not notice."""
        self._channel.audio_flows = self._channel.notices_missing_audio = False

    def hangs_up(self) -> None:
        """Put the receiver down."""
        self._channel.caller_hangs_up()

    def heard_names(self) -> list[str]:
        """Everything heard so far, by clip name."""
        return [clip.name for clip in self._channel.heard]

    def whispered_names(self) -> list[str]:
        """What was heard while being recorded."""
        return [clip.name for clip in self._channel.whispered]


Script = Callable[[Call], Coroutine[Any, Any, None]]
Caller = Callable[[Phone], Coroutine[Any, Any, None]]


@dataclass
class Told:
    """What both sides of a finished call can tell."""

    phone: Phone
    channel: FakeChannel
    seconds: float


async def on_the_phone(script: Script, caller: Caller, code: str = "en") -> Told:
    """Run a script against a caller; ends when both are through."""
    channel = FakeChannel()
    phone = Phone(channel, language(code))
    call = Call(channel, language(code))
    started = asyncio.get_running_loop().time()

    async def our_side() -> None:
        try:
            await script(call)
        except CallerHungUp:
            pass
        finally:
            await channel.hang_up()

    async with asyncio.TaskGroup() as both:
        both.create_task(our_side())
        both.create_task(caller(phone))
    return Told(phone, channel, asyncio.get_running_loop().time() - started)


def phone_call(script: Script, caller: Caller, code: str = "en") -> Told:
    """The same in one line, on a virtual clock."""
    return run_virtually(on_the_phone(script, caller, code))

