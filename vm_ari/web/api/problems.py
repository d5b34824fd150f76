"""What went wrong, as programs and people read it (RFC 9457)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from pydantic import Field, ValidationError
from starlette.responses import Response

from vm_ari.web.api.models import LONGEST_LINE, Told

MEDIA_TYPE = "application/problem+json"
_MOST_FAULTS = 20


class Fault(Told):
    """One thing that is wrong with what was sent."""

    where: str = Field(description="Such as body.numbers.0 or query.limit.")
    what: str


class ProblemTold(Told):
    """RFC 9457: why something was not done, where the fault is, and what to do."""

    type: str = Field(description="The address of its description: /api#<code>.")
    title: str
    status: int
    code: str = Field(description="For programs: one short name for each kind of problem.")
    detail: str = Field(description="What happened, and what to do.")
    where: str = Field(default="", description="Which part of the request; empty: all of it.")
    faults: list[Fault] = Field(default_factory=list)


CODES: Mapping[str, tuple[HTTPStatus, str]] = {
    "no-token": (HTTPStatus.UNAUTHORIZED, "No token"),
    "bad-token": (HTTPStatus.UNAUTHORIZED, "Token not good"),
    "forbidden": (HTTPStatus.FORBIDDEN, "Not allowed"),
    "no-right": (HTTPStatus.FORBIDDEN, "Beyond what the user may send"),
    "over-limit": (HTTPStatus.FORBIDDEN, "Enough for today"),
    "not-yours": (HTTPStatus.FORBIDDEN, "Not for you"),
    "read-only-token": (HTTPStatus.FORBIDDEN, "This token only reads"),
    "fixed": (HTTPStatus.FORBIDDEN, "Reserved for administrators"),
    "not-there": (HTTPStatus.NOT_FOUND, "Not there"),
    "wrong-method": (HTTPStatus.METHOD_NOT_ALLOWED, "Not possible here"),
    "needs-code": (HTTPStatus.FORBIDDEN, "Only with a code: see mail-address"),
    "taken": (HTTPStatus.CONFLICT, "Belongs to somebody else"),
    "busy": (HTTPStatus.CONFLICT, "Something else runs"),
    "full": (HTTPStatus.CONFLICT, "No package is left"),
    "directory-read-only": (HTTPStatus.CONFLICT, "The directory takes no changes"),
    "switched-off": (HTTPStatus.CONFLICT, "Switched off"),
    "changed-meanwhile": (HTTPStatus.PRECONDITION_FAILED, "Changed meanwhile"),
    "needs-if-match": (HTTPStatus.PRECONDITION_REQUIRED, "If-Match is missing"),
    "too-large": (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Too large"),
    "wrong-type": (HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Wrong content type"),
    "unreadable": (HTTPStatus.BAD_REQUEST, "Not understood"),
    "invalid": (HTTPStatus.UNPROCESSABLE_ENTITY, "Not possible"),
    "too-many": (HTTPStatus.TOO_MANY_REQUESTS, "Too many requests"),
    "away": (HTTPStatus.SERVICE_UNAVAILABLE, "Not possible just now"),
    "broken": (HTTPStatus.INTERNAL_SERVER_ERROR, "A fault of the portal"),
}
"""Every kind of problem: its status and its title."""


class Problem(Exception):
    """A request is not fulfilled; the *detail* is for people."""

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        where: str = "",
        faults: Sequence[Fault] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.where = where
        self.faults = list(faults)
        self.headers = dict(headers or {})


def not_there(what: str) -> Problem:
    """Of something that the address names; what belongs to others looks alike."""
    return Problem("not-there", f"There is no such {what} (any more).")


def invalid(where: str, what: str) -> Problem:
    """One thing that was sent cannot be taken."""
    return Problem("invalid", what, where=where, faults=[Fault(where=where, what=what)])


def answer_to(problem: Problem) -> Response:
    """As it is sent."""
    status, title = CODES[problem.code]
    told = ProblemTold(
        type=f"/api#{problem.code}",
        title=title,
        status=status,
        code=problem.code,
        detail=problem.detail,
        where=problem.where,
        faults=problem.faults,
    )
    return Response(told.model_dump_json(), status, problem.headers, MEDIA_TYPE)


def of_validation(error: ValidationError, part: str) -> Problem:
    """What is wrong with a body or with parameters; what was sent is not repeated."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    faults = [
        Fault(where=_place(part, one["loc"]), what=one["msg"][:LONGEST_LINE])
        for one in found[:_MOST_FAULTS]
    ]
    first = faults[0]
    return Problem("invalid", f"{first.where}: {first.what}", where=first.where, faults=faults)


def _place(part: str, where: tuple[int | str, ...]) -> str:
    """Names of fields that nobody knows are the sender's own words: shortened."""
    words = (str(one)[:60] for one in where)
    return ".".join((part, *(word if word.isprintable() else "?" for word in words)))
