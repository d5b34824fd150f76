"""The mass reset (WELCOME-06): the welcome mail leaves again for everybody, after a look first."""

import asyncio
from http import HTTPStatus

from starlette.responses import Response

from vm_ari.domain.mass_reset import JournalUnusable, Order, Outcome
from vm_ari.domain.portal_rights import Role
from vm_ari.services.mass_reset import MassReset, Preview, preview, sending
from vm_ari.services.mass_work import Progress
from vm_ari.web.admin_parts import AdminParts, ResetJournal, admin_parts, said, scoped_users
from vm_ari.web.page import Page, Scope
from vm_ari.web.visit import Visit

KIND = "reset"


async def show(visit: Visit) -> Response:
    """What can be ordered, and how far a run is."""
    return _shown(visit)


async def change(visit: Visit) -> Response:
    """First say who is meant; with that number typed, begin."""
    parts, order = admin_parts(visit), _order(visit)
    if parts.welcome is None or not parts.welcome.rules.enabled:
        return _shown(visit, error=visit.words("account.outcome.switched-off"))
    found = await meant(visit, order, visit.typed("organisation"))
    typed = visit.typed("count").strip()
    if visit.typed("do") != "begin":
        return _shown(visit, found=found, order=order)
    if typed != str(len(found.users)) or not found.users:
        error = visit.words("resets.other-count", count=len(found.users))
        return _shown(visit, found=found, order=order, error=error)
    return await _begun(visit, parts, found, order)


async def meant(visit: Visit, order: Order, organisation: str) -> Preview:
    """Whom it is about: everybody whom the visitor may see, or those of one organisation."""
    desk = scoped_users(visit)
    entries = list(await desk.register.all_entries())
    if organisation:
        entries = [one for one in entries if one.organisation == organisation]
    return preview(entries, order, desk.house.allowed_failures)


async def _begun(visit: Visit, parts: AdminParts, found: Preview, order: Order) -> Response:
    if error := await begin(visit, parts, found, order):
        return _shown(visit, error=error)
    return await said(visit, "resets.begun", "/resets")


async def begin(visit: Visit, parts: AdminParts, found: Preview, order: Order) -> str:
    """It goes on beside the page; says why not, or nothing."""
    if parts.work.is_busy:
        return visit.words("user-defaults.busy")
    try:
        journal = await asyncio.to_thread(parts.new_journal, order, found.users)
    except JournalUnusable as error:
        return f"{visit.words('resets.no-journal')} {error}"
    progress = Progress(KIND, visit.me.entry.id, len(found.users), journal=journal.name)

    async def work(now: Progress) -> None:
        try:
            await _reset(visit, parts, journal, order, now)
        finally:
            journal.close()
            parts.users.changed()

    if not parts.work.start(progress, work):
        journal.close()
        return visit.words("user-defaults.busy")
    return ""


async def _reset(
    visit: Visit, parts: AdminParts, journal: ResetJournal, order: Order, now: Progress
) -> None:
    """The one of the command line, with its journal."""
    register, welcome = scoped_users(visit).register, parts.welcome
    assert welcome
    post = sending(welcome, visit.parts.directory) if order.now else None
    reset = MassReset(register, journal, order, visit.parts.clock, post=post)

    def advance(count: int) -> None:
        now.done += count

    try:
        await reset.run(journal.items, advance)
    finally:
        reset.stop()
        for item in journal.items:
            if item.outcome is Outcome.FAILED:
                now.failed_at(item.user, item.reason)
            now.changed += item.outcome is Outcome.DONE


def _order(visit: Visit) -> Order:
    return Order(
        new_pin=bool(visit.typed("new_pin")),
        unlock=bool(visit.typed("unlock")),
        now=bool(visit.typed("now")),
    )


def _shown(
    visit: Visit,
    *,
    found: Preview | None = None,
    order: Order | None = None,
    error: str = "",
) -> Response:
    return visit.page(
        "resets.html",
        visit.words("resets.title"),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        found=found,
        order=order or Order(),
        error=error,
        organisation=visit.typed("organisation")[:100],
        progress=admin_parts(visit).work.of(visit.me.entry.id),
    )


PAGES = (Page("resets", show, change, role=Role.OPERATOR, scope=Scope.HOUSE, menu=50),)
