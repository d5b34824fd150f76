"""When a recording ends, and whether it is worth keeping."""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True)
class Limits:
    """All in seconds; defaults of CALL-06."""

    longest: int = 180
    silence: int = 8
    shortest: float = 2.0
    warning: int = 10
    """A beep so long before the end; 0: none."""
    stream: bool = True
    """Is the caller sent silence meanwhile? The beep is mixed into it, and else heard by nobody."""

    @property
    def warns(self) -> bool:
        """Does a beep come before the end? A short recording has no room for it."""
        return self.stream and 0 < 2 * self.warning < self.longest


class Ending(Enum):
    """Why a recording ended."""

    KEY = "key"
    HANG_UP = "hang-up"
    SILENCE = "silence"
    LIMIT = "limit"
    FAULT = "fault"
    """Nobody ended it: Asterisk could not write, or lost the audio."""
    UNANSWERED = "unanswered"
    """Asterisk has not said whether it began; now it does not go on. There may be a file."""

    @property
    def is_fault(self) -> bool:
        """Was it neither the caller nor a limit of ours?"""
        return self in (Ending.FAULT, Ending.UNANSWERED)


@dataclass(frozen=True)
class Take:
    """What lies on the disk after one recording."""

    seconds: float
    speech_seconds: float
    """At least: of a message no more is measured than shows that somebody speaks."""


def worth_keeping(take: Take, limits: Limits, ending: Ending) -> bool:
    """Is this a message? Shorter or silent ones are discarded (CALL-06).

    A recording that a fault cut short is kept when anything at all was said.
    """
    if ending.is_fault:
        return take.speech_seconds > 0
    return take.seconds >= limits.shortest and take.speech_seconds > 0


def why_it_ended(
    *, hung_up: bool, by_key: bool, lasted: float, quiet: float, limits: Limits
) -> Ending:
    """Tell the reason from what was seen, as Asterisk reports a full disk as a success too."""
    if by_key:
        return Ending.KEY
    if hung_up:
        return Ending.HANG_UP
    if lasted >= limits.longest - 1:
        return Ending.LIMIT
    if quiet >= limits.silence - 1:
        return Ending.SILENCE
    return Ending.FAULT
