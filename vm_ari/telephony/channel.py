"""The port to the telephone line: what a call can ask of it, and what it may report."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from vm_ari.domain.callers import Caller
from vm_ari.domain.dialling import Allowed
from vm_ari.domain.recording import Limits
from vm_ari.domain.transfer import Chain, Waiting
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
class Answered:
    """Somebody has picked up a line that we have dialled."""


class Cause(Enum):
    """Why a line has ended, or has never come about."""

    CLEARED = "cleared"
    """Somebody has put the receiver down."""
    BUSY = "busy"
    NO_ANSWER = "no answer"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    FAX = "fax"
    """The caller is a fax machine: the dialplan goes on with it."""


@dataclass(frozen=True)
class HungUp:
    """The line is gone; always the last event."""

    cause: Cause = Cause.CLEARED


Event = KeyPressed | PlayEnded | RecordingEnded | TalkingStarted | TalkingEnded | Answered | HungUp

TALK_END_SILENCE = 1.0
"""Seconds of quiet after which a line reports `TalkingEnded`."""


@dataclass(frozen=True)
class Leg:
    """Somebody to be called on behalf of a caller."""

    destination: Allowed
    """The dialling rules' own word: nothing else can be dialled."""
    shown: Caller = field(default_factory=Caller)
    """Who calls, for the display."""
    seconds: int = 25
    """How long it may ring."""
    chain: Chain = field(default_factory=Chain)
    """The mailboxes that have sent the call on, with ours."""


class ChannelGone(Exception):
    """The command came too late: the caller has hung up."""


class LineFault(Exception):
    """The telephone system refused or did not answer; the caller may still be there."""


class LineSilent(LineFault):
    """It did not answer: what was asked may have been done all the same."""


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

    async def play(self, clips: Sequence[Clip], *, skip: float = 0.0) -> str:
        """Start playing, one clip after the other; the id comes back in `PlayEnded`.

        *skip*: so many seconds of the first clip are left out, perhaps all of it.
        """
        ...

    async def stop_playing(self, play_id: str) -> None:
        """Be quiet now; harmless when it is over already."""
        ...

    async def is_playing(self, play_id: str) -> bool:
        """Is it still going on? For playbacks whose end was never reported."""
        ...

    async def send_silence(self) -> None:
        """Send nothing to be heard until the next play: some trunks end a call without a stream."""
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

    async def listen_for_fax(self, number: str) -> None:
        """Should a fax machine be heard, the line ends for us (`Cause.FAX`).

        The dialplan then receives the fax for that mailbox.
        """
        ...

    async def hang_up(self) -> None:
        """End the call; harmless when it has ended already."""
        ...

    async def refuse(self) -> None:
        """Do not take a call that has not been answered: its caller is told "not reached"."""
        ...

    async def chain(self) -> Chain:
        """Which of our mailboxes have sent this call on; empty for one that comes from outside."""
        ...

    async def has_other_nodes(self) -> bool:
        """Is there somebody who brings this call to another node if we do not take it?"""
        ...

    async def report(self, text: str) -> None:
        """Tell who has asked for this call, in whatever process, what has come of it so far."""
        ...

    async def dial(self, leg: Leg) -> "Channel":
        """Call somebody. The new line reports `Answered` or `HungUp` with its cause.

        Raises `LineFault` where there is no way to that destination.
        """
        ...

    async def wait_with(self, sound: Waiting) -> None:
        """Let the caller hear that something is being done."""
        ...

    async def stop_waiting(self) -> None:
        """End what `wait_with` began; harmless where nothing did."""
        ...

    async def join(self, other: "Channel") -> None:
        """Let both parties talk; raises `LineFault` when one of them is not there any more."""
        ...

    async def hand_over(self, other: "Channel") -> None:
        """Ask the telephone system that carries both parties to connect them without us.

        For lines that are not joined. If it agrees, both end; back when they are to stay.
        """
        ...

    async def part(self) -> None:
        """End that: this line is ours alone again; harmless when it is."""
        ...
