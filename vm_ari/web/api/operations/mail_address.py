"""Another mail address: by the code that goes to the present one, or by an admin (UM-03)."""

from datetime import datetime

from pydantic import Field
from starlette.responses import Response

from vm_ari.domain.mail_changes import Outcome
from vm_ari.domain.portal_rights import Feature
from vm_ari.services.mail_changes import MailChanges
from vm_ari.web.admin_parts import AdminParts
from vm_ari.web.api.models import Given, Line, Told
from vm_ari.web.api.operation import Answer, Ask, Operation
from vm_ari.web.api.problems import Problem, invalid
from vm_ari.web.pages.mail_address import acts_by_right
from vm_ari.web.people_parts import people_parts
from vm_ari.web.visit import Visit

_PROBLEMS = {
    Outcome.TAKEN: "taken",
    Outcome.TOO_OFTEN: "too-many",
    Outcome.NOT_SENT: "away",
    Outcome.NOWHERE: "switched-off",
    Outcome.READ_ONLY: "directory-read-only",
}
"""All others: what was sent is not possible."""


class AddressTold(Told):
    """The present address, and the change that waits for its code."""

    mail: str
    new: str | None = Field(description="null: no change waits.")
    ends: datetime | None = Field(description="So long the code counts.")
    tries_left: int


class AddressGiven(Given):
    """Another address."""

    mail: Line


class CodeGiven(Given):
    """The code that was sent to the present address."""

    code: Line


async def show(ask: Ask) -> Answer:
    """As it is now; who acts for somebody changes it without a code."""
    visit = ask.visit
    change = None if acts_by_right(visit) else await _changes(visit).open_one(visit.user)
    return AddressTold(
        mail=visit.owner.mail,
        new=change.new if change else None,
        ends=change.ends if change else None,
        tries_left=change.tries_left if change else 0,
    )


async def begin(ask: Ask) -> Answer:
    """Send the code; who acts for somebody makes the change at once."""
    visit, wanted = ask.visit, ask.given(AddressGiven).mail
    if acts_by_right(visit):
        by = visit.me.entry.id
        return await _ended(ask, await _changes(visit).by_admin(visit.user, wanted, by=by), "mail")
    return await _ended(ask, await _changes(visit).begin(visit.user, wanted), "mail")


async def confirm(ask: Ask) -> Answer:
    """Only the owner has the code."""
    visit, code = ask.visit, ask.given(CodeGiven).code
    if acts_by_right(visit):
        raise Problem("forbidden", "Who acts for somebody changes the address without a code.")
    return await _ended(ask, await _changes(visit).confirm(visit.user, code), "code")


async def give_up(ask: Ask) -> Answer:
    """The present address stays."""
    await _changes(ask.visit).give_up(ask.visit.user)
    return Response(status_code=204)


async def _ended(ask: Ask, outcome: Outcome, field: str) -> Answer:
    """Raises `Problem`."""
    if outcome is Outcome.CHANGED and (admin := ask.visit.part(AdminParts)):
        admin.users.changed()
    if outcome in {Outcome.CHANGED, Outcome.SENT}:
        return await show(await ask.fresh())
    text, where = ask.visit.words(f"mail-address.fault.{outcome.value}"), f"body.{field}"
    if outcome in _PROBLEMS:
        raise Problem(_PROBLEMS[outcome], text, where=where)
    raise invalid(where, text)


def _changes(visit: Visit) -> MailChanges:
    return people_parts(visit.parts).mail_changes


_PATH = "mail-address"
OPERATIONS = (
    Operation(
        "showMailAddress",
        "GET",
        _PATH,
        show,
        "The mail address, and the change that waits for its code",
        AddressTold,
        state=show,
    ),
    Operation(
        "changeMailAddress",
        "PUT",
        _PATH,
        begin,
        "Have a code sent to the present address, to change it",
        AddressTold,
        takes=AddressGiven,
        feature=Feature.MAIL_ADDRESS,
        state=show,
        about="Who acts for a user changes it at once.",
    ),
    Operation(
        "confirmMailAddress",
        "POST",
        f"{_PATH}/code",
        confirm,
        "Change the mail address, with the code",
        AddressTold,
        takes=CodeGiven,
        feature=Feature.MAIL_ADDRESS,
    ),
    Operation(
        "keepMailAddress",
        "DELETE",
        _PATH,
        give_up,
        "Give up the change that waits for its code",
        status=204,
        feature=Feature.MAIL_ADDRESS,
    ),
)
