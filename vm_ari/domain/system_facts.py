"""What an installation says of itself: programs and licences, disks, databases, clock, queue."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Program:
    """A part of which this one is made, as it says of itself."""

    name: str
    version: str
    licence: str


@dataclass(frozen=True)
class Disk:
    """Where something is kept."""

    what: str
    """Such as ``spool``: a word of the page."""
    path: str
    free: int = 0
    """Bytes."""
    total: int = 0
    fault: str = ""
    """Why nothing is known of it; empty: all is."""


@dataclass(frozen=True)
class DatabaseFacts:
    """A database, without any password."""

    what: tuple[str, ...]
    """What is kept there: words of the page."""
    place: str
    version: str = ""
    size: int = 0
    """Bytes."""
    fault: str = ""


@dataclass(frozen=True)
class ClockFacts:
    """The machine's clock."""

    now: datetime
    zone: str
    synchronised: bool | None
    """Does something keep it right? None: nobody knows."""


@dataclass(frozen=True)
class QueueFacts:
    """What is not delivered."""

    waiting: int
    held: int
    oldest: datetime | None
    """Of what waits."""


@dataclass(frozen=True)
class SystemFacts:
    """All of these at one moment."""

    clock: ClockFacts
    disks: tuple[Disk, ...]
    databases: tuple[DatabaseFacts, ...]
