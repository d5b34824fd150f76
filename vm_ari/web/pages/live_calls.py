"""The calls that go on, who hears what and why; and ending one (WEB-02)."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

import structlog
from starlette.responses import Response

from vm_ari.domain.live_calls import LiveCall, Node
from vm_ari.domain.portal_rights import Role
from vm_ari.ports import LiveCallsUnavailable
from vm_ari.web.admin_parts import said
from vm_ari.web.overview_parts import overview_parts, seen_people, sees_nobodys
from vm_ari.web.page import Page, Scope
from vm_ari.web.visit import Visit, own_address

log = structlog.get_logger("vm_ari.portal")

ADDRESS = "/live-calls"
LONGEST_ID = 300


@dataclass(frozen=True)
class Row:
    """One call that the visitor may see."""

    call: LiveCall
    whom: str
    """Whose mailbox it is; empty: nobody's, or not known yet."""
    address: str
    """Of that user's account; empty: none."""
    seconds: int


@dataclass(frozen=True)
class Seen:
    """What there is at one moment."""

    rows: Sequence[Row] = ()
    hidden: int = 0
    """Calls of users whom the visitor may not see."""
    nodes: Sequence[Node] = ()
    away: bool = False
    """It cannot be found out just now."""


async def show(visit: Visit) -> Response:
    """The list; with ``?end=<id>`` the question whether that call shall end."""
    seen = await _seen(visit)
    asked = visit.request.query_params.get("end", "")[:LONGEST_ID]
    chosen = next((row for row in seen.rows if row.call.id == asked), None)
    gone = bool(asked) and chosen is None and not seen.away
    return visit.page(
        "live-calls.html",
        visit.words("live-calls.title"),
        seen=seen,
        chosen=chosen,
        gone=gone,
    )


async def refreshed(visit: Visit) -> Response:
    """The list alone, which the page asks for again and again."""
    return visit.page("live-calls-list.html", "", seen=await _seen(visit))


async def end(visit: Visit) -> Response:
    """Let a call end that the visitor may see: asked for on the page before."""
    wanted = visit.typed("call")[:LONGEST_ID]
    seen = await _seen(visit)
    row = next((one for one in seen.rows if one.call.id == wanted), None)
    if row is None:
        return await said(visit, "live-calls.gone", ADDRESS)
    try:
        await overview_parts(visit).calls.end(row.call, visit.me.entry.id)
    except LiveCallsUnavailable as error:
        log.error("call not ended", reason=str(error))
        return visit.page(
            "live-calls.html",
            visit.words("live-calls.title"),
            status=HTTPStatus.SERVICE_UNAVAILABLE,
            seen=Seen(away=True),
            chosen=None,
            gone=False,
        )
    log.info(
        "call to be ended", by=visit.me.entry.id, user=row.call.user_id, ended=row.call.channel
    )
    return await said(visit, "live-calls.ended", ADDRESS)


async def _seen(visit: Visit) -> Seen:
    view = overview_parts(visit).calls
    try:
        nodes, calls = await view.nodes(), await view.calls()
    except LiveCallsUnavailable as error:
        log.warning("calls that go on are not known", reason=str(error))
        return Seen(away=True)
    people = await seen_people(visit, (one.user_id for one in calls))
    now = visit.parts.clock.now()
    rows = []
    for call in calls:
        seconds = max(0, int((now - call.since).total_seconds()))
        if entry := people.get(call.user_id):
            whom, address = entry.name or entry.id, own_address("account", entry.id)
            rows.append(Row(call, whom, address, seconds))
        elif not call.user_id and sees_nobodys(visit):
            rows.append(Row(call, "", "", seconds))
    hidden = len(calls) - len(rows) if sees_nobodys(visit) else 0
    return Seen(rows, hidden, nodes)


PAGES = (
    Page("live-calls", show, end, role=Role.ADMINISTRATOR, scope=Scope.HOUSE, menu=25),
    Page("live-calls/list", refreshed, role=Role.ADMINISTRATOR, scope=Scope.HOUSE, passive=True),
)
