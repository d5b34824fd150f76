"""Transcripts on their way: what becomes of that of a delivered message."""

from dataclasses import dataclass
from enum import Enum

from vm_ari.domain.messages import VoiceMessage


class Fate(Enum):
    """What becomes of the transcript of a message."""

    INCLUDED = "included"
    """The message's mail holds it."""
    OWED = "owed"
    """It follows in a mail of its own."""


@dataclass(frozen=True)
class Job:
    """A transcript that is owed."""

    message: VoiceMessage
    """Its audio is what was put aside."""
    user_id: str
    """Who has got the message."""
