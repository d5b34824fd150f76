"""A telephone line in a terminal: prompts as text, keys from the keyboard, typed words as speech.

Whatever the script plays is written; it takes as long as reading it. What is said into a recording
is a line of text: a sound of about the length of the words is recorded, so that it is a real file.
"""

import asyncio
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vm_ari.adapters.audio import write_wav
from vm_ari.adapters.prompt_texts import BadTexts, read_texts
from vm_ari.adapters.wav_header import BadAudio, wav_seconds
from vm_ari.domain.callers import printable
from vm_ari.domain.recording import Limits
from vm_ari.domain.transfer import Chain, Waiting
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
    PlayEnded,
    RecordingEnded,
    TalkingEnded,
    TalkingStarted,
)

KEYS = frozenset("0123456789*#")
RATE = 8000
SECONDS_A_LETTER = 0.07
"""How fast people speak, about."""
READING = 0.015
"""How fast they read, about: keys that are typed meanwhile interrupt a prompt."""
TONE = "beep"


@dataclass
class TerminalLine:
    """`Channel`, for one call. *write* shows a line of text; keys come by `typed`."""

    id: str
    sounds: Path
    recordings: Path
    """Where Asterisk would record; recordings are named below it."""
    write: Callable[[str], None]
    reading: float = READING
    """Seconds that a letter of a prompt takes."""
    _events: asyncio.Queue[Event] = field(default_factory=asyncio.Queue)
    _playing: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _plays: int = 0
    _recording: str = ""
    _said: str = ""
    _gone: bool = False
    _words: dict[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def listens(self) -> bool:
        """Has it said its words, so that it is somebody else's turn?"""
        return bool(self._recording or (self._plays and not self._playing))

    def typed(self, key: str) -> None:
        """One key of the keyboard; what is none of a telephone is speech, or nothing."""
        if self._recording and key != "#":
            self._said += printable(key) or " "
        elif self._recording:
            self._end_recording()
        elif key in KEYS:
            self._events.put_nowait(KeyPressed(key))

    def hung_up(self) -> None:
        """The caller has put the receiver down."""
        if not self._gone:
            self._end_recording()
            self._end(Cause.CLEARED)

    async def next_event(self) -> Event:
        """See `Channel`."""
        return await self._events.get()

    async def answer(self) -> None:
        """See `Channel`."""
        self._check()

    async def play(self, clips: Sequence[Clip], *, skip: float = 0.0) -> str:
        """See `Channel`: the words of it all as one line."""
        self._check()
        self._plays += 1
        play_id = f"play-{self._plays}"
        text = " ".join(self._text(clip) for clip in clips)
        self.write(f"  ♪ {text}" if clips else "")
        self._playing[play_id] = asyncio.create_task(self._played(play_id, text))
        return play_id

    async def _played(self, play_id: str, text: str) -> None:
        await asyncio.sleep(len(text) * self.reading)
        self._over(play_id)

    def _over(self, play_id: str) -> None:
        if self._playing.pop(play_id, None):
            self._events.put_nowait(PlayEnded(play_id))

    async def stop_playing(self, play_id: str) -> None:
        """See `Channel`."""
        if task := self._playing.get(play_id):
            task.cancel()
            self._over(play_id)

    async def is_playing(self, play_id: str) -> bool:
        """See `Channel`."""
        return play_id in self._playing

    async def send_silence(self) -> None:
        """See `Channel`: nothing is to be seen of it."""

    async def whisper(self, clip: Clip) -> None:
        """See `Channel`."""
        self.write(f"  ♪ {self._text(clip)}")

    async def record(self, name: str, limits: Limits, tone: Clip | None = None) -> None:
        """See `Channel`."""
        self._check()
        if tone:
            self.write(f"  ♪ {self._text(tone)}")
        self.write("  ● Say something: type it, then # for the key, or hang up by Ctrl-D.")
        self._recording, self._said = name, ""
        self._events.put_nowait(TalkingStarted())
        asyncio.get_running_loop().call_later(limits.longest, self._too_long, name)

    def _too_long(self, name: str) -> None:
        if self._recording == name:
            self._end_recording()

    async def rejoin(self, name: str) -> None:
        """See `Channel`: no earlier controller has recorded here."""
        self._events.put_nowait(RecordingEnded(name))

    async def stop_recording(self, name: str) -> None:
        """See `Channel`."""
        if self._recording == name:
            self._end_recording()

    def _end_recording(self) -> None:
        if not self._recording:
            return
        name, self._recording = self._recording, ""
        path = self.recordings / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_wav(path, _babble(len(self._said) * SECONDS_A_LETTER), RATE)
        self._events.put_nowait(TalkingEnded())
        self._events.put_nowait(RecordingEnded(name))

    async def leave(self, status: str, extension: str = "") -> None:
        """See `Channel`."""
        way = f", to extension {extension}" if extension else ""
        self.write(f"  → back to the dialplan: VM_ARI_STATUS={status}{way}")
        self._end(Cause.CLEARED)

    async def listen_for_fax(self, number: str) -> None:
        """See `Channel`: nobody sends a fax from a keyboard."""

    async def hang_up(self) -> None:
        """See `Channel`."""
        if not self._gone:
            self.write("  → the call is ended")
            self._end(Cause.CLEARED)

    async def refuse(self) -> None:
        """See `Channel`."""
        self.write("  → the call is not taken")
        self._end(Cause.REFUSED)

    async def chain(self) -> Chain:
        """See `Channel`."""
        return Chain()

    async def has_other_nodes(self) -> bool:
        """See `Channel`."""
        return False

    async def report(self, text: str) -> None:
        """See `Channel`."""
        self.write(f"  → {printable(text, 200)}")

    async def dial(self, leg: Leg) -> Channel:
        """See `Channel`: here it is only said whom it would call."""
        self.write(f"  → {leg.destination.number} would be called now; here nobody answers")
        raise LineFault("no telephone is called from a terminal")

    async def wait_with(self, sound: Waiting) -> None:
        """See `Channel`."""

    async def stop_waiting(self) -> None:
        """See `Channel`."""

    async def join(self, other: Channel) -> None:
        """See `Channel`."""
        raise LineFault("there is no other party in a terminal")

    async def hand_over(self, other: Channel) -> None:
        """See `Channel`."""

    async def part(self) -> None:
        """See `Channel`."""

    def _check(self) -> None:
        if self._gone:
            raise ChannelGone(self.id)

    def _end(self, cause: Cause) -> None:
        self._gone = True
        for play_id in list(self._playing):
            self._playing[play_id].cancel()
            self._over(play_id)
        self._events.put_nowait(HungUp(cause))

    def _text(self, clip: Clip) -> str:
        if clip.absolute:
            return f"[{_recorded(Path(clip.name))}]"
        language, _, name = clip.name.partition("/")
        if name == TONE:
            return "[beep]"
        return self._texts(language).get(name, f"[{printable(clip.name)}]")

    def _texts(self, language: str) -> Mapping[str, str]:
        if language not in self._words:
            try:
                found = read_texts(self.sounds / language)
                self._words[language] = {one.id: one.words for one in found.values()}
            except (OSError, BadTexts):
                self._words[language] = {}
        return self._words[language]


def _recorded(path: Path) -> str:
    """A recording, as something to read."""
    with_suffix = path.with_name(path.name + ".wav")
    try:
        return f"recording “{printable(path.name)}”, {wav_seconds(with_suffix):.1f} s"
    except (OSError, BadAudio):
        return f"recording “{printable(path.name)}”"


def _babble(seconds: float) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Something that counts as speech: a tone in syllables."""
    at = np.arange(math.ceil(seconds * RATE)) / RATE
    return 0.3 * np.sin(2 * math.pi * 220 * at) * (np.sin(2 * math.pi * 2.5 * at) > -0.5)
