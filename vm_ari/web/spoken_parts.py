"""What the page of spoken messages needs, beside `parts.Parts`."""

from dataclasses import dataclass

from vm_ari.services.spoken_ordering import SpokenOrdering
from vm_ari.web.door import needed_part
from vm_ari.web.parts import Parts
from vm_ari.web.visit import Visit


@dataclass(frozen=True)
class SpokenParts:
    """One of `Parts.more`; there is none where no messages are spoken."""

    ordering: SpokenOrdering


def is_offered(parts: Parts) -> bool:
    """Are messages spoken here?"""
    return parts.part(SpokenParts) is not None


def spoken_parts(visit: Visit) -> SpokenParts:
    """Where none are there is no such page."""
    return needed_part(visit, SpokenParts)
