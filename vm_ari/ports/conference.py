"""What conferences need from the world: bridges, a memory, a board for all controllers (UM-04)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from vm_ari.domain.conferences import Conference, Happening
from vm_ari.domain.recording import Take
from vm_ari.ports import GreetingTake


class RoomFault(Exception):
    """The telephone system refused or did not answer; perhaps it has done it all the same."""


class MemoryFailed(Exception):
    """The disk with what is remembered of conferences. The text says what, and where."""


class ConferencesUnavailable(Exception):
    """The database of conferences that go on does not answer. The text says why."""


class Bridges(Protocol):
    """Where parties hear each other: one bridge for each conference, by its id.

    Methods raise `RoomFault`. What is done already, or gone, is no fault.
    """

    async def ids(self) -> Collection[str]:
        """Of the conferences for which there is one, whoever has made it."""
        ...

    async def open(self, conference_id: str) -> None:
        """Make it."""
        ...

    async def close(self, conference_id: str) -> None:
        """Nobody is in it any more; what was recorded there is whole."""
        ...

    async def inside(self, conference_id: str) -> Collection[str]:
        """The channels in it."""
        ...

    async def put_in(self, conference_id: str, channel: str) -> None:
        """That party hears the others, and is heard."""
        ...

    async def take_out(self, conference_id: str, channel: str) -> None:
        """That party is alone again."""
        ...

    async def set_heard(self, channel: str, heard: bool) -> None:
        """Does the voice of that line count?"""
        ...

    async def set_music(self, conference_id: str, on: bool) -> None:
        """Music on hold for everybody inside."""
        ...

    async def announce(self, conference: Conference, happening: Happening) -> None:
        """Everybody inside hears of it, after what is being said."""
        ...

    async def record(self, conference_id: str, name: str, longest: int) -> None:
        """Everything that is heard there, under that name; *longest* in seconds."""
        ...

    async def stop_recording(self, name: str) -> None:
        """Its file will be whole in a moment."""
        ...

    async def is_recording(self, name: str) -> bool:
        """Does it go on?"""
        ...


class ConferenceMemory(Protocol):
    """What outlives this process: conferences that go on, and the names that were said.

    Methods raise `MemoryFailed`.
    """

    async def keep(self, conference: Conference) -> None:
        """On the disk when this returns."""
        ...

    async def forget(self, conference: Conference) -> None:
        """It is over; so are its parties' names."""
        ...

    async def all(self) -> Sequence[Conference]:
        """Those that nobody has seen ending."""
        ...

    def new_name(self) -> GreetingTake:
        """Where to record the name of somebody at the door."""
        ...

    async def inspect(self, take: GreetingTake) -> Take | None:
        """What was recorded there; None: nothing."""
        ...


class Verb(StrEnum):
    """What can be ordered from afar."""

    MUTE = "mute"
    UNMUTE = "unmute"
    REMOVE = "remove"
    LOCK = "lock"
    UNLOCK = "unlock"
    HUSH = "hush"
    UNHUSH = "unhush"
    RECORD = "record"
    STOP_RECORDING = "stop-recording"
    END = "end"

    @property
    def about_somebody(self) -> bool:
        """Does it need a party?"""
        return self in (Verb.MUTE, Verb.UNMUTE, Verb.REMOVE)


@dataclass(frozen=True)
class RoomOrder:
    """Somebody wants something to be done in a conference, and may want that."""

    conference_id: str
    verb: Verb
    party: int = 0
    """Its number, where it is about somebody."""
    by: str = ""
    """Who wants it: for the log."""


@dataclass(frozen=True)
class LiveConference:
    """A conference as others see it."""

    conference: Conference
    node: str
    seen: datetime
    """UTC: when its controller has said so last."""
    talking: frozenset[int] = frozenset()
    """Numbers of the parties whose voice is heard just now."""


class ConferenceBoard(Protocol):
    """Where all controllers write theirs. Methods raise `ConferencesUnavailable`."""

    async def write(self, node: str, conferences: Sequence[LiveConference]) -> None:
        """These and no others go on at that controller."""
        ...

    async def all(self, since: datetime) -> Sequence[LiveConference]:
        """Those that were heard of since then, the oldest first."""
        ...

    async def order(self, node: str, order: RoomOrder, at: datetime) -> None:
        """Leave an order for that controller."""
        ...

    async def take_orders(self, node: str, since: datetime) -> Sequence[RoomOrder]:
        """In their order, each once; old ones never."""
        ...
