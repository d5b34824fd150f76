"""A visit: one request to a page, as far as it is allowed, and the answers to it."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import quote

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from vm_ari.domain.entries import Entry
from vm_ari.domain.portal_rights import Role
from vm_ari.domain.portal_sessions import Session
from vm_ari.domain.users import User
from vm_ari.web import cookies
from vm_ari.web.page import Page, Scope
from vm_ari.web.parts import Parts
from vm_ari.web.texts import Words

T = TypeVar("T")
_PLAIN_ID = re.compile(r"[A-Za-z0-9._@+-]{1,64}")
_CODED = "~"


@dataclass(frozen=True)
class Visitor:
    """Who is signed in."""

    entry: Entry
    user: User
    role: Role
    session: Session


@dataclass(frozen=True)
class Visit:
    """What a page's handler gets; *form* is empty but for changes."""

    page_: Page
    request: Request
    parts: Parts
    words: Words
    secret: str = field(repr=False)
    """Of this browser's forms (`cookies`)."""
    visitor: Visitor | None = None
    owned: tuple[Entry, User] | None = None
    """Whose page it is."""
    acting: bool = False
    """Somebody acts for the owner."""
    said: str = ""
    form: FormData = field(default_factory=FormData)
    navigation: Sequence[Page] = ()
    """Pages that have a place in it, in their order."""

    @property
    def language(self) -> str:
        """Of the page."""
        return self.words.language

    @property
    def owner(self) -> Entry:
        """Whose page it is, as the directory has it."""
        assert self.owned
        return self.owned[0]

    @property
    def user(self) -> User:
        """Whose page it is, with every setting decided."""
        assert self.owned
        return self.owned[1]

    @property
    def me(self) -> Visitor:
        """Who is signed in."""
        assert self.visitor
        return self.visitor

    @property
    def role(self) -> Role:
        """Of who is signed in."""
        return self.visitor.role if self.visitor else Role.ANYONE

    @property
    def may_change(self) -> bool:
        """Does the site let users change what is on this page? Who acts for them, always may."""
        return self.acting or self.parts.rights.may_change_own(self.page_.feature)

    def may_act_in(self, organisation: str) -> bool:
        """May the visitor see and change the users of that organisation?"""
        return self.parts.rights.may_act_in(self.me.entry.id, organisation)

    def part(self, kind: type[T]) -> T | None:
        """What another page's author has put into `Parts.more`."""
        return self.parts.part(kind)

    def typed(self, name: str) -> str:
        """What was typed into a field; empty for a file or nothing."""
        value = self.form.get(name, "")
        return value if isinstance(value, str) else ""

    def link(self, path: str) -> str:
        """The address of an own page, of the same owner."""
        return own_address(path, self.owner.id if self.acting else "")

    @property
    def token(self) -> str:
        """What every form sends along."""
        user_id = self.visitor.entry.id if self.visitor else ""
        return cookies.token(self.parts.signing_keys, self.secret, user_id)

    def page(
        self, template: str, title: str, *, status: int = HTTPStatus.OK, **values: object
    ) -> Response:
        """The page of a template."""
        known: dict[str, object] = {
            "visit": self,
            "t": self.words,
            "lang": self.language,
            "title": title,
            "failed": status >= HTTPStatus.BAD_REQUEST,
            "scope": Scope,
        }
        response = HTMLResponse(self._rendered(template, {**known, **values}), status)
        self.keep_secret(response)
        return response

    def keep_secret(self, response: Response) -> None:
        """The browser gets its random text, if it has none."""
        if self.request.cookies.get(cookies.FORM) != self.secret:
            cookies.put(response, cookies.FORM, self.secret)

    def see(self, address: str) -> Response:
        """Go there with GET."""
        return RedirectResponse(address, HTTPStatus.SEE_OTHER)

    async def done(self, sentence: str, path: str) -> Response:
        """A change is stored: the own page of that path comes next, and says that sentence."""
        await self.parts.sessions.say(self.me.session, sentence)
        return self.see(self.link(path))

    def _rendered(self, template: str, values: Mapping[str, object]) -> str:
        own = [page for page in self.navigation if page.scope is Scope.OWN and self.owned]
        house = [page for page in self.navigation if page.scope is Scope.HOUSE]
        more = {
            "own_menu": [page for page in own if page.is_offered(self.parts)],
            "house_menu": [page for page in house if page.role <= self.role],
            "token": self.token,
        }
        return self.parts.rendering.render(template, {**more, **values})


def own_address(path: str, user_id: str = "") -> str:
    """Of an own page; of another user's, where an id is given."""
    return f"/users/{written_id(user_id)}/{path}" if user_id else f"/me/{path}"


def written_id(user_id: str) -> str:
    """An id as one segment of an address: directories allow any character in it."""
    if _PLAIN_ID.fullmatch(user_id) and set(user_id) != {"."}:
        return quote(user_id, safe="@+")
    return _CODED + base64.urlsafe_b64encode(user_id.encode()).rstrip(b"=").decode()


def read_id(segment: str) -> str:
    """The id that `written_id` has written; empty for what is none."""
    if not segment.startswith(_CODED):
        return segment
    coded = segment.removeprefix(_CODED)
    try:
        return base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4)).decode()
    except (binascii.Error, ValueError):
        return ""
