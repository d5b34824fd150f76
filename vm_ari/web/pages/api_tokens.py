"""Tokens of the JSON API: made, seen once, listed, revoked; and the description of the API."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

import structlog
from starlette.responses import Response

from vm_ari.domain.api_tokens import (
    LONGEST_NAME,
    USUAL_DAYS,
    ApiToken,
    BadToken,
    Scope,
    possible_scopes,
)
from vm_ari.domain.portal_rights import Feature, Role
from vm_ari.web.api.openapi import GROUPS, document
from vm_ari.web.api.operation import PREFIX
from vm_ari.web.api.parts import ApiParts, api_parts
from vm_ari.web.api.problems import CODES
from vm_ari.web.door import problem
from vm_ari.web.page import Page
from vm_ari.web.page import Scope as Whose
from vm_ari.web.parts import Parts
from vm_ari.web.visit import Visit

log = structlog.get_logger("vm_ari.portal")

DAYS = (7, 30, USUAL_DAYS, 365)
"""How long a token can be good, to choose from."""


@dataclass(frozen=True)
class Described:
    """One operation, as the page shows it."""

    method: str
    address: str
    summary: str
    details: str
    parameters: tuple[str, ...]


async def show(visit: Visit) -> Response:
    """Those that there are, and a form for a new one."""
    return await _shown(visit)


async def change(visit: Visit) -> Response:
    """Make one."""
    api = api_parts(visit.parts)
    return await _make(visit, api) if api else _off(visit)


async def revoke(visit: Visit) -> Response:
    """It ends at once; whatever the site reserves, this is always possible."""
    api, gone = api_parts(visit.parts), visit.typed("token")[:40]
    if api is None:
        return _off(visit)
    if await api.tokens.revoke(visit.owner.id, gone):
        log.info("token revoked", user=visit.owner.id, by=visit.me.entry.id, token=gone)
    return await visit.done("api-tokens.saved", "api-tokens")


async def reference(visit: Visit) -> Response:
    """What the API can do, for people; `openapi.json` is for programs."""
    if api_parts(visit.parts) is None:
        return _off(visit)
    return visit.page(
        "api.html",
        visit.words("api.title"),
        groups=_groups(),
        codes=[(code, int(status), title) for code, (status, title) in CODES.items()],
        description=f"{PREFIX}/openapi.json",
        base=visit.parts.settings.base_url(),
    )


def is_offered(parts: Parts) -> bool:
    """Is the API switched on?"""
    return api_parts(parts) is not None


async def _make(visit: Visit, api: ApiParts) -> Response:
    """Only by the owner, and only shortly after signing in: a token outlives a session."""
    if visit.acting:
        return await _shown(visit, "own-only")
    if not visit.parts.sessions.is_fresh(visit.me.session):
        return await _shown(visit, "sign-in-again")
    scope, days = _scope(visit), visit.typed("days")
    if scope is None or days not in {str(one) for one in DAYS}:
        return await _shown(visit, "scope")
    try:
        text, token = await api.tokens.make(visit.owner.id, visit.typed("name"), scope, int(days))
    except BadToken as error:
        log.info("no token made", user=visit.owner.id, reason=str(error))
        there = await api.tokens.of(visit.owner.id)
        return await _shown(visit, "many" if visit.typed("name").strip() and there else "name")
    log.info("token made", user=visit.owner.id, token=token.id, scope=scope.words)
    return await _shown(visit, made=text)


def _scope(visit: Visit) -> Scope | None:
    """The one that was chosen, of those that are possible."""
    wanted, read_only = visit.typed("scope"), bool(visit.typed("read_only"))
    found = next((one for one in _possible(visit) if one.words == wanted), None)
    return Scope(found.reach, found.organisation, read_only) if found else None


def _possible(visit: Visit) -> tuple[Scope, ...]:
    return possible_scopes(visit.parts.rights, visit.owner.id)


async def _shown(visit: Visit, why: str = "", made: str = "") -> Response:
    api = api_parts(visit.parts)
    if api is None:
        return _off(visit)
    tokens: Sequence[ApiToken] = await api.tokens.of(visit.owner.id)
    return visit.page(
        "api-tokens.html",
        visit.words("api-tokens.title"),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if why else HTTPStatus.OK,
        tokens=tokens,
        scopes=_possible(visit),
        days=DAYS,
        usual=int(visit.typed("days")) if visit.typed("days") in map(str, DAYS) else USUAL_DAYS,
        longest=LONGEST_NAME,
        made=made,
        why=why,
        typed=visit.typed("name")[:LONGEST_NAME] if why else "",
        zone=visit.user.time_zone,
    )


def _groups() -> list[tuple[str, list[Described]]]:
    """The operations under their headings."""
    found: dict[str, list[Described]] = {}
    for address, methods in document()["paths"].items():
        for method, one in methods.items():
            group = one["tags"][0]
            wanted = tuple(each["name"] for each in one["parameters"] if each["in"] == "query")
            found.setdefault(group, []).append(
                Described(
                    method.upper(),
                    f"{PREFIX}{address}",
                    one["summary"],
                    one["description"],
                    wanted,
                )
            )
    return [(group, found[group]) for group in GROUPS]


def _off(visit: Visit) -> Response:
    return problem(visit, HTTPStatus.NOT_FOUND, "not-there")


PAGES = (
    Page("api-tokens", show, change, feature=Feature.API_TOKENS, menu=98, offered=is_offered),
    Page("api-tokens/revoke", None, revoke),
    Page("api", reference, role=Role.ANYONE, scope=Whose.HOUSE),
)
