"""The journal of everybody whom an administrator may act for, and of nobody else (STORE-05, UM-02).

An organisation's administrator sees its users' entries; an operator everybody's, but those of
organisations without an agreement. What was left for nobody is its recipient's alone (STORE-02).
"""

from collections.abc import Container
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import urlencode

import structlog
from starlette.responses import Response

from vm_ari.domain.journal import BadSearch, JournalEntry, Kind, Viewer
from vm_ari.domain.portal_rights import Role
from vm_ari.domain.user_queries import UserQuery
from vm_ari.ports import JournalUnavailable
from vm_ari.services.journal import JournalPage, Journals
from vm_ari.web.admin_parts import admin_parts, seen_organisations
from vm_ari.web.overview_parts import seen_people
from vm_ari.web.page import Page, Scope
from vm_ari.web.pages.journal import PAGE, Asked, asked_in
from vm_ari.web.user_parts import UserParts, kept
from vm_ari.web.visit import Visit, own_address

log = structlog.get_logger("vm_ari.portal")

MOST_PEOPLE = 500
"""Of one organisation, whose entries are shown together; of larger ones a user is chosen.

With 2,000 of them a page took a quarter of a second (`bench.portal`, a million entries).
"""
_PAGES_WITHOUT = 10
"""So many pages with nothing to be seen on them are passed over at once."""


async def show(visit: Visit) -> Response:
    """What happened, the newest first."""
    asked, whom = asked_in(visit), visit.request.query_params.get("user", "")[:256]
    page, error = await _found(visit, asked, whom)
    people = await seen_people(visit, {one.user_id for one in page.entries} if page else ())
    link = {**asked.texts, "user": whom, "after": page.older} if page and page.older else {}
    return visit.page(
        "journal.html",
        visit.words("journal.house-title"),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if error and asked.is_search else HTTPStatus.OK,
        page=page,
        typed=asked.texts,
        kinds=tuple(Kind),
        older=urlencode(link),
        first=not asked.after,
        error=error,
        searched=asked.is_search or bool(whom),
        house=True,
        whom=whom,
        here="/journal",
        zone=visit.me.user.time_zone,
        people={key: (one.name or key, own_address("journal", key)) for key, one in people.items()},
        kept=kept(visit),
    )


async def _found(visit: Visit, asked: Asked, whom: str) -> tuple[JournalPage | None, str]:
    """A page, or why there is none."""
    parts = visit.part(UserParts)
    journals = parts.journals if parts else None
    if journals is None:
        return None, ""
    viewer = await viewer_for(visit, whom)
    if viewer is None:
        return JournalPage(()), visit.words("journal.too-many", most=MOST_PEOPLE)
    try:
        return await _visible(visit, journals, viewer, asked, whom), ""
    except BadSearch:
        return JournalPage(()), visit.words("journal.bad-search")
    except JournalUnavailable as error:
        log.warning("journal not searched", by=visit.me.entry.id, reason=str(error))
        return None, ""


async def viewer_for(visit: Visit, whom: str) -> Viewer | None:
    """For one user or (empty) all; None: there are more people than can be shown together."""
    me = visit.me.entry.id
    if visit.role >= Role.OPERATOR:
        return Viewer(me, everybody=True)
    if whom:
        return Viewer(me, frozenset(await seen_people(visit, [whom])))
    query = UserQuery(seen_organisations(visit), most=MOST_PEOPLE + 1)
    people = await admin_parts(visit).users.page(query)
    if len(people) > MOST_PEOPLE:
        return None
    return Viewer(me, frozenset(one.id for one in people))


async def _visible(
    visit: Visit, journals: Journals, viewer: Viewer, asked: Asked, whom: str
) -> JournalPage:
    """A page without what the visitor must not see. Raises `BadSearch`, `JournalUnavailable`."""
    search, after = asked.search(whom, visit.me.user.time_zone), asked.after
    page = JournalPage(())
    for _ in range(_PAGES_WITHOUT):
        page = await journals.entries_for(viewer, search, after=after, limit=PAGE)
        seen = await seen_people(visit, {one.user_id for one in page.entries})
        shown = tuple(one for one in page.entries if is_seen(visit, one, seen))
        page, after = replace(page, entries=shown), page.older
        if shown or not after:
            break
    return page


def is_seen(visit: Visit, entry: JournalEntry, seen: Container[str]) -> bool:
    """Nobody's entries are an operator's business, such as calls to numbers that nobody has."""
    if not entry.user_id:
        return visit.role >= Role.OPERATOR
    return entry.user_id in seen


PAGES = (Page("journal", show, role=Role.ADMINISTRATOR, scope=Scope.HOUSE, menu=27),)
