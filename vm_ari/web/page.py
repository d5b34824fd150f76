"""What a page of the portal is: its address, who may open it, and what answers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from starlette.responses import Response

from vm_ari.domain.portal_rights import Feature, Role

if TYPE_CHECKING:
    from vm_ari.web.parts import Parts
    from vm_ari.web.visit import Visit

Handler = Callable[["Visit"], Awaitable[Response]]
PATIENCE = 20.0
MOST_BYTES = 64_000
"""Of what a form sends, where the page says nothing else."""


class Scope(Enum):
    """Whose a page is."""

    OWN = "own"
    """A user's: ``/me/<path>``, and ``/users/<user>/<path>`` for those who act for others."""
    HOUSE = "house"
    """``/<path>``."""


@dataclass(frozen=True)
class Page:
    """One address, and what is done there."""

    path: str
    """Without a slash at the beginning; may hold ``{names}`` as Starlette has them."""
    show: Handler | None
    """GET."""
    change: Handler | None = None
    """POST; the CSRF token has been checked."""
    role: Role = Role.USER
    """The lowest that may open it; on ``/users/…`` it is at least an administrator."""
    scope: Scope = Scope.OWN
    feature: Feature | None = None
    """What users change here; where the site does not let them, they only see it."""
    menu: int = 0
    """Place in the navigation; 0: it is not there."""
    offered: "Callable[[Parts], bool] | None" = None
    """Is it in the navigation here? Some installations have no use for it."""
    passive: bool = False
    """Asked for by the page itself now and then: that keeps no session alive."""
    most_bytes: int = MOST_BYTES
    """Of what is sent."""
    patience: float = PATIENCE
    """Seconds until a visitor is told to try again."""

    @property
    def name(self) -> str:
        """The first part of its path: that of its words."""
        return self.path.partition("/")[0]

    def is_offered(self, parts: "Parts") -> bool:
        """Is it of use with what there is here?"""
        return self.offered is None or self.offered(parts)

    @property
    def methods(self) -> tuple[str, ...]:
        """As HTTP calls them."""
        both = (("GET", self.show), ("POST", self.change))
        return tuple(method for method, handler in both if handler)
