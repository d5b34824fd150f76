"""The organisations, for operators: list, new ones, and what is kept of each (UM-01, UM-02)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.responses import Response

from vm_ari.domain.entries import MOST_NUMBERS, Entry
from vm_ari.domain.organisations import BadOrganisation, OrganisationRecord
from vm_ari.domain.packages import Stock, site_stock, stock_of
from vm_ari.domain.portal_rights import Role
from vm_ari.domain.preferences import SETTINGS, Layers
from vm_ari.services.organisations import Overtaken
from vm_ari.web.admin_parts import admin_parts, said
from vm_ari.web.fields import Described, Form
from vm_ari.web.organisation_forms import (
    OrganisationForm,
    edited,
    form_of,
    form_sent,
    with_fault,
)
from vm_ari.web.page import Page, Scope
from vm_ari.web.pages.account_settings import groups
from vm_ari.web.people_parts import people_parts
from vm_ari.web.settings_page import described, sent
from vm_ari.web.visit import Visit, read_id, written_id

LIST = "/organisations"
_UNFIT = HTTPStatus.UNPROCESSABLE_ENTITY


@dataclass(frozen=True)
class Row:
    """One organisation of the list."""

    record: OrganisationRecord
    address: str
    stock: Stock
    administrators: tuple[str, ...]
    """Also those whom the directory appoints."""


async def show(visit: Visit) -> Response:
    """All of them, with their packages and those of the site."""
    people, admin = people_parts(visit.parts), admin_parts(visit)
    limits, used = people.limits(), await admin.users.counts()
    appointed = visit.parts.rights.administrators
    many = await admin.users.with_more_numbers(MOST_NUMBERS)
    return visit.page(
        "organisations.html",
        visit.words("organisations.title"),
        rows=[
            Row(one, _address(key), stock_of(key, used, limits), tuple(sorted(appointed[key])))
            for key, one in people.organisations.known.items()
        ],
        own=used.get("", 0),
        strangers={key: n for key, n in used.items() if key not in appointed and key},
        site=site_stock(used, limits),
        many=[(one, n) for one, organisation, n in many if visit.may_act_in(organisation)],
        most=MOST_NUMBERS,
    )


async def show_new(visit: Visit) -> Response:
    """An empty form."""
    return _form(visit, form_of(OrganisationRecord("")))


async def add(visit: Visit) -> Response:
    """A new one; administrators come later, when it has users."""
    form = form_sent(visit)
    bare = OrganisationRecord(form.typed["id"])
    organisations = people_parts(visit.parts).organisations
    try:
        record = await edited(visit, bare, form)
        await organisations.add(record, by=visit.me.entry.id)
    except BadOrganisation as error:
        return _form(visit, with_fault(visit, form, error))
    except Overtaken:
        return _form(visit, form, visit.words("organisations.overtaken"))
    return await said(visit, "organisations.added", _address(record.id))


async def show_one(visit: Visit) -> Response:
    """What is kept of one."""
    record = _asked(visit)
    return _form(visit, form_of(record), record=record)


async def change(visit: Visit) -> Response:
    """Keep it, if nobody was faster."""
    record = _asked(visit)
    sent_form = form_sent(visit)
    form = OrganisationForm({**sent_form.typed, "id": record.id}, {})
    if not _is_of(visit, record):
        return _overtaken(visit)
    try:
        new = await edited(visit, record, form)
        await people_parts(visit.parts).organisations.store(new, by=visit.me.entry.id)
    except BadOrganisation as fault:
        return _form(visit, with_fault(visit, form, fault), record=record)
    except Overtaken:
        return _overtaken(visit)
    return await said(visit, "organisations.saved", _address(record.id))


async def show_settings(visit: Visit) -> Response:
    """What counts for all of its users who have decided nothing themselves."""
    record = _asked(visit)
    if not visit.may_act_in(record.id):
        return _settings(visit, record, None)
    return _settings(visit, record, (await _described(visit, record)).form(SETTINGS.values()))


async def change_settings(visit: Visit) -> Response:
    """Keep what was sent, all or none."""
    record = _asked(visit)
    if not visit.may_act_in(record.id):
        return _settings(visit, record, None)
    form = (await _described(visit, record)).typed(SETTINGS.values(), sent(visit))
    if form.errors:
        return _settings(visit, record, form)
    if not _is_of(visit, record):
        return await _settings_overtaken(visit)
    new = replace(record, settings=_changed(record.settings, form.changes))
    try:
        await people_parts(visit.parts).organisations.store(new, by=visit.me.entry.id)
    except Overtaken:
        return await _settings_overtaken(visit)
    return await said(visit, "organisations.saved", _settings_address(record.id))


def _changed(old: Mapping[str, str], new: Mapping[str, str | None]) -> dict[str, str]:
    both = {**old, **new}
    return {key: text for key, text in both.items() if text is not None}


async def _described(visit: Visit, record: OrganisationRecord) -> Described:
    """The organisation's own values take the place of a user's."""
    nobody = replace(visit.me.user, numbers=(), mailbox="")
    like_a_user = replace(visit, owned=(Entry("", ""), nobody))
    layers = Layers(record.settings, {}, visit.parts.users.house.defaults)
    return replace(await described(like_a_user), layers=layers)


def _asked(visit: Visit) -> OrganisationRecord:
    """The one of the address."""
    asked = read_id(visit.request.path_params["organisation"])
    record = people_parts(visit.parts).organisations.known.get(asked)
    if record is None:
        raise HTTPException(HTTPStatus.NOT_FOUND)
    return record


def _is_of(visit: Visit, record: OrganisationRecord) -> bool:
    """Has nobody changed it since the form was shown?"""
    return visit.typed("version") == str(record.version)


def _overtaken(visit: Visit) -> Response:
    """As somebody else has made it meanwhile."""
    record = _asked(visit)
    return _form(visit, form_of(record), visit.words("organisations.overtaken"), record=record)


async def _settings_overtaken(visit: Visit) -> Response:
    record = _asked(visit)
    form = (await _described(visit, record)).form(SETTINGS.values())
    return _settings(visit, record, form, visit.words("organisations.overtaken"))


def _address(organisation: str) -> str:
    return f"{LIST}/edit/{written_id(organisation)}"


def _settings_address(organisation: str) -> str:
    return f"{LIST}/settings/{written_id(organisation)}"


def _form(
    visit: Visit,
    form: OrganisationForm,
    error: str = "",
    *,
    record: OrganisationRecord | None = None,
) -> Response:
    title = visit.words("organisations.new")
    if record:
        title = visit.words("organisations.one", name=record.name or record.id)
    return visit.page(
        "organisation.html",
        title,
        status=_UNFIT if form.faults or error else HTTPStatus.OK,
        form=form,
        error=error,
        record=record,
        settings=_settings_address(record.id) if record else "",
        acts=bool(record) and visit.may_act_in(record.id) if record else False,
        by_directory=_by_directory(visit, record) if record else (),
    )


def _by_directory(visit: Visit, record: OrganisationRecord) -> tuple[str, ...]:
    """Whom the directory appoints; that is changed there."""
    everybody = visit.parts.rights.administrators.get(record.id, frozenset())
    return tuple(sorted(set(everybody) - set(record.administrators)))


def _settings(
    visit: Visit, record: OrganisationRecord, form: Form | None, error: str = ""
) -> Response:
    """None: without a recorded agreement, nobody from outside acts there."""
    status = HTTPStatus.FORBIDDEN if form is None else HTTPStatus.OK
    if form and (form.errors or error):
        status = _UNFIT
    return visit.page(
        "organisation-settings.html",
        visit.words("organisations.settings-of", name=record.name or record.id),
        status=status,
        form=form,
        groups=list(groups(form)) if form else [],
        record=record,
        back=_address(record.id),
        error=error,
    )


_OPERATOR = Role.OPERATOR
PAGES = (
    Page("organisations", show, role=_OPERATOR, scope=Scope.HOUSE, menu=15),
    Page("organisations/new", show_new, add, role=_OPERATOR, scope=Scope.HOUSE),
    Page("organisations/edit/{organisation}", show_one, change, role=_OPERATOR, scope=Scope.HOUSE),
    Page(
        "organisations/settings/{organisation}",
        show_settings,
        change_settings,
        role=_OPERATOR,
        scope=Scope.HOUSE,
    ),
)
