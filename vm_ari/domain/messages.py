"""Messages: one being left by a caller, and those lying in the user's message store."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from vm_ari.domain.callers import Caller


@dataclass(frozen=True)
class CallFacts:
    """What is known when the tone sounds: enough to deliver whatever is said after it."""

    id: str
    """Our own random name of the message: file name and left side of the Message-ID."""
    message_id: str
    """The mail's Message-ID with its angle brackets; never changes again."""
    channel_id: str
    """Asterisk's channel, to see after a restart whether the caller is still there."""
    called: str
    """The number that was dialled, E.164 or extension."""
    user_id: str | None
    """The owner, or None where the directory could not tell (resolved before delivery)."""
    caller: Caller
    started: datetime
    """UTC, when the call came in."""
    urgent: bool = False


@dataclass(frozen=True)
class VoiceMessage:
    """A complete message, ready to be delivered."""

    facts: CallFacts
    audio: str
    """Path of the WAV file."""
    seconds: float
    partial: bool = False
    """The audio was cut by a fault (not by the caller) or repaired after one."""


class MessageKind(Enum):
    """What a message in the store is."""

    VOICE = "voice"
    MAIL = "mail"
    FAX = "fax"


@dataclass(frozen=True)
class StoredMessage:
    """A message in the store, as far as a list shows it."""

    uid: str
    kind: MessageKind
    received: datetime
    """UTC."""
    caller: Caller
    seconds: float = 0.0
    urgent: bool = False
    new: bool = True


@dataclass(frozen=True)
class Counts:
    """How many messages lie in a mailbox."""

    new_voice: int = 0
    heard_voice: int = 0
    new_other: int = 0
    urgent_voice: int = 0
    """Of the new ones."""


def in_telephone_order(messages: list[StoredMessage]) -> list[StoredMessage]:
    """Urgent ones first, then newest first."""
    newest_first = sorted(messages, key=lambda m: (m.received, m.uid), reverse=True)
    return sorted(newest_first, key=lambda m: not m.urgent)
