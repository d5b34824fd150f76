"""What the page of spoken messages needs, beside `parts.Parts`."""

from dataclasses import dataclass
from http import HTTPStatus

from vm_ari.services.spoken_ordering import SpokenOrdering
from vm_ari.web.door import Refusal
from vm_ari.web.parts import Parts
from vm_ari.web.visit import Visit


@dataclass(frozen=True)
class SpokenParts:
    """One of `Parts.more`; there is none where no messages are spoken."""

    ordering: SpokenOrdering


def is_offered(parts: Parts) -> bool:
    """Are messages spoken here?"""
    return any(isinstance(one, SpokenParts) for one in parts.more)


def spoken_parts(visit: Visit) -> SpokenParts:
    """Where none are there is no such page."""
    if (parts := visit.part(SpokenParts)) is None:
        raise Refusal(HTTPStatus.NOT_FOUND, "not-there")
    return parts
