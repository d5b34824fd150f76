"""Every setting of a user with its origin, for admins (DIR-07): nothing is hidden from them."""

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus

from starlette.responses import Response

from vm_ari.domain.portal_rights import Role
from vm_ari.domain.preferences import ABOUT_RIGHTS, SETTINGS
from vm_ari.web.admin_parts import admin_parts, said
from vm_ari.web.fields import Field, Form
from vm_ari.web.page import Page
from vm_ari.web.settings_page import described, sent, store
from vm_ari.web.visit import Visit, own_address

GROUPS = (
    ("rights", tuple(one.key for one in ABOUT_RIGHTS)),
    ("profiles", ("profile", "greeting", "takes_messages", "off_hours", "break_", "number_style")),
    ("transfers", ("transfer", "operator")),
    ("phones", ("login", "mobile", "access")),
    ("notices", ("notify", "lamp", "sms", "notice", "missed")),
)
"""Names of groups, and how the keys of their settings begin; the others come first."""
GENERAL = "general"


@dataclass(frozen=True)
class Group:
    """Settings under one heading."""

    name: str
    fields: tuple[Field, ...]


async def show(visit: Visit) -> Response:
    """As everything is now."""
    if not visit.acting:
        return visit.see(own_address("account/settings", visit.owner.id))
    return _shown(visit, (await described(visit)).form(SETTINGS.values()))


async def change(visit: Visit) -> Response:
    """Store what was sent, all or none."""
    address = own_address("account/settings", visit.owner.id)
    if not visit.may_act_in(visit.owner.organisation):
        return visit.see(address)
    form = (await described(visit)).typed(SETTINGS.values(), sent(visit))
    if form.errors:
        return _shown(visit, form)
    if error := await store(visit, form.changes):
        return _shown(visit, form, error)
    admin_parts(visit).users.changed()
    return await said(visit, "account.settings-saved", address)


def groups(form: Form) -> Iterator[Group]:
    """The fields, each under one heading."""
    of = {one.key: _group(one.key) for one in form.fields}
    for name in (GENERAL, *(name for name, _ in GROUPS)):
        yield Group(name, tuple(one for one in form.fields if of[one.key] == name))


def _group(key: str) -> str:
    found = (name for name, begins in GROUPS if key.startswith(begins))
    return next(found, GENERAL)


def _shown(visit: Visit, form: Form, error: str = "") -> Response:
    return visit.page(
        "account-settings.html",
        visit.words("account.settings"),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if form.errors or error else HTTPStatus.OK,
        form=form,
        groups=list(groups(form)),
        error=error,
    )


PAGES = (Page("account/settings", show, change, role=Role.ADMINISTRATOR),)
