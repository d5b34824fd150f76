"""What a telephone system tells while phones ring, in our own words.

Every channel has an id that is never used again, and belongs to the call whose first channel had
that call's id. Texts are as the network sent them: `Follower` judges them.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Appeared:
    """A new channel; the first one of a call has the call's id."""

    at: datetime
    channel: str
    call: str
    phone: str
    """Name of the channel, such as ``PJSIP/101-0000002a``."""
    number: str = ""
    """Of who is at that phone."""
    name: str = ""
    dialled: str = ""


@dataclass(frozen=True)
class CallerChanged:
    """The dialplan, or the network, knows better who it is."""

    at: datetime
    channel: str
    number: str
    name: str


@dataclass(frozen=True)
class CallerShown:
    """May the called person know who it is? Not said of a call: no."""

    at: datetime
    channel: str
    shown: bool


@dataclass(frozen=True)
class DialBegan:
    """A phone is called, and will perhaps ring."""

    at: datetime
    call: str
    by: str
    """The channel that dials; empty: the telephone system itself."""
    to: str
    phone: str
    """Name of the channel that is called."""
    address: str = ""
    """What was dialled there, such as ``0301234@trunk``."""
    number: str = ""
    """Of the called phone, as Asterisk knows it."""
    extension: str = ""
    """Where the dialplan was."""


@dataclass(frozen=True)
class Rang:
    """A phone begins to ring."""

    at: datetime
    channel: str


@dataclass(frozen=True)
class DialEnded:
    """A phone that was called has answered, or will not be waited for any longer.

    After a pick-up the phone that answers is another one than those that were called.
    """

    at: datetime
    by: str
    to: str
    phone: str
    number: str = ""
    answered: bool = False


@dataclass(frozen=True)
class HungUp:
    """A channel is no more."""

    at: datetime
    channel: str


@dataclass(frozen=True)
class Lost:
    """Nobody knows what happened before this: the connection is new."""

    at: datetime


RingEvent = Appeared | CallerChanged | CallerShown | DialBegan | Rang | DialEnded | HungUp | Lost
