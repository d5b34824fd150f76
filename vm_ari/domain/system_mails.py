"""Mails that the system itself writes to users (STORE-03)."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from vm_ari.domain.users import User


class SystemMail(StrEnum):
    """What a mail is about; the value names the folder of its templates."""

    WELCOME = "welcome"
    LOGIN_LOCKED = "login-locked"
    PIN_REMINDER = "pin-reminder"
    NOT_SENT = "not-sent"
    MAILBOX_FULL = "mailbox-full"
    """It is nearly full, or full."""
    MESSAGES_WAIT = "messages-wait"
    """To the default recipient: voice messages cannot be delivered."""
    PIN_CHANGED = "pin-changed"
    TRANSCRIPT = "transcript"
    NEW_MESSAGES = "new-messages"
    """How many there are (NOTIFY-03)."""
    GREETING_ENDED = "greeting-ended"
    """A greeting, or the active profile, was good until now (GREET-10)."""
    LAMP_OFF = "lamp-off"
    """The answer to a mail that has switched the lamp off (NOTIFY-06)."""
    MISSED_CALL = "missed-call"
    """A phone rang, and nobody answered (MISSED-01)."""
    INVITATION = "invitation"
    """Somebody may record the global greeting (GREET-07)."""
    MESSAGE_DROPPED = "message-dropped"
    """To the default recipient: nobody knows the sender of what could not be sent (STORE-02)."""
    FAX_REPORT = "fax-report"
    """What became of a fax that a user has sent (UM-04)."""
    SPOKEN_REPORT = "spoken-report"
    """What became of a text that was to be spoken to somebody (SPEECH-04)."""
    RECEIPT = "receipt"
    """What a user has sent by telephone has arrived."""
    PASSWORD_CHANGED = "password-changed"  # noqa: S105 - a name
    """Of the portal."""
    INFORMATION = "information"
    """What the mailbox can do."""
    MAIL_CHANGE_CODE = "mail-change-code"
    """To the present address: the code that changes it (UM-03)."""
    MAIL_CHANGED = "mail-changed"
    """To the old address: it is the user's no more."""
    MAIL_NEW = "mail-new"
    """To the new address: it is the user's from now on."""


INFORMATION_MAILS = frozenset(
    {
        SystemMail.WELCOME,
        SystemMail.PIN_CHANGED,
        SystemMail.PASSWORD_CHANGED,
        SystemMail.LOGIN_LOCKED,
        SystemMail.PIN_REMINDER,
        SystemMail.RECEIPT,
        SystemMail.INFORMATION,
    }
)
"""What a site can do without: its admins read out what users need (STORE-03)."""


@dataclass(frozen=True)
class Correspondent:
    """Somebody whom a mail names in its header."""

    name: str
    address: str
    """What is no mail address is left out."""


@dataclass(frozen=True)
class Attachment:
    """A file that goes with a mail."""

    filename: str
    """Plain ASCII without quotes."""
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Trimmings:
    """What a mail has beside its texts: under the key ``trimmings`` of its values."""

    author: Correspondent | None = None
    """Whom it comes from instead of the system, which is then the one who sends it."""
    reply_to: Correspondent | None = None
    fields: tuple[tuple[str, str], ...] = ()
    """Further fields of the header, with texts of any kind."""
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True)
class Recipient:
    """Who gets a mail: as much of a user as lasts until it is delivered."""

    user_id: str
    mailbox: str
    mail: str
    """The mail address; empty where there is none."""


@dataclass(frozen=True)
class Letter:
    """A finished mail in the queue."""

    id: str
    """Left side of its Message-ID, and its name in the queue."""
    message_id: str
    """With angle brackets; the same in every attempt to send it."""
    kind: SystemMail
    recipient: Recipient
    written: datetime
    """UTC, in whole seconds."""
    content: bytes = field(repr=False)
    """The whole mail, with CRLF line ends."""
    dialled: str = ""
    """The number whose call made it due; empty for none."""


def recipient_of(user: User) -> Recipient:
    """What has to be known of a user."""
    return Recipient(user.id, user.mailbox, user.mail)


def letter_id(kind: SystemMail, user_id: str, occasion: str) -> str:
    """The same for the same occasion, whichever node writes it, so that nobody gets two."""
    return sha256("\0".join((kind, user_id, occasion)).encode("utf-8", "replace")).hexdigest()[:24]
