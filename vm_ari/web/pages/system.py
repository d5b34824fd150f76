"""What this installation is made of, and whether it is well: nodes, disks, connections (WEB-02)."""

import asyncio
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

import structlog
from starlette.responses import Response

from vm_ari.domain.live_calls import Node
from vm_ari.domain.portal_rights import Role
from vm_ari.domain.system_facts import QueueFacts
from vm_ari.ports import LiveCallsUnavailable
from vm_ari.web.admin_parts import Finding, admin_parts
from vm_ari.web.overview_parts import overview_parts
from vm_ari.web.page import Page, Scope
from vm_ari.web.visit import Visit

log = structlog.get_logger("vm_ari.portal")


@dataclass(frozen=True)
class NodeRow:
    """A controller that runs, and how many calls it serves."""

    node: Node
    calls: int


async def show(visit: Visit) -> Response:
    """Versions and licences, and what the machine says."""
    return await _shown(visit)


async def examine(visit: Visit) -> Response:
    """As “vm-ari check” does: nothing is changed. One at a time."""
    parts = admin_parts(visit)
    if parts.examining.locked():
        return await _shown(visit, error=visit.words("system.busy"))
    async with parts.examining:
        try:
            found = await parts.examine()
        except Exception as error:
            log.exception("not examined")
            return await _shown(visit, error=f"{visit.words('system.broken')} {error}")
    return await _shown(visit, findings=found)


async def _shown(
    visit: Visit, *, findings: Sequence[Finding] | None = None, error: str = ""
) -> Response:
    parts = admin_parts(visit)
    nodes, queue, facts, software = await asyncio.gather(
        _nodes(visit),
        _queue(visit),
        asyncio.to_thread(overview_parts(visit).facts),
        asyncio.to_thread(parts.software),
    )
    return visit.page(
        "system.html",
        visit.words("system.title"),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        error=error,
        findings=findings,
        nodes=nodes,
        queue=queue,
        facts=facts,
        software=software,
        python=platform.python_version(),
        machine=f"{platform.system()} {platform.release()} {platform.machine()}",
        since=parts.started,
        zone=visit.me.user.time_zone,
    )


async def _nodes(visit: Visit) -> Sequence[NodeRow] | None:
    """None: nobody can say just now."""
    view = overview_parts(visit).calls
    try:
        nodes, calls = await view.nodes(), await view.calls()
    except LiveCallsUnavailable as error:
        log.warning("controllers are not known", reason=str(error))
        return None
    return [NodeRow(one, sum(call.node == one.name for call in calls)) for one in nodes]


async def _queue(visit: Visit) -> QueueFacts:
    things = (await admin_parts(visit).waiting.all()).things
    waiting = [one.since for one in things if not one.held]
    return QueueFacts(len(waiting), len(things) - len(waiting), min(waiting, default=None))


LONGEST_WAIT = 90.0
"""Seconds, for servers that do not answer."""
PAGES = (
    Page(
        "system",
        show,
        examine,
        role=Role.OPERATOR,
        scope=Scope.HOUSE,
        menu=60,
        patience=LONGEST_WAIT,
    ),
)
