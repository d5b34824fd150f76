"""What receiving faxes needs from the outside: small protocols beside `vm_ari.ports`."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from vm_ari.domain.faxes import FaxPages
from vm_ari.domain.messages import CallFacts


@dataclass(frozen=True)
class ArrivedFax:
    """What the dialplan has received, or receives just now."""

    name: str
    """File name of the pages, without directory: it carries the facts of the call."""
    size: int
    """Bytes."""
    modified: datetime
    """UTC, when something was written last."""
    note: str
    """What the dialplan says of it; empty: nothing yet."""


@dataclass(frozen=True)
class PreparedFax:
    """Pages that have been looked at, and are ready to be mailed."""

    pages: FaxPages
    pdf: bytes = b""
    """Empty: it could not be made; the pages themselves are mailed then."""


class FaxSpool(Protocol):
    """Faxes on the disk, until they are messages. Methods raise `SpoolFull`."""

    async def arrived(self) -> Sequence[ArrivedFax]:
        """Oldest first."""
        ...

    def path(self, name: str) -> Path:
        """Where the pages lie."""
        ...

    def id_of(self, name: str) -> str:
        """Under which it becomes a message: always the same."""
        ...

    async def is_kept(self, name: str) -> bool:
        """Is it a message already, only its file has not been erased yet?"""
        ...

    async def prepare(self, name: str) -> PreparedFax:
        """Look at the pages, which are anybody's data. Raises `FaxUnreadable`."""
        ...

    async def keep(self, name: str, facts: CallFacts, *, partial: bool, made: PreparedFax) -> None:
        """Make it a message of the outbox, whole or not at all, and erase what was received."""
        ...

    async def forget(self, name: str) -> None:
        """Erase it: it is kept, or nothing has come."""
        ...

    async def set_aside(self, name: str, reason: str) -> None:
        """Move what tells nothing to where an admin finds it."""
        ...


Recognise = Callable[[Path], Awaitable[str]]
"""The writing on the pages of a TIFF file, as far as a machine can read it; never raises."""
