"""What waits to be delivered and what was refused for good: seen, and tried again (MAIL-08)."""

from dataclasses import dataclass
from http import HTTPStatus

import structlog
from starlette.responses import Response

from vm_ari.domain.portal_rights import Role
from vm_ari.ports import MailNotQueued, NoticeNotKept, SpoolFull
from vm_ari.services.waiting_list import Waiting
from vm_ari.web.admin_parts import admin_parts, said
from vm_ari.web.page import Page, Scope
from vm_ari.web.visit import Visit, own_address

log = structlog.get_logger("vm_ari.portal")

MOST_SHOWN = 200
_UNREADABLE = (SpoolFull, MailNotQueued, NoticeNotKept)


@dataclass(frozen=True)
class Row:
    """One thing, as far as the visitor may know of it."""

    one: Waiting
    whom: str
    """Empty: of an organisation whose data the visitor may not process."""
    address: str
    """Of the user's account; empty: none may be seen."""


async def show(visit: Visit) -> Response:
    """The list."""
    return await _shown(visit)


async def release(visit: Visit) -> Response:
    """Try again what was refused: one of them, or all."""
    key, everything = visit.typed("key"), bool(visit.typed("all"))
    waiting = admin_parts(visit).waiting
    try:
        listed = await waiting.all()
        held = [one for one in listed.things if one.held and (everything or one.key == key)]
        for one in held:
            await waiting.release(one)
    except _UNREADABLE as error:
        log.error("nothing released", reason=str(error))
        return await _shown(visit, visit.words("forms.not-stored"))
    log.info("released by portal", by=visit.me.entry.id, things=[one.key for one in held][:20])
    return await said(visit, "queue.released" if held else "queue.gone", "/queue")


async def _shown(visit: Visit, error: str = "") -> Response:
    listed = await admin_parts(visit).waiting.all()
    if listed.unreadable:
        log.warning("not all that waits can be read", reasons=list(listed.unreadable.values()))
    return visit.page(
        "queue.html",
        visit.words("queue.title"),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        error=error,
        rows=[await row_of(visit, one) for one in listed.things[:MOST_SHOWN]],
        more=max(0, len(listed.things) - MOST_SHOWN),
        held=sum(one.held for one in listed.things),
        unreadable=listed.unreadable,
    )


async def row_of(visit: Visit, one: Waiting) -> Row:
    """As far as the visitor may know of it. Raises `DirectoryUnavailable`."""
    if not one.user_id:
        return Row(one, one.called, "")
    entry = await visit.parts.users.register.entry_by_id(one.user_id)
    if entry is None:
        return Row(one, one.user_id, "")
    if not visit.may_act_in(entry.organisation):
        return Row(one, "", "")
    return Row(one, entry.name or entry.id, own_address("account", entry.id))


PAGES = (Page("queue", show, release, role=Role.OPERATOR, scope=Scope.HOUSE, menu=40),)
