"""What the page of faxes needs, beside `parts.Parts`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from vm_ari.domain.fax_orders import FaxLimits
from vm_ari.ports.fax_sending import Printed
from vm_ari.services.fax_ordering import FaxOrdering
from vm_ari.web.door import needed_part
from vm_ari.web.parts import Parts
from vm_ari.web.visit import Visit

LARGEST_FORM = 32_000_000
"""Bytes of a form with documents; the site's own limit is judged with the fax."""
PATIENCE = 150.0
"""Seconds for a large document on a slow line; its pages are made then."""
ACCEPTS = ".pdf,.png,.jpg,.jpeg,.tif,.tiff,.txt,text/plain"


@dataclass(frozen=True)
class FaxParts:
    """One of `Parts.more`; there is none where no faxes are sent."""

    ordering: FaxOrdering
    limits: FaxLimits
    kind_of: Callable[[bytes, str], str | None]
    """Media type of a document, from its content and what it is called; None: cannot be sent."""
    as_pdf: Callable[[Printed], Awaitable[bytes]]
    """Pages, to be looked at."""


def is_offered(parts: Parts) -> bool:
    """Are faxes sent here?"""
    return parts.part(FaxParts) is not None


def fax_parts(visit: Visit) -> FaxParts:
    """Where none are sent there is no such page."""
    return needed_part(visit, FaxParts)
