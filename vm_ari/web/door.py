"""The door of every page: who comes, to whose page, and may he? (UM-02, WEB-03)"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlencode

import structlog
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive

from vm_ari.domain.entries import Entry
from vm_ari.domain.portal_rights import Role
from vm_ari.ports import (
    DirectoryUnavailable,
    GreetingsUnavailable,
    MailboxUnavailable,
    PortalUnavailable,
)
from vm_ari.ports.orders import OrdersUnavailable
from vm_ari.web import cookies
from vm_ari.web.guard import TooMuch
from vm_ari.web.page import Page, Scope
from vm_ari.web.parts import Parts
from vm_ari.web.texts import wished_by
from vm_ari.web.visit import Visit, Visitor, read_id

log = structlog.get_logger("vm_ari.portal")

T = TypeVar("T")
MOST_FIELDS = 500
NOT_NOW = (
    DirectoryUnavailable,
    PortalUnavailable,
    OrdersUnavailable,
    MailboxUnavailable,
    GreetingsUnavailable,
    TimeoutError,
)
"""A page may leave these to the door: the visitor is told to try again."""
_AWAY = HTTPStatus.SERVICE_UNAVAILABLE


class Refusal(Exception):
    """A visit is not allowed; *key* names the words that say why."""

    def __init__(self, status: HTTPStatus, key: str) -> None:
        super().__init__(key)
        self.status = status
        self.key = key


def needed_part(visit: Visit, kind: type[T]) -> T:
    """What another page's author has put into `Parts.more`; without it there is no such page."""
    if (found := visit.part(kind)) is None:
        raise Refusal(HTTPStatus.NOT_FOUND, "not-there")
    return found


