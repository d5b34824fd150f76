"""Who may do what in portal and API, and docs/role-matrix.md: ``python -m tests.web.role_matrix``.

The cells are judged here from the tables of routes; `test_matrix`, `test_api_matrix` and
`test_foreign_data` ask the portal for each of them.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.web.portal_house import ADAM, ANNA, BERT, CORA, OLGA, House, in_house
from vm_ari.domain.entries import Entry
from vm_ari.domain.portal_rights import Role
from vm_ari.web.api.operation import PREFIX
from vm_ari.web.api.operations import all_operations
from vm_ari.web.page import Page, Scope
from vm_ari.web.pages import all_pages

T = TypeVar("T")

FILE = Path(__file__).parents[2] / "docs" / "role-matrix.md"
SONJA = "sonja"
"""The administrator of south, whose agreement is not recorded."""
HERSELF = Entry(
    SONJA, "Sonja Sand", "106", ("+49814247916",), "sonja@example.org", organisation="south"
)
ORGANISATIONS = {
    "north": {
        "name": "North",
        "administrators": [ADAM],
        "data_processing_agreement": "2026-01-15",
    },
    "south": {"name": "South", "administrators": [SONJA]},
}
ROLES = {
    ANNA: Role.USER,
    BERT: Role.USER,
    CORA: Role.USER,
    ADAM: Role.ADMINISTRATOR,
    SONJA: Role.ADMINISTRATOR,
    OLGA: Role.OPERATOR,
}
ONE_OF_EACH = (CORA, SONJA, OLGA)
MAY_ACT_FOR = {
    **{ANNA: (), BERT: (), CORA: ()},
    ADAM: (ADAM, BERT),
    SONJA: (SONJA, CORA),
    OLGA: (ANNA, OLGA, ADAM, BERT),
}
"""Whom each of them may act for: an operator for nobody of south."""


def in_matrix(home: Path, story: Callable[[House], Awaitable[T]], **tables: Any) -> T:
    """Run a story in the house, with both organisations and all services."""

    async def with_everybody(house: House) -> T:
        await house.directory.add_entries([HERSELF])
        for user_id in (CORA, SONJA):
            await house.sets_password(user_id)
        return await story(house)

    services = {name: {"enabled": True} for name in ("fax_sending", "spoken_messages")}
    given = {"organisations": ORGANISATIONS, **services, **tables}
    return in_house(home, with_everybody, **given)


# --- docs/role-matrix.md

HEAD = """\
# Who may open what

Made from the program by `python -m tests.web.role_matrix`; do not edit. Tests ask the portal for
every cell; [roles.md](roles.md) says it in words. There are two organisations: the data-processing
agreement of *north* is recorded, that of *south* is not.

A cell says whose data somebody reaches there. **own**: the own ones. **north**, **south**: those of
that organisation's users; **none**: of users without an organisation. **yes**: a page of the house,
which shows what belongs to all whom somebody reaches. **no**: refused (403; without a sign-in 401,
or the way there). Faxes, conferences, spoken messages and journal entries of others are not found
(404), even by those who know their ids. `[web] may_change` takes changes away from users.
"""
REACH: Sequence[tuple[Role, tuple[str, ...]]] = (
    (Role.USER, ()),
    (Role.ADMINISTRATOR, ("north",)),
    (Role.ADMINISTRATOR, ("south",)),
    (Role.OPERATOR, ("none", "north")),
)
"""Whom somebody may act for, column by column."""
COLUMNS = ("nobody signed in", "user", "administrator of north", "… of south", "operator")


@dataclass(frozen=True)
class _Route:
    """One row."""

    shown: str
    role: Role
    scope: Scope


def page() -> str:
    """As it should be."""
    pages = [_Route(f"`{_path(one)}` {_methods(one)}", one.role, one.scope) for one in all_pages()]
    operations = [
        _Route(f"`{one.method} {_below(one.scope, one.path)}` {one.says}", one.role, one.scope)
        for one in all_operations()
    ]
    return (
        HEAD
        + _table("Pages", sorted(pages, key=lambda one: one.shown))
        + _table(f"API, below `{PREFIX}`", operations)
    )


def _path(one: Page) -> str:
    return f"/me/{one.path}" if one.scope is Scope.OWN else f"/{one.path}"


def _methods(one: Page) -> str:
    words = {"GET": "see", "POST": "change"}
    return ", ".join(words[method] for method in one.methods)


def _below(scope: Scope, path: str) -> str:
    return "/".join(part for part in ("/me" if scope is Scope.OWN else "/admin", path) if part)


def _table(title: str, routes: Sequence[_Route]) -> str:
    head = f"\n## {title}\n\n| | {' | '.join(COLUMNS)} |\n|---|{'---|' * len(COLUMNS)}\n"
    return head + "".join(f"| {one.shown} | {' | '.join(_cells(one))} |\n" for one in routes)


def _cells(route: _Route) -> list[str]:
    if route.role is Role.ANYONE and route.scope is Scope.HOUSE:
        return ["yes"] * len(COLUMNS)
    return ["no", *(_cell(route, role, others) for role, others in REACH)]


def _cell(route: _Route, role: Role, others: tuple[str, ...]) -> str:
    if role < route.role:
        return "no"
    return "yes" if route.scope is Scope.HOUSE else ", ".join(("own", *others))


if __name__ == "__main__":
    FILE.write_text(page(), encoding="utf-8")
