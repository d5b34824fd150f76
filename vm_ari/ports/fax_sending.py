"""What sending faxes needs of the outside world: small protocols by role (UM-04)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Protocol

from vm_ari.domain.dialling import Allowed
from vm_ari.domain.fax_orders import Ending, FaxLimits, FaxOrder
from vm_ari.domain.users import User
from vm_ari.ports.orders import Orders


class Unprintable(Exception):
    """A document has no pages that can be sent, or too many. The text says why."""


@dataclass(frozen=True)
class Paper:
    """A document that is to be sent, as it came: anybody's."""

    media_type: str
    content: bytes = field(repr=False)
    name: str = ""


@dataclass(frozen=True)
class FaxLetter:
    """What of a mail is sent: its documents, and what is written around them."""

    papers: Sequence[Paper]
    subject: str = ""
    text: str = ""


@dataclass(frozen=True)
class Printed:
    """The pages of a fax, without what stands above each."""

    tiff: bytes = field(repr=False)
    pages: int


class Progress(Enum):
    """How a call goes."""

    RINGING = "ringing"
    CONNECTED = "connected"
    OVER = "over"


@dataclass(frozen=True)
class FaxCall:
    """One call that is to be made."""

    id: str
    """Of the call; nobody has used it before."""
    number: Allowed
    tiff: bytes = field(repr=False)
    pages: int
    """So many are in the file."""
    sender: str
    """Number that the other side is shown; empty for none."""
    name: str
    """The same of the person."""


class FaxOrders(Orders[FaxOrder], Protocol):
    """Faxes, with their documents; somebody may begin one anew, too."""

    async def add(self, order: FaxOrder, papers: Sequence[Paper]) -> bool:
        """Keep it with its documents; False: it is known already."""
        ...

    async def reopen(self, order: FaxOrder) -> bool:
        """Begin one anew that was over; False: somebody has done so."""
        ...

    async def papers(self, order_id: str) -> Sequence[Paper]:
        """Its documents; none where they are gone."""
        ...

    async def keep_pages(self, order_id: str, pages: Printed) -> None:
        """The pages that were made of them."""
        ...

    async def pages(self, order_id: str) -> Printed | None:
        """The same; None: they are not made yet."""
        ...


class FaxPrinter(Protocol):
    """Makes pages. Methods raise `Unprintable`."""

    async def body(
        self, papers: Sequence[Paper], order: FaxOrder, user: User, limits: FaxLimits
    ) -> Printed:
        """Cover page and documents."""
        ...

    async def sheets(self, printed: Printed, order: FaxOrder, user: User, now: datetime) -> Printed:
        """What goes over the line now: with the first line, from the first missing page on."""
        ...


class FaxLine(Protocol):
    """Makes the calls. Methods raise `LineAway`."""

    async def call(self, call: FaxCall) -> None:
        """Begin; what comes of it, the other methods tell, also in another life of ours."""
        ...

    async def progress(self, call_id: str) -> Progress:
        """How it goes."""
        ...

    async def ending(self, call_id: str) -> Ending:
        """How a call ended that is over."""
        ...

    async def hang_up(self, call_id: str) -> None:
        """End it."""
        ...

    async def forget(self, call_id: str) -> None:
        """Remove what it has left behind."""
        ...

    async def sweep(self, known: Collection[str]) -> None:
        """The same of all calls of long ago but these."""
        ...
