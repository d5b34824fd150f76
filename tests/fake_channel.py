"""A telephone line in memory, for tests on the virtual clock."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vm_ari.domain.recording import Limits, Take
from vm_ari.domain.transfer import Chain, Waiting
from vm_ari.speech.parts import Clip
from vm_ari.telephony.channel import (
    TALK_END_SILENCE,
    Answered,
    Cause,
    Channel,
    ChannelGone,
    Event,
    HungUp,
    KeyPressed,
    Leg,
    LineFault,
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

    def __init__(self, channel_id: str = "fake-1", takes: dict[str, Take] | None = None) -> None:
        self.id = channel_id
        self.gone = False
        self.left: tuple[str, str] | None = None
        self.answered = False
        self.other_nodes = False
        """Would another node be asked for a call that we do not take?"""
        self.heard: list[Clip] = []
        self.lengths: dict[str, float] = {}
        """Seconds by name of a clip; all others take `CLIP_SECONDS`."""
        self.begun: list[tuple[str, float]] = []
        """Name of each clip that was heard, and the second at which it began."""
        self.listens_for_fax = ""
        """Mailbox for which a fax machine is listened for."""
        self.silences = 0
        """How often silence was asked for."""
        self.whispered: list[Clip] = []
        self.takes: dict[str, Take] = {} if takes is None else takes
        """What has been recorded, by name; perhaps seen by a `FakeSpool`, too."""
        self.recorded: list[Take] = []
        """All that was said into recordings, whatever became of it."""
        self.refuses: set[str] = set()
        """Verbs that the telephone system does not obey: they raise `LineFault`."""
        self.disk_full = False
        self.reports_ends = True
        """False: ends of playbacks and recordings are never reported."""
        self.audio_flows = True
        """False: the caller's telephone sends no audio at all."""
        self.notices_missing_audio = True
        """Asterisk 22 ends such a recording after the silence; older ones never do."""
        self.legs: list[FakeChannel] = []
        """Lines that were dialled for this one; see `on_dial`."""
        self.on_dial: Callable[[FakeChannel, Leg], object] = lambda _line, _leg: None
        """What the destination does; nobody answers by itself."""
        self.come_by = Chain()
        self.reports: list[str] = []
        self.refused = False
        self.waits_with: Waiting | None = None
        self.talks_with: FakeChannel | None = None
        self.in_bridge = False
        self.carried_together = False
        """Is one telephone system behind both parties, and does it agree to do without us?"""
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._queue: dict[str, list[tuple[Clip, float]]] = {}
        self._player: asyncio.Task[None] | None = None
        self._recording: _Recording | None = None
        self._recordings_behind: dict[str, Callable[[], None]] = {}
        self._change = asyncio.Event()
        self._talking = 0
        self._talking_since = 0.0
        self._plays = 0
        self._timers: list[asyncio.TimerHandle] = []

    async def next_event(self) -> Event:
        """The next thing that happened."""
        return await self._events.get()

    async def answer(self) -> None:
        """Pick up."""
        self._obey("answer")
        self.answered = True

    async def play(self, clips: Sequence[Clip], *, skip: float = 0.0) -> str:
        """Queue a list of clips."""
        self._obey("play")
        self._plays += 1
        play_id = f"play-{self._plays}"
        self._queue[play_id] = [(clip, 0.0 if n else skip) for n, clip in enumerate(clips)]
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
        self._obey("is_playing")
        return play_id in self._queue

    async def send_silence(self) -> None:
        """Nothing that a person hears."""
        self._obey("send_silence")
        self.silences += 1

    async def whisper(self, clip: Clip) -> None:
        """Heard beside a recording, if there is a stream beside it."""
        self._obey("whisper")
        if self._recording is None or self._recording.limits.stream:
            self.whispered.append(clip)

    async def record(self, name: str, limits: Limits, tone: Clip | None = None) -> None:
        """Record what the caller says, behind the tone."""
        self._obey("record")
        if tone is None:
            self._begin_recording(name, limits)
        else:
            play_id = await self.play([tone])
            self._recordings_behind[play_id] = lambda: self._begin_recording(name, limits)

    def _begin_recording(self, name: str, limits: Limits) -> None:
        now = self._now()
        self._recording = _Recording(name, limits, now, last_speech=now)
        if self._writes_file():
            self.takes[name] = Take(0.0, 0.0)
        if self._talking:
            self._events.put_nowait(TalkingStarted())
        self._timers = [self._later(limits.longest, self._stop_recording)]
        if self.audio_flows:
            self._watch_silence()
        elif self.notices_missing_audio:
            self._timers.append(self._later(limits.silence + 1, self._stop_recording))
        self._wake()

    def new_controller(self) -> None:
        """Nobody tells it what happened before."""
        self._events = asyncio.Queue()

    async def rejoin(self, name: str) -> None:
        """Report its end, if it has ended."""
        self._obey("rejoin")
        if not (self._recording and self._recording.name == name):
            self._events.put_nowait(RecordingEnded(name))

    async def stop_recording(self, name: str) -> None:
        """Stop it if it runs."""
        if self._recording and self._recording.name == name:
            self._stop_recording()

    async def leave(self, status: str, extension: str = "") -> None:
        """Back to the dialplan: for our side the line is over."""
        self._obey("leave")
        self.left = (status, extension)
        self._end()

    async def listen_for_fax(self, number: str) -> None:
        """From now on `sends_fax_tone` ends the line for us."""
        self._obey("listen_for_fax")
        self.listens_for_fax = number

    async def hang_up(self) -> None:
        """Our side ends it."""
        if not self.gone:
            self._end()

    def sends_fax_tone(self) -> None:
        """The caller is a fax machine: who listens for one loses the line to the dialplan."""
        if self.listens_for_fax:
            self._end(Cause.FAX)

    async def refuse(self) -> None:
        """Our side does not want it."""
        self.refused = True
        self._end()

    async def chain(self) -> Chain:
        """What it came with."""
        self._obey("chain")
        return self.come_by

    async def has_other_nodes(self) -> bool:
        """As a test says."""
        self._obey("has_other_nodes")
        return self.other_nodes

    async def report(self, text: str) -> None:
        """Kept in order."""
        self._obey("report")
        self.reports.append(text)

    async def dial(self, leg: Leg) -> "FakeChannel":
        """Ring somewhere, for so long."""
        self._obey("dial")
        line = FakeChannel(f"{self.id}-leg-{len(self.legs) + 1}", self.takes)
        line.refuses = self.refuses
        self.legs.append(line)
        line._timers = [line._later(leg.seconds, lambda: line.is_not_answered(Cause.NO_ANSWER))]
        self.on_dial(line, leg)
        return line

    async def wait_with(self, sound: Waiting) -> None:
        """Heard until `stop_waiting`."""
        self._obey("wait_with")
        self.waits_with = sound
        self._wake()

    async def stop_waiting(self) -> None:
        """Quiet."""
        self._obey("stop_waiting")
        self.waits_with = None
        self._wake()

    async def join(self, other: Channel) -> None:
        """Both hear each other."""
        self._obey("join")
        [line] = [leg for leg in self.legs if leg.id == other.id]
        if line.gone or not line.answered:
            raise LineFault(f"join: {line.id} is not there")
        self.in_bridge = True
        self.talks_with, line.talks_with = line, self
        self._wake()
        line._wake()

    async def hand_over(self, other: Channel) -> None:
        """A moment later both lines have ended, if their telephone system agrees."""
        self._obey("hand_over")
        [line] = [leg for leg in self.legs if leg.id == other.id]
        assert not self.in_bridge
        if self.carried_together:
            self._later(0.1, line.caller_hangs_up)
            self._later(0.2, self.caller_hangs_up)
        await asyncio.sleep(0.3)

    async def part(self) -> None:
        """Alone again."""
        self.in_bridge = False
        if other := self.talks_with:
            self.talks_with = other.talks_with = None

    # --- the side of somebody who is called

    def picks_up(self) -> None:
        """The telephone is answered."""
        if not self.gone:
            for timer in self._timers:
                timer.cancel()
            self.answered = True
            self._events.put_nowait(Answered())

    def is_not_answered(self, cause: Cause) -> None:
        """Busy, declined, rung in vain."""
        self._end(cause)

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
        self._talking_since = self._now()
        if self._recording:
            self._events.put_nowait(TalkingStarted())

    def voice_off(self) -> None:
        """The caller stops talking; noticed a little later."""
        self._talking -= 1
        if self._recording:
            self._later(TALK_END_SILENCE, self._notice_silence)
            self._watch_silence()

    def _notice_silence(self) -> None:
        if not (self._talking or self.gone):
            self._events.put_nowait(TalkingEnded())

    @property
    def recording(self) -> bool:
        """Is what the caller says being recorded now?"""
        return self._recording is not None

    async def changed(self) -> None:
        """Wait until the caller hears something new, or the line ends."""
        await self._change.wait()

    def _obey(self, verb: str) -> None:
        if self.gone:
            raise ChannelGone
        if verb in self.refuses:
            raise LineFault(f"{verb}: refused")

    async def _play_queue(self) -> None:
        while self._queue:
            while self._recording:
                await self.changed()
            play_id, clips = next(iter(self._queue.items()))
            for clip, start in clips:
                rest = self.lengths.get(clip.name, CLIP_SECONDS) - start
                if clip != MISSING and rest > 0:
                    self.heard.append(clip)
                    self.begun.append((clip.name, start))
                    self._wake()
                    await asyncio.sleep(rest)
            self._end_play(play_id)
        self._player = None

    def _end_play(self, play_id: str) -> None:
        del self._queue[play_id]
        if self.reports_ends:
            self._events.put_nowait(PlayEnded(play_id))
        record = self._recordings_behind.pop(play_id, None)
        if record and not self.gone:
            record()

    def _writes_file(self) -> bool:
        return self.audio_flows and not self.disk_full

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
        if self._talking:
            recording.speech += self._now() - max(self._talking_since, recording.started)
        self.recorded.append(Take(seconds, recording.speech))
        if self._writes_file():
            self.takes[recording.name] = self.recorded[-1]
        if self.reports_ends:
            self._events.put_nowait(RecordingEnded(recording.name))
        self._wake()

    def _end(self, cause: Cause = Cause.CLEARED) -> None:
        if self.gone:
            return
        self._stop_recording()
        self.gone = True
        for timer in self._timers:
            timer.cancel()
        if self._player:
            self._player.cancel()
        for play_id in list(self._queue):
            self._end_play(play_id)
        self._events.put_nowait(HungUp(cause))
        self._wake()

    def _wake(self) -> None:
        self._change.set()
        self._change = asyncio.Event()

    def _later(self, seconds: float, action: Callable[[], object]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(seconds, action)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
