"""Messages: one being left by a caller, and those lying in the user's message store."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vm_ari.domain.callers import Caller
from vm_ari.domain.faxes import Fax
from vm_ari.domain.message_kinds import MessageKind
from vm_ari.domain.sending import Sending
from vm_ari.domain.transcripts import Transcript

__all__ = [
    "OTHER_KINDS",
    "CallFacts",
    "Counts",
    "ListOrder",
    "MessageKind",
    "StoredMessage",
    "VoiceMessage",
    "in_telephone_order",
]


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
    sending: Sending | None = None
    """What a user sends; None: it is a caller's message for *user_id*."""
    fax: Fax | None = None
    """It is a fax: `VoiceMessage.audio` has its pages."""
    conference: bool = False
    """It is the recording of a conference in the room of *user_id* (UM-04)."""


@dataclass(frozen=True)
class VoiceMessage:
    """A complete message, ready to be delivered."""

    facts: CallFacts
    audio: str
    """Path of the WAV file; empty where a user has forwarded something without a word.

    Of a fax: path of the TIFF file; beside it there may be a PDF.
    """
    seconds: float
    partial: bool = False
    """The audio was cut by a fault (not by the caller) or repaired after one."""
    transcript: Transcript | None = None
    """Made while the mail waited for it."""
    original: str = ""
    """Path of what is answered or forwarded (see `sending.Sending`); empty: nothing is."""

    @property
    def is_voice(self) -> bool:
        """Is there anything to be heard?"""
        return bool(self.audio) and self.facts.fax is None


OTHER_KINDS = (MessageKind.MAIL, MessageKind.FAX, MessageKind.TEXT)
"""What is read aloud, rather than played."""


class ListOrder(StrEnum):
    """Which message of a list is heard first; urgent ones come before all others (INBOX-01)."""

    NEWEST_FIRST = "newest-first"
    OLDEST_FIRST = "oldest-first"


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
    genuine: bool = False
    """Our own signature vouches for the caller; a mail that anybody can have written has none."""


@dataclass(frozen=True)
class Counts:
    """How many messages lie in a mailbox."""

    new_voice: int = 0
    heard_voice: int = 0
    new_other: int = 0
    urgent_voice: int = 0
    """Of the new ones."""
    new_fax: int = 0
    """Of the others."""
    new_text: int = 0
    """SMS, of the others."""

    def new_among(self, kinds: Collection[MessageKind]) -> int:
        """New ones of those of the `OTHER_KINDS`: all mails, or faxes, or both."""
        faxes = self.new_fax if MessageKind.FAX in kinds else 0
        return faxes + (self.new_other - self.new_fax if MessageKind.MAIL in kinds else 0)


def in_telephone_order(
    messages: Sequence[StoredMessage], order: ListOrder = ListOrder.NEWEST_FIRST
) -> list[StoredMessage]:
    """Urgent ones first, then in that *order*."""
    newest_first = order is ListOrder.NEWEST_FIRST
    by_time = sorted(messages, key=lambda m: (m.received, m.uid), reverse=newest_first)
    return sorted(by_time, key=lambda m: not m.urgent)
