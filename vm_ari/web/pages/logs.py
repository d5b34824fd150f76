"""The program's own log, filtered and read from its end; its level for a while (OPS-02, WEB-02)."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from http import HTTPStatus
from urllib.parse import urlencode

import structlog
from starlette.responses import PlainTextResponse, Response

from vm_ari.domain.log_lines import LogKind, LogLine, LogPage, LogQuery
from vm_ari.domain.portal_rights import Role
from vm_ari.ports import LogsUnavailable
from vm_ari.web.admin_parts import said
from vm_ari.web.overview_parts import overview_parts, seen_people
from vm_ari.web.page import Page, Scope
from vm_ari.web.visit import Visit

log = structlog.get_logger("vm_ari.portal")

ADDRESS = "/logs"
ON_A_PAGE = 100
DOWNLOADED = 5_000
"""Lines of a file."""
LONGEST = 200
LEVELS = ("debug", "info", "warning", "error")
MINUTES = (5, 15, 60, 240)
_FIELDS = ("kind", "level", "text", "user", "call")


@dataclass(frozen=True)
class Shown:
    """Lines that the visitor may see."""

    lines: Sequence[LogLine] = ()
    hidden: int = 0
    """Lines about users of organisations whose data he may not process."""
    older: str = ""
    error: str = ""


async def show(visit: Visit) -> Response:
    """The newest lines, or those before."""
    asked = visit.request.query_params
    typed = {key: asked.get(key, "")[:LONGEST].strip() for key in _FIELDS}
    shown = await _found(visit, query_of(typed), asked.get("after", "")[:400], ON_A_PAGE)
    level, until = await asyncio.to_thread(overview_parts(visit).level.present)
    given = {key: text for key, text in typed.items() if text}
    return visit.page(
        "logs.html",
        visit.words("logs.title"),
        status=HTTPStatus.SERVICE_UNAVAILABLE if shown.error else HTTPStatus.OK,
        shown=shown,
        typed=typed,
        kinds=tuple(LogKind),
        levels=LEVELS,
        minutes=MINUTES,
        level=level,
        until=until,
        older=urlencode({**given, "after": shown.older}) if shown.older else "",
        download=urlencode(given),
        first=not asked.get("after"),
        zone=visit.me.user.time_zone,
    )


async def change(visit: Visit) -> Response:
    """Another level for some minutes, or the usual one again."""
    wanted, minutes = visit.typed("level"), visit.typed("minutes")
    control = overview_parts(visit).level
    try:
        if wanted in LEVELS and minutes in {str(one) for one in MINUTES}:
            until = visit.parts.clock.now() + timedelta(minutes=int(minutes))
            await asyncio.to_thread(control.wish, wanted, until)
        else:
            wanted = ""
            await asyncio.to_thread(control.forget)
    except OSError as error:
        log.error("log level not changed", reason=error.strerror)
        return await said(visit, "logs.level-stays", ADDRESS)
    log.info("log level wished", by=visit.me.entry.id, to=wanted or "usual")
    return await said(visit, "logs.level-changed" if wanted else "logs.level-usual", ADDRESS)


async def download(visit: Visit) -> Response:
    """As many lines as one look goes back, in the order in which they were written."""
    asked = visit.request.query_params
    query = query_of({key: asked.get(key, "")[:LONGEST].strip() for key in _FIELDS})
    shown = await _found(visit, query, "", DOWNLOADED)
    if shown.error:
        return PlainTextResponse(shown.error, HTTPStatus.SERVICE_UNAVAILABLE)
    text = "".join(f"{line.raw}\n" for line in reversed(shown.lines))
    name = f"vm-ari-{visit.parts.clock.now():%Y%m%dT%H%M%SZ}.log"
    log.info("log downloaded", by=visit.me.entry.id, lines=len(shown.lines))
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return PlainTextResponse(text, headers=headers)


def query_of(typed: Mapping[str, str]) -> LogQuery:
    """What was asked for; a kind or level that there is not asks for all."""
    kind, level = typed["kind"], typed["level"]
    return LogQuery(
        kind=LogKind(kind) if kind in set(LogKind) else None,
        level=level if level in LEVELS else "",
        text=typed["text"],
        user=typed["user"],
        call=typed["call"],
    )


async def _found(visit: Visit, query: LogQuery, after: str, limit: int) -> Shown:
    try:
        page = await overview_parts(visit).logs.newest(query, after=after, limit=limit)
    except LogsUnavailable as error:
        log.warning("log not read", reason=str(error))
        return Shown(error=str(error))
    return await _seen(visit, page)


async def _seen(visit: Visit, page: LogPage) -> Shown:
    """Without lines that name a user whom the visitor may not see."""
    named = {line.user_id for line in page.lines if line.user_id}
    known = await overview_parts(visit).people.of(named)
    hidden = known.keys() - (await seen_people(visit, named)).keys()
    lines = [line for line in page.lines if line.user_id not in hidden]
    lines = [replace(line, facts=line.facts[:30]) for line in lines]
    return Shown(lines, len(page.lines) - len(lines), page.older)


PAGES = (
    Page("logs", show, change, role=Role.OPERATOR, scope=Scope.HOUSE, menu=58),
    Page("logs/download", download, role=Role.OPERATOR, scope=Scope.HOUSE),
)
