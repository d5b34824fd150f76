"""What a user sends by telephone, and to whom (INBOX-07, INBOX-08, INBOX-13).

What was said lies in the spool with its `Sending` before the tone sounds. When it is delivered, it
is divided: one part for each recipient, which goes its own way from there (`sending_parts`).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vm_ari.domain.callers import Caller
from vm_ari.domain.message_kinds import MessageKind


class Errand(StrEnum):
    """Why something is sent."""

    REPLY = "reply"
    FORWARD = "forward"
    MESSAGE = "message"
    """A new one, to one or several people."""


class Line(StrEnum):
    """What answers at a telephone number; the site has a mail address for each (MAIL-06)."""

    VOICE = "voice"
    FAX = "fax"


@dataclass(frozen=True)
class Colleague:
    """Somebody with a mailbox here."""

    user_id: str


@dataclass(frozen=True)
class Correspondent:
    """Somebody who is reached by mail."""

    address: str
    """An ASCII mail address, checked."""


@dataclass(frozen=True)
class Telephone:
    """A number that a gateway of the site reaches by mail."""

    number: str
    """E.164."""
    line: Line


Recipient = Colleague | Correspondent | Telephone


@dataclass(frozen=True)
class DistributionList:
    """Several people under one number of the keypad."""

    number: str
    name: str
    members: tuple[str, ...]
    """User ids, mailboxes, numbers or mail addresses, as the site has written them."""


@dataclass(frozen=True)
class Quoted:
    """What was known of the message that is answered or forwarded."""

    caller: Caller
    received: datetime
    """UTC."""


@dataclass(frozen=True)
class Sending:
    """One errand: enough to finish it after a crash.

    Beside what was said lies the original: of a voice message that is forwarded its audio, of
    another one the mail, of a message that is answered the header.
    """

    errand: Errand
    sender: str
    """User id of who sends."""
    recipients: tuple[Recipient, ...]
    original: MessageKind | None = None
    """What is answered or forwarded; None for a new message."""
    quoted: Quoted | None = None
    reply_to: str = ""
    """Mail address of who sends; empty for none."""
    part_of: str = ""
    """Id of the whole that this part with its one recipient comes from; empty: it is the whole."""

    @property
    def is_whole(self) -> bool:
        """Must it be divided before it can be delivered?"""
        return not self.part_of

    @property
    def forwards_voice(self) -> bool:
        """Is the original audio?"""
        return self.errand is Errand.FORWARD and self.original is MessageKind.VOICE


def recipient_key(recipient: Recipient) -> str:
    """A text that no other recipient has."""
    match recipient:
        case Colleague(user_id):
            return f"user {user_id}"
        case Correspondent(address):
            return f"mail {address.lower()}"
        case Telephone(number, line):
            return f"{line} {number}"


def is_outside(recipient: Recipient) -> bool:
    """Is it reached by a mail that leaves the house?"""
    return not isinstance(recipient, Colleague)
