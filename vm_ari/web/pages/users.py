"""The users: a list with search and columns, page by page, and a new one (DIR-07, UM-01)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from starlette.responses import Response

from vm_ari.domain.entries import Entry, address_key
from vm_ari.domain.packages import stock_of
from vm_ari.domain.portal_rights import Role
from vm_ari.domain.preferences import LANGUAGE, PROFILE, VOICE_MAIL_ENABLED
from vm_ari.domain.user_fields import NAMES, Surroundings, Value, value_of
from vm_ari.domain.user_queries import LONGEST_SEARCH, UserQuery, words_of
from vm_ari.services.users import new_pin
from vm_ari.web.admin_parts import (
    admin_parts,
    has_room,
    may_be,
    said,
    scoped_users,
    seen_organisations,
)
from vm_ari.web.page import Page, Scope
from vm_ari.web.people import judged_beside_others, stored
from vm_ari.web.people_forms import (
    FIELDS,
    PersonForm,
    edited,
    examples,
    form_sent,
    with_address,
)
from vm_ari.web.people_parts import people_parts
from vm_ari.web.visit import Visit, own_address, read_id, written_id

ON_A_PAGE = 50
COLUMNS = (
    *(name for name in NAMES if name != "id"),
    VOICE_MAIL_ENABLED.key,
    LANGUAGE.key,
    PROFILE.key,
)
"""That can be shown beside the id."""
USUAL = ("name", "mailbox", "numbers", "mail")


@dataclass(frozen=True)
class Row:
    """One user of the list."""

    id: str
    address: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Packages:
    """Users of one organisation, and how many there may be; 0: no limit."""

    id: str
    name: str
    used: int
    total: int


async def show(visit: Visit) -> Response:
    """A page of the list."""
    asked = visit.request.query_params
    typed = asked.get("q", "")[:LONGEST_SEARCH]
    wanted = asked.getlist("columns")
    columns = tuple(one for one in COLUMNS if one in wanted) or USUAL
    after = read_id(asked.get("after", "")[:300])
    query = UserQuery(seen_organisations(visit), words_of(typed), after, ON_A_PAGE + 1)
    found = list(await admin_parts(visit).users.page(query))
    more, found = len(found) > ON_A_PAGE, found[:ON_A_PAGE]
    around = await scoped_users(visit).surroundings(found)
    return visit.page(
        "users.html",
        visit.words("users.title"),
        rows=[_row(visit, one, columns, its) for one, its in zip(found, around, strict=True)],
        columns=columns,
        all_columns=COLUMNS,
        typed=typed,
        following=_address(typed, columns, found[-1].id) if more else "",
        first=_address(typed, columns, "") if after else "",
        packages=await packages(visit),
    )


async def packages(visit: Visit) -> Sequence[Packages]:
    """Used and total, of each organisation that the visitor may see."""
    names, limits = await organisation_names(visit), people_parts(visit.parts).limits()
    used = await admin_parts(visit).users.counts()
    stocks = {one: stock_of(one, used, limits) for one in names}
    return [
        Packages(one, names[one], stock.used, stock.total)
        for one, stock in stocks.items()
        if one or stock.used
    ]


async def organisation_names(visit: Visit) -> Mapping[str, str]:
    """Those that the visitor may see, by id."""
    known = {one.id: one.name for one in await visit.parts.users.register.organisations()}
    return {one: known.get(one, "") or one for one in sorted(seen_organisations(visit))}


async def show_new(visit: Visit) -> Response:
    """An empty form."""
    organisations = sorted(seen_organisations(visit))
    typed = dict.fromkeys(FIELDS, "") | {"organisation": next(iter(organisations), "")}
    return await _new(visit, PersonForm(typed, {}))


async def add(visit: Visit) -> Response:
    """A new user, if nothing is in the way; a PIN comes with the welcome mail."""
    form, desk = form_sent(visit), scoped_users(visit)
    user_id, organisation = form.typed["id"], form.typed["organisation"]
    if not user_id:
        form = form.with_fault("id", visit.words("account.fault.no-id"))
    elif not may_be(visit)(user_id):
        form = form.with_fault("id", visit.words("account.fault.reserved"))
    elif await visit.parts.users.register.entry_by_id(user_id):
        form = form.with_fault("id", visit.words("account.fault.id-taken"))
    if not form.faults and not await has_room(visit, organisation):
        form = form.with_fault("organisation", visit.words("users.full"))
    if form.faults:
        return await _new(visit, form)
    bare = edited(Entry(user_id, ""), form, desk.house)
    entry = with_address(bare, desk.house, await addresses_taken(visit, bare))
    form = await judged_beside_others(visit, entry, form)
    if form.faults:
        return await _new(visit, form)
    pin = new_pin(visit.parts.logins.rules.shortest_pin) if visit.typed("pin") else None
    if error := await stored(visit, None, desk.with_pin(entry, pin)):
        return await _new(visit, form, error)
    return await said(visit, "users.added", own_address("account", entry.id))


async def example(visit: Visit) -> Response:
    """What the site's templates make of what is typed so far."""
    typed = {key: visit.request.query_params.get(key, "")[:100].strip() for key in FIELDS}
    name, mail = examples(typed, visit.parts.users.house)
    return visit.page("users-example.html", "", name=name, mail=mail)


async def addresses_taken(visit: Visit, entry: Entry) -> set[str]:
    """Which are taken; asked of the directory only where one is to be made."""
    if entry.mail or not visit.parts.users.house.address_template:
        return set()
    return {address_key(one.mail) for one in await visit.parts.users.register.all_entries()}


async def _new(visit: Visit, form: PersonForm, error: str = "") -> Response:
    name, mail = examples(form.typed, visit.parts.users.house)
    return visit.page(
        "users-new.html",
        visit.words("users.new"),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if form.faults or error else HTTPStatus.OK,
        form=form,
        error=error,
        organisations=await organisation_names(visit),
        name=name,
        mail=mail,
    )


def _row(visit: Visit, entry: Entry, columns: Sequence[str], around: Surroundings) -> Row:
    cells = tuple(_cell(visit, value_of(entry, one, around)) for one in columns)
    return Row(entry.id, own_address("account", entry.id), cells)


def _cell(visit: Visit, value: Value) -> str:
    match value:
        case bool():
            return visit.words("values.yes" if value else "values.no")
        case list():
            return ", ".join(value)
    text = str(value)
    known = text and visit.words.has(f"values.{text}")
    return visit.words(f"values.{text}") if known else text


def _address(typed: str, columns: Sequence[str], after: str) -> str:
    asked = [("q", typed)] if typed else []
    asked += [("columns", one) for one in columns] if tuple(columns) != USUAL else []
    asked += [("after", written_id(after))] if after else []
    return f"/users?{urlencode(asked)}"


PAGES = (
    Page("users", show, role=Role.ADMINISTRATOR, scope=Scope.HOUSE, menu=10),
    Page("users/new", show_new, add, role=Role.ADMINISTRATOR, scope=Scope.HOUSE),
    Page("users/example", example, role=Role.ADMINISTRATOR, scope=Scope.HOUSE, passive=True),
)
