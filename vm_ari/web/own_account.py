"""A user's own account: the admin page without the assignment of numbers (UM-02, UM-03)."""

from dataclasses import replace
from http import HTTPStatus

import structlog
from starlette.responses import Response

from vm_ari.domain.directory_text import Unstorable
from vm_ari.domain.entries import Entry
from vm_ari.domain.name_templates import display_name, parse
from vm_ari.domain.packages import services_of
from vm_ari.ports import DirectoryReadOnly, UnknownUser
from vm_ari.web.admin_parts import admin_parts
from vm_ari.web.people_forms import PersonForm, faults_of_texts, form_of
from vm_ari.web.visit import Visit

log = structlog.get_logger("vm_ari.portal")

NAMES = ("given", "surname", "name")
"""What users change of their account; everything else that is sent is nothing."""


async def show_own(visit: Visit) -> Response:
    """As everything is now."""
    return await _shown(visit, form_of(visit.owner))


async def change_own(visit: Visit) -> Response:
    """Store the names."""
    typed = {key: visit.typed(key).strip() for key in NAMES}
    form = PersonForm({**form_of(visit.owner).typed, **typed}, faults_of_texts(visit, typed))
    if form.faults:
        return await _shown(visit, form)
    house = visit.parts.users.house
    new = replace(visit.owner, given=typed["given"], surname=typed["surname"], name=typed["name"])
    typed["name"] = new.name or display_name(parse(house.name_template), new) or new.id
    changes = {key: text for key, text in typed.items() if text != getattr(visit.owner, key)}
    if error := await _stored(visit, changes):
        return await _shown(visit, form, error)
    return await visit.done("account.saved", "account")


async def _stored(visit: Visit, changes: dict[str, str]) -> str:
    """Says why not, or nothing. Raises `DirectoryUnavailable`."""
    if not changes:
        return ""
    try:
        await visit.parts.users.register.change_details(visit.owner.id, changes)
    except DirectoryReadOnly:
        return visit.words("account.read-only")
    except (UnknownUser, Unstorable) as error:
        log.warning("account not stored", user=visit.owner.id, reason=str(error))
        return visit.words("forms.not-stored")
    admin_parts(visit).users.changed()
    log.info("user changed", user=visit.owner.id, by=visit.owner.id, fields=sorted(changes))
    return ""


async def _shown(visit: Visit, form: PersonForm, error: str = "") -> Response:
    owner: Entry = visit.owner
    organisation = await visit.parts.users.organisation(owner.organisation)
    return visit.page(
        "account-own.html",
        visit.words("account.menu"),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if form.faults or error else HTTPStatus.OK,
        form=form,
        error=error,
        owner=owner,
        organisation=(organisation.name if organisation else "") or owner.organisation,
        services=services_of(await visit.parts.users.layers(owner)),
    )
