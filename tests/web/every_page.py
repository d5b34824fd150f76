"""Every page of the portal as an address, for each role: made from the table, none is forgotten."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.web.portal_house import ADAM, ANNA, BERT, OLGA
from vm_ari.domain.portal_rights import Role
from vm_ari.web.page import Page, Scope
from vm_ari.web.pages import all_pages
from vm_ari.web.visit import own_address

NO_PAGES = {
    "api",
    "faxes/{order}/pages",
    "global-greeting/{language}/sound",
    "greetings/now",
    "greetings/{slot}/{language}/sound",
    "invited/sound",
    "journal/message",
    "logs/download",
    "messages/{uid}/sound",
    "sign-in/openid",
    "sign-in/openid/back",
    "users/export",
}
"""Sounds, files and ways to somewhere else: there is nothing to be looked at."""
NAMES = {"{slot}": "work", "{language}": "de", "{organisation}": "north", "{link}": "x" * 43}
NAMES["{order}"] = "f" * 24
NAMES["{token}"] = NAMES["{link}"]
ROLES = {Role.ANYONE: "", Role.USER: ANNA, Role.ADMINISTRATOR: ADAM, Role.OPERATOR: OLGA}


@dataclass(frozen=True)
class Seen:
    """One look: who sees what."""

    visitor: str
    """User id; empty: nobody is signed in."""
    path: str
    again: bool = False
    """The same page as somebody else sees it."""


def every_page(uid: str) -> list[Seen]:
    """For nobody, the user, the administrator (also on a user's page) and the operator.

    *uid*: of a message in Anna's and in Bert's mailbox.
    """
    found = dict.fromkeys(one for page in all_pages() for one in _looks(page, uid))
    return sorted(found, key=lambda one: one.visitor)


def _looks(page: Page, uid: str) -> Iterator[Seen]:
    if page.show is None or page.passive or page.path in NO_PAGES:
        return
    path, seen = _filled(page.path, uid), False
    for role, visitor in ROLES.items():
        if role < page.role or (role is Role.ANYONE) is not (page.role is Role.ANYONE):
            continue
        match page.scope:
            case Scope.HOUSE:
                yield Seen(visitor, f"/{path}", seen)
            case Scope.OWN if role is Role.ADMINISTRATOR:
                yield Seen(visitor, own_address(path, BERT), seen)
            case Scope.OWN if role is Role.USER:
                yield Seen(visitor, own_address(path), seen)
        seen = True


def _filled(path: str, uid: str) -> str:
    """Raises KeyError for a name that nobody has thought of: give it a value above."""
    names = {**NAMES, "{uid}": uid}
    return "/".join(names[part] if part.startswith("{") else part for part in path.split("/"))