@dataclass(frozen=True)
class Door:
    """Lets visits in, or not."""

    parts: Parts
    navigation: Sequence[Page] = ()
    """As visitors may see it."""

    async def enter(self, page: Page, request: Request, *, acting: bool = False) -> Response:
        """Answer one request to a page."""
        visit = self._stranger(page, request)
        try:
            async with asyncio.timeout(page.patience):
                visit = await self._known(visit, acting)
                self.must_have_role(visit, acting)
                visit = await self.owned(visit, acting)
                visit = await self._with_form(visit)
                return await self._answered(visit)
        except Refusal as refusal:
            return self._refused(visit, refusal)
        except NOT_NOW as error:
            log.warning("page not possible now", page=page.path, reason=str(error) or "time")
            return problem(visit, _AWAY, "away")

    def stranger(self, request: Request) -> Visit:
        """A visit of whom nothing is known, for pages that say what went wrong."""
        return self._stranger(Page("", None, role=Role.ANYONE, scope=Scope.HOUSE), request)

    def _stranger(self, page: Page, request: Request) -> Visit:
        wished = [*wished_by(request.headers.get("accept-language", "")), self._site_language]
        words = self.parts.texts.words(wished)
        secret = cookies.form_secret(request)
        return Visit(page, request, self.parts, words, secret, navigation=self.navigation)

    @property
    def _site_language(self) -> str:
        return self.parts.own_settings.rules.language

    async def _known(self, visit: Visit, acting: bool) -> Visit:
        """With who is signed in."""
        given = visit.request.cookies.get(cookies.SESSION, "")
        session = await self.parts.sessions.find(given[:128], passive=visit.page_.passive)
        if session is None:
            return visit
        if self.parts.keep_known:
            await self.parts.keep_known()
        entry = await self.parts.users.register.entry_by_id(session.user_id)
        if entry is None:
            await self.parts.sessions.end(given)
            return visit
        user = await self.parts.user_of(entry)
        admins = acting or visit.page_.role >= Role.ADMINISTRATOR
        wished = [self._site_language] if admins else [user.language, self._site_language]
        words = self.parts.texts.words(wished)  # admin pages speak the site's (LANG-01)
        visitor = Visitor(entry, user, self.parts.rights.role_of(entry.id), session)
        return replace(visit, visitor=visitor, words=words)

    def must_have_role(self, visit: Visit, acting: bool) -> None:
        """Who acts for others is an administrator at least. Raises `Refusal`."""
        needed = max(visit.page_.role, Role.ADMINISTRATOR) if acting else visit.page_.role
        if needed is not Role.ANYONE and visit.visitor is None:
            raise Refusal(HTTPStatus.UNAUTHORIZED, "signed-out")
        if visit.role < needed:
            raise Refusal(HTTPStatus.FORBIDDEN, "forbidden")

    async def owned(self, visit: Visit, acting: bool) -> Visit:
        """With whose page it is: of oneself, or of somebody for whom one may act.

        Raises `Refusal`.
        """
        if visit.page_.scope is not Scope.OWN or visit.visitor is None:
            return visit
        me = visit.visitor
        if not acting:
            return replace(visit, owned=(me.entry, me.user))
        asked = read_id(visit.request.path_params["user"])
        entry = await self._other(asked, me)
        log.info(
            "acting for a user",
            by=me.entry.id,
            user=entry.id,
            page=visit.page_.path,
            change=visit.request.method not in {"GET", "HEAD"},
        )
        return replace(visit, owned=(entry, await self.parts.user_of(entry)), acting=True)

    async def _other(self, asked: str, me: Visitor) -> Entry:
        """One who is not there and one of others look alike. Raises `Refusal`."""
        possible = 0 < len(asked) <= 256 and asked.isprintable()
        entry = await self.parts.users.register.entry_by_id(asked) if possible else None
        rights, actor = self.parts.rights, me.entry.id
        if entry is None or not rights.may_act_in(actor, entry.organisation):
            raise Refusal(HTTPStatus.FORBIDDEN, "not-yours")
        if not rights.may_act_as(actor, entry.id):
            raise Refusal(HTTPStatus.FORBIDDEN, "not-yours")
        return entry

    async def _with_form(self, visit: Visit) -> Visit:
        """With what was sent, if one of our own pages sent it."""
        if visit.request.method != "POST":
            return visit
        form = await _form(visit)
        given = visit.request.headers.get(cookies.TOKEN_HEADER) or form.get(cookies.TOKEN_FIELD, "")
        user_id = visit.visitor.entry.id if visit.visitor else ""
        ours = isinstance(given, str) and cookies.is_ours(
            self.parts.signing_keys, visit.secret, user_id, given
        )
        refused = "" if ours and not cookies.from_elsewhere(visit.request) else "not-ours"
        if not refused and visit.owned and not visit.may_change:
            refused = "fixed"
        if refused:
            await form.close()
            raise Refusal(HTTPStatus.FORBIDDEN, refused)
        return replace(visit, form=form)

    async def _answered(self, visit: Visit) -> Response:
        page, request = visit.page_, visit.request
        handler = page.change if request.method == "POST" else page.show
        if handler is None:
            raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED)
        session = visit.visitor.session if visit.visitor and not page.passive else None
        if session and session.said and request.method != "POST":
            await self.parts.sessions.say(session, "")
            visit = replace(visit, said=session.said)
        try:
            return await handler(visit)
        finally:
            await visit.form.close()  # files that were sent

    def _refused(self, visit: Visit, refusal: Refusal) -> Response:
        request = visit.request
        is_page = request.method == "GET" and "hx-request" not in request.headers
        if refusal.status is HTTPStatus.UNAUTHORIZED and is_page:
            where = request.url.path
            asked = urlencode({"next": where}) if where != "/" else ""
            return visit.see(f"/sign-in?{asked}" if asked else "/sign-in")
        log.info("visit refused", page=visit.page_.path, reason=refusal.key)
        return problem(visit, refusal.status, refusal.key)


def problem(visit: Visit, status: HTTPStatus, key: str) -> Response:
    """A page that says what went wrong, and what to do."""
    title = visit.words(f"problem.{key}.title")
    return visit.page("problem.html", title, status=status, text=visit.words(f"problem.{key}.text"))


async def _form(visit: Visit) -> FormData:
    """What was sent, of the size that the page takes. Raises `Refusal`."""
    request, most = visit.request, visit.page_.most_bytes
    try:
        length = int(request.headers.get("content-length", "0"))
    except ValueError:
        length = most + 1
    if length > most:
        raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large")
    bounded = Request(request.scope, _at_most(request.receive, most))
    try:
        return await bounded.form(max_files=10, max_fields=MOST_FIELDS, max_part_size=most)
    except TooMuch:
        raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large") from None
    except (HTTPException, ClientDisconnect, UnicodeDecodeError):
        raise Refusal(HTTPStatus.BAD_REQUEST, "unreadable") from None


def _at_most(receive: Receive, most: int) -> Receive:
    """Chunked, a request says nothing of its length. Raises `TooMuch`."""
    left = most

    async def bounded() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise TooMuch("more than the page takes")
        return message

    return bounded
