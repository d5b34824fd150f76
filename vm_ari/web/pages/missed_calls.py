"""Calls that nobody answered: which phones rang, who was told of it, and why others were not."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import urlencode

import structlog
from starlette.responses import Response

from vm_ari.domain.missed_call_records import Record
from vm_ari.domain.portal_rights import Role
from vm_ari.ports import CallLogUnavailable
from vm_ari.web.overview_parts import overview_parts, seen_people, sees_nobodys
from vm_ari.web.overview_scope import TooMany, found_people, people_at_once
from vm_ari.web.page import Page, Scope
from vm_ari.web.visit import Visit, own_address, read_id, written_id

log = structlog.get_logger("vm_ari.portal")

ON_A_PAGE = 30


@dataclass(frozen=True)
class Fate:
    """What came of a call for one user whom the visitor may see."""

    whom: str
    address: str
    outcome: str


@dataclass(frozen=True)
class Row:
    """One call."""

    record: Record
    fates: Sequence[Fate]


async def show(visit: Visit) -> Response:
    """The newest; of one user with ``?user=<id>``, from a time on backwards with ``?before=``."""
    asked = visit.request.query_params
    user_id = read_id(asked.get("user", "")[:300])
    chosen = (await seen_people(visit, [user_id])).get(user_id)
    typed, found = await found_people(visit)
    rows, older, complaint = await _rows(
        visit, user_id if chosen else "", _time(asked.get("before", ""))
    )
    return visit.page(
        "missed-calls.html",
        visit.words("missed-calls.title"),
        status=HTTPStatus.SERVICE_UNAVAILABLE if complaint == "away" else HTTPStatus.OK,
        rows=rows,
        older=urlencode({**({"user": written_id(user_id)} if chosen else {}), "before": older})
        if older
        else "",
        first="before" not in asked,
        complaint=complaint,
        chosen=chosen,
        typed=typed,
        found=[(one, f"/missed-calls?{urlencode({'user': written_id(one.id)})}") for one in found],
        followed=overview_parts(visit).calls_are_followed,
    )


async def _rows(
    visit: Visit, user_id: str, before: datetime | None
) -> tuple[Sequence[Row], str, str]:
    """A page, where the next one begins, and what is in the way: ``away``, ``too-many``."""
    book = overview_parts(visit).missed
    try:
        people = frozenset({user_id}) if user_id else await people_at_once(visit)
        found = await book.records(user_ids=people, before=before, most=ON_A_PAGE + 1)
    except TooMany:
        return (), "", "too-many"
    except CallLogUnavailable as error:
        log.warning("missed calls not read", reason=str(error))
        return (), "", "away"
    older = found[ON_A_PAGE - 1].call.began.isoformat() if len(found) > ON_A_PAGE else ""
    return await _seen(visit, found[:ON_A_PAGE], user_id), older, ""


async def _seen(visit: Visit, found: Sequence[Record], user_id: str) -> Sequence[Row]:
    """Of each call, what the visitor may know: calls of others alone are left out."""
    known = await seen_people(visit, (fate.user_id for one in found for fate in one.fates))
    rows = []
    for record in found:
        fates = [
            Fate(entry.name or entry.id, own_address("account", entry.id), fate.outcome.value)
            for fate in record.fates
            if (entry := known.get(fate.user_id)) and user_id in {"", fate.user_id}
        ]
        nobodys = not record.fates and sees_nobodys(visit)
        if fates or nobodys:
            rows.append(Row(record, fates))
    return rows


def _time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text[:40])
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


PAGES = (Page("missed-calls", show, role=Role.ADMINISTRATOR, scope=Scope.HOUSE, menu=43),)
