"""Another mail address: by the code that goes to the present one, or by an admin (UM-03)."""

from http import HTTPStatus

from starlette.responses import Response

from vm_ari.domain.mail_changes import CODE_DIGITS, Outcome
from vm_ari.domain.portal_rights import Feature
from vm_ari.web.admin_parts import AdminParts
from vm_ari.web.page import Page
from vm_ari.web.people_parts import people_parts
from vm_ari.web.visit import Visit

LONGEST = 254
ABOUT_THE_CODE = frozenset({Outcome.WRONG, Outcome.OVER})
"""Faults that stand beside the field of the code; all others beside that of the address."""


async def show(visit: Visit) -> Response:
    """The present address, and the change that waits for its code."""
    return await _shown(visit)


async def change(visit: Visit) -> Response:
    """Begin, prove or give up a change; who acts for somebody makes it at once."""
    changes, wanted = people_parts(visit.parts).mail_changes, visit.typed("new")[: LONGEST + 1]
    match visit.typed("what"):
        case "give-up":
            await changes.give_up(visit.user)
            return await visit.done("mail-address.given-up", "mail-address")
        case "confirm" if not acts_by_right(visit):
            outcome = await changes.confirm(visit.user, visit.typed("code"))
        case _ if acts_by_right(visit):
            outcome = await changes.by_admin(visit.user, wanted, by=visit.me.entry.id)
        case _:
            outcome = await changes.begin(visit.user, wanted)
    if outcome is Outcome.CHANGED:
        _list_is_old(visit)
        return await visit.done("mail-address.saved", "mail-address")
    if outcome is Outcome.SENT:
        return await visit.done("mail-address.sent", "mail-address")
    return await _shown(visit, outcome, wanted)


def acts_by_right(visit: Visit) -> bool:
    """Is no code needed? For the own address it always is: a session may be stolen."""
    return visit.acting and visit.owner.id != visit.me.entry.id


def _list_is_old(visit: Visit) -> None:
    if admin := visit.part(AdminParts):
        admin.users.changed()


async def _shown(visit: Visit, fault: Outcome | None = None, wanted: str = "") -> Response:
    changes = people_parts(visit.parts).mail_changes
    by_admin = acts_by_right(visit)
    waiting = None if by_admin else await changes.open_one(visit.user)
    return visit.page(
        "mail-address.html",
        visit.words("mail-address.title"),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if fault else HTTPStatus.OK,
        present=visit.owner.mail,
        by_admin=by_admin,
        possible=by_admin or changes.sends_codes(visit.owner.mail),
        waiting=waiting,
        wanted=wanted,
        digits=CODE_DIGITS,
        code_fault=fault.value if fault in ABOUT_THE_CODE else "",
        fault=fault.value if fault and fault not in ABOUT_THE_CODE else "",
    )


PAGES = (Page("mail-address", show, change, feature=Feature.MAIL_ADDRESS, menu=90),)
