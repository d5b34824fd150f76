"""What an operation of the API is: its address, who may use it, what it takes and answers."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TypeVar

from pydantic import BaseModel
from starlette.responses import Response

from vm_ari.domain.portal_rights import Feature, Role
from vm_ari.web.api.models import Asked, Given
from vm_ari.web.api.problems import not_there
from vm_ari.web.page import PATIENCE, Page, Scope
from vm_ari.web.visit import Visit, read_id

M = TypeVar("M", bound=BaseModel)

PREFIX = "/api/v1"
OWN, ACTING, HOUSE = "/me", "/admin/users/{user}", "/admin"
MOST_BYTES = 64_000
"""Of a body, where the operation says nothing else."""
LONGEST_PART = 400
"""Characters of one part of an address."""


@dataclass(frozen=True)
class Ask:
    """What a handler gets: a visit that is allowed, and what was sent, as models."""

    visit: Visit
    body: BaseModel | None = None
    query: BaseModel | None = None

    def given(self, model: type[M]) -> M:
        """The body."""
        assert isinstance(self.body, model)
        return self.body

    def asked(self, model: type[M]) -> M:
        """The parameters."""
        assert isinstance(self.query, model)
        return self.query

    async def fresh(self) -> "Ask":
        """The same, with the owner as the directory has him now.

        Raises `Problem`, `DirectoryUnavailable`.
        """
        visit = self.visit
        if visit.owned is None:
            return self
        entry = await visit.parts.users.register.entry_by_id(visit.owner.id)
        if entry is None:
            raise not_there("user")
        owned = (entry, await visit.parts.user_of(entry))
        return replace(self, visit=replace(visit, owned=owned))

    def part(self, name: str) -> str:
        """A part of the address; empty for one that can name nothing."""
        text = read_id(str(self.visit.request.path_params[name])[:LONGEST_PART])
        return text if text.isprintable() else ""


Answer = BaseModel | Response
Handler = Callable[[Ask], Awaitable[Answer]]


@dataclass(frozen=True)
class Operation:
    """One method of one address."""

    name: str
    """Its operationId."""
    method: str
    path: str
    """Below that of its scope, without a slash at the beginning; may hold ``{names}``."""
    handle: Handler
    says: str
    """One line of what it does."""
    answer: type[BaseModel] | None = None
    """None: no content, or something else than JSON (`media`)."""
    status: int = 200
    takes: type[Given] | None = None
    """The body."""
    asks: type[Asked] | None = None
    """The parameters of the address."""
    role: Role = Role.USER
    """The lowest that may use it; under ``/admin/users`` at least an administrator."""
    scope: Scope = Scope.OWN
    feature: Feature | None = None
    """What users change here; where the site does not let them, only who acts for them can."""
    state: Handler | None = None
    """What it shows or changes, as a model: its ETag is that of the answer."""
    needs_match: bool = False
    """A change only with If-Match: whoever has not seen the present state would undo others'."""
    media: str = ""
    """Of an answer that is not JSON."""
    sends: tuple[str, ...] = ()
    """Media types of a body that is not JSON; the handler reads it."""
    most_bytes: int = MOST_BYTES
    patience: float = PATIENCE
    """Seconds until the program is told to try again."""
    about: str = ""
    """More of what it does, for the description."""

    @cached_property
    def page(self) -> Page:
        """As the door of the pages knows it."""
        return Page(self.path, None, role=self.role, scope=self.scope, feature=self.feature)

    @property
    def changes(self) -> bool:
        """Is something different afterwards?"""
        return self.method != "GET"

    @property
    def addresses(self) -> tuple[tuple[str, bool], ...]:
        """All of them below `PREFIX`, and whether somebody acts for the owner there."""
        below = f"/{self.path}" if self.path else ""
        if self.scope is Scope.HOUSE:
            return ((f"{HOUSE}{below}", False),)
        if self.role > Role.USER:  # nobody does that to himself
            return ((f"{ACTING}{below}", True),)
        return ((f"{OWN}{below}", False), (f"{ACTING}{below}", True))
