"""Where somebody is in a recording while it plays, and how fast it is played (INBOX-05)."""

from dataclasses import dataclass, replace
from enum import Enum

STEP = 3.0
"""Seconds that the keys for back and forward go."""


class Speed(Enum):
    """How fast a recording plays, its pitch unchanged."""

    SLOW = 0.75
    NORMAL = 1.0
    FAST = 1.25
    FASTEST = 1.5

    def slower(self) -> "Speed":
        """The next lower one; the lowest stays."""
        return _SPEEDS[max(_SPEEDS.index(self) - 1, 0)]

    def faster(self) -> "Speed":
        """The next higher one; the highest stays."""
        return _SPEEDS[min(_SPEEDS.index(self) + 1, len(_SPEEDS) - 1)]


_SPEEDS = tuple(Speed)


@dataclass(frozen=True)
class Place:
    """A place in a recording, and the speed from there on."""

    seconds: float = 0.0
    """Of the recording as it was spoken, whatever the speed."""
    speed: Speed = Speed.NORMAL

    @property
    def in_file(self) -> float:
        """Seconds into the file that was prepared for this speed."""
        return self.seconds / self.speed.value

    def after(self, heard: float) -> "Place":
        """Where it is when so many seconds have been heard."""
        return replace(self, seconds=self.seconds + heard * self.speed.value)

    def moved(self, seconds: float) -> "Place":
        """Back or forward, at most to the beginning; where the end is only the file knows."""
        return replace(self, seconds=max(self.seconds + seconds, 0.0))

    def at(self, speed: Speed) -> "Place":
        """The same place at another speed."""
        return replace(self, speed=speed)
