"""What moves when messages go from one message store to the other (STORE-04)."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

_LINE_END = re.compile(rb"\r?\n")


class StoreKind(StrEnum):
    """Where messages can lie."""

    LOCAL = "local"
    IMAP = "imap"

    @property
    def other(self) -> "StoreKind":
        """The one that it is not."""
        return StoreKind.IMAP if self is StoreKind.LOCAL else StoreKind.LOCAL


class Role(StrEnum):
    """What a folder is for, in either store."""

    INBOX = "inbox"
    """Where voice messages of the user lie: by telephone it is the INBOX."""
    DELETED = "deleted"
    OTHER = "other"


@dataclass(frozen=True)
class Place:
    """A folder of a user, said so that the other store finds its own one for it."""

    role: Role
    name: str = ""
    """Of `Role.OTHER`, with ``/`` between levels."""


@dataclass(frozen=True)
class Spot:
    """One message in one store."""

    place: Place
    uid: str
    """The store's own name for it."""

    @property
    def text(self) -> str:
        """The same for a message as long as it stays where it is."""
        return f"{self.place.role}:{self.place.name}:{self.uid}"


@dataclass(frozen=True)
class Marks:
    """What its owner has done with a message."""

    seen: bool = False
    flagged: bool = False
    answered: bool = False
    draft: bool = False
    forwarded: bool = False
    keywords: tuple[str, ...] = ()
    """Further ones, as IMAP writes them."""


@dataclass(frozen=True)
class Carried:
    """A whole message under way."""

    mail: bytes
    """RFC 5322, every line ended by CRLF."""
    message_id: str
    """With its angle brackets; empty where it has none that could be looked for."""
    arrived: datetime
    """When the store got it (IMAP's internal date), with a time zone; in whole seconds."""
    marks: Marks = Marks()
    voice: bool = False
    """Is it a voice message? Both stores keep a note of that."""

    @property
    def digest(self) -> str:
        """Of every octet: equal ones are the same message."""
        return digest_of(self.mail)


def with_crlf(mail: bytes) -> bytes:
    """Every line ended by CRLF, as it is on the wire."""
    return _LINE_END.sub(b"\r\n", mail)


def digest_of(mail: bytes) -> str:
    """SHA-256 in hexadecimal, the same whichever way lines end."""
    return hashlib.sha256(with_crlf(mail)).hexdigest()


class Fate(StrEnum):
    """What became of a user."""

    OPEN = "open"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Tally:
    """What became of a user's messages: *found* is the sum of the four that follow, at the end."""

    user: str
    fate: Fate = Fate.OPEN
    found: int = 0
    copied: int = 0
    """By this migration, however many runs it takes."""
    there: int = 0
    """They lay at the new place already."""
    gone: int = 0
    """Somebody took them away meanwhile."""
    failed: int = 0
    removed: int = 0
    """From the old place, of those that are at the new one."""
    reason: str = ""
    """Of a failure."""

    @property
    def waiting(self) -> int:
        """Of a user who is open: nobody has come to them yet."""
        return self.found - self.copied - self.there - self.gone - self.failed


def sum_of(tallies: Iterable[Tally]) -> Tally:
    """All together, under no name."""
    each = list(tallies)
    return Tally(
        "",
        found=sum(one.found for one in each),
        copied=sum(one.copied for one in each),
        there=sum(one.there for one in each),
        gone=sum(one.gone for one in each),
        failed=sum(one.failed for one in each),
        removed=sum(one.removed for one in each),
    )


class StoreAway(Exception):
    """A store does not answer now: try again later. The text says which, and why."""


class NotTaken(Exception):
    """The new place takes just this message never. The text says why."""


class MigrationUnusable(Exception):
    """The journal of a migration cannot be used. The text says why, and what to do."""


class MigrationInUse(MigrationUnusable):
    """Another process works on that journal just now."""
