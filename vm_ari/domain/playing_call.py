"""A call that the system makes so that somebody hears a message, or its sender is called back.

Which message it is, and what came of it.

It travels as arguments of the ARI application, which Asterisk splits at commas.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

PURPOSE = "play"
CALL_BACK = "call-back"
"""The other purpose: who answers is connected with whoever has left the message."""
LONGEST = 1000
"""Characters of an argument: more is no name of a message."""


class BadPlayingCall(ValueError):
    """The arguments do not name a message."""


@dataclass(frozen=True)
class PlayingCall:
    """What somebody wants to hear, and where."""

    owner: str
    """User id."""
    uid: str
    """Of the message, as the message store calls it."""
    phone: str
    """The number that is called, E.164 or an extension."""


class Report(StrEnum):
    """What came of it, for who has asked for the call."""

    PLAYED = "played"
    """It was, at least its beginning."""
    CLOSED = "closed"
    """The user may not hear messages there."""
    NO_PIN = "no PIN"
    GONE = "gone"
    UNAVAILABLE = "unavailable"
    """The message store."""
    CALLED = "called"
    """The user has confirmed the number, and it was dialled."""
    REFUSED = "refused"
    """The sender may not be called back."""


def arguments_for(wanted: PlayingCall, purpose: str = PURPOSE) -> str:
    """The arguments of such a call; the texts may be anything."""
    return ",".join((purpose, *map(_coded, (wanted.owner, wanted.uid, wanted.phone))))


def wanted_in(arguments: Sequence[str]) -> PlayingCall:
    """What is to be heard, or answered by a call. Raises `BadPlayingCall`."""
    try:
        purpose, *coded = arguments
        if purpose not in {PURPOSE, CALL_BACK} or any(len(one) > LONGEST for one in coded):
            raise BadPlayingCall(f"not a playing call but {purpose[:40]!r}")
        owner, uid, phone = map(_decoded, coded)
    except ValueError as error:
        raise BadPlayingCall(f"these arguments name no message: {error}") from None
    return PlayingCall(owner, uid, phone)


def _coded(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode()


def _decoded(text: str) -> str:
    return urlsafe_b64decode(text.encode("ascii")).decode()
