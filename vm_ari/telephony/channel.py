"""The port to the telephone line: what a call can ask of it, and what it may report."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from vm_ari.domain.recording import Limits
from vm_ari.speech.parts import Clip


@dataclass(frozen=True)
class KeyPressed:
    """One key of ``0-9 * # A-D``, reported when it is released."""

    key: str


@dataclass(frozen=True)
class PlayEnded:
    """A playback is over: played out, stopped, or nothing to play."""

    play_id: str


@dataclass(frozen=True)
class RecordingEnded:
    """The recording is closed; nothing is said about whether there is a file."""

    name: str


@dataclass(frozen=True)
class TalkingStarted:
    """The caller's voice is heard."""


@dataclass(frozen=True)
class TalkingEnded:
    """The caller has been quiet for `TALK_END_SILENCE` seconds."""


@dataclass(frozen=True)
class HungUp:
    """The line is gone; always the last event."""


Event = KeyPressed | PlayEnded | RecordingEnded | TalkingStarted | TalkingEnded | HungUp

TALK_END_SILENCE = 1.0
"""Seconds of quiet after which a line reports `TalkingEnded`."""


class ChannelGone(Exception):
    """The command came too late: the caller has hung up."""


class LineFault(Exception):
    """The telephone system refused or did not answer; the caller may still be there."""


class Channel(Protocol):
    """One party's line. Commands raise `ChannelGone` or `LineFault`; events come in order."""

    @property
    def id(self) -> str:
        """The telephone system's own name of the line."""
        ...

    async def next_event(self) -> Event:
        """The next thing that happened; waits for it."""
        ...

    async def answer(self) -> None:
        """Pick up."""
        ...

    async def play(self, clips: Sequence[Clip]) -> str:
        """Start playing, one clip after the other; the id comes back in `PlayEnded`."""
        ...

    async def stop_playing(self, play_id: str) -> None:
        """Be quiet now; harmless when it is over already."""
        ...

    async def is_playing(self, play_id: str) -> bool:
        """Is it still going on? For playbacks whose end was never reported."""
        ...

    async def whisper(self, clip: Clip) -> None:
        """Let the caller hear a clip while a recording goes on, outside of the recording."""
        ...

    async def record(self, name: str, limits: Limits, tone: Clip | None = None) -> None:
        """Start recording; ``#``, silence or the longest time end it.

        A *tone* is played before, and what follows it is recorded even if we die meanwhile.
        """
        ...

    async def rejoin(self, name: str) -> None:
        """Watch a recording that an earlier controller began; its end is reported as usual."""
        ...

    async def stop_recording(self, name: str) -> None:
        """End it now; harmless when it has ended already."""
        ...

    async def leave(self, status: str, extension: str = "") -> None:
        """Give the line back to the dialplan with ``VM_ARI_STATUS`` (and ``VM_ARI_EXIT``)."""
        ...

    async def hang_up(self) -> None:
        """End the call; harmless when it has ended already."""
        ...
