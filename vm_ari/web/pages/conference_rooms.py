"""All conferences that go on, for administrators: of the users for whom they may act (UM-04)."""

from starlette.responses import Response

from vm_ari.domain.portal_rights import Role
from vm_ari.web.admin_parts import said
from vm_ari.web.page import Page, Scope
from vm_ari.web.pages.conferences import Where, obeyed, seen
from vm_ari.web.visit import Visit

ADDRESS = "/conference-rooms"
WHERE = Where(f"{ADDRESS}/order", f"{ADDRESS}/live")


async def show(visit: Visit) -> Response:
    """The list."""
    title = visit.words("conference-rooms.title")
    return visit.page("conference-rooms.html", title, seen=await seen(visit), where=WHERE)


async def refreshed(visit: Visit) -> Response:
    """The list alone, which the page asks for again and again."""
    return visit.page("conferences-list.html", "", seen=await seen(visit), where=WHERE)


async def order(visit: Visit) -> Response:
    """What a button of the list wants."""
    return await said(visit, await obeyed(visit), ADDRESS)


_ADMINISTRATOR = Role.ADMINISTRATOR
PAGES = (
    Page("conference-rooms", show, role=_ADMINISTRATOR, scope=Scope.HOUSE, menu=26),
    Page("conference-rooms/live", refreshed, role=_ADMINISTRATOR, scope=Scope.HOUSE, passive=True),
    Page("conference-rooms/order", None, order, role=_ADMINISTRATOR, scope=Scope.HOUSE),
)
