"""What this installation is made of, and whether its connections are well (WEB-02)."""

import asyncio
import platform
from collections.abc import Sequence
from http import HTTPStatus

import structlog
from starlette.responses import Response

from vm_ari.domain.portal_rights import Role
from vm_ari.web.admin_parts import Finding, admin_parts
from vm_ari.web.page import Page, Scope
from vm_ari.web.visit import Visit

log = structlog.get_logger("vm_ari.portal")


async def show(visit: Visit) -> Response:
    """Versions and licences."""
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
    return visit.page(
        "system.html",
        visit.words("system.title"),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        error=error,
        findings=findings,
        software=await asyncio.to_thread(parts.software),
        python=platform.python_version(),
        machine=f"{platform.system()} {platform.release()} {platform.machine()}",
        since=parts.started,
        zone=visit.me.user.time_zone,
    )


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
