"""Signing in and out (WEB-03)."""

from collections.abc import Mapping
from http import HTTPStatus

import structlog
from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.responses import Response

from vm_ari.domain.entries import Entry
from vm_ari.domain.openid import Errand, OpenIdRefused, named_by
from vm_ari.domain.portal_rights import Role
from vm_ari.domain.portal_sessions import Method
from vm_ari.web import cookies
from vm_ari.web.page import Page, Scope
from vm_ari.web.visit import Visit

log = structlog.get_logger("vm_ari.portal")

HOME = "/me/overview"
ERRAND = "__Host-vm-ari-errand"
_ERRAND_SECONDS = 600


async def home(visit: Visit) -> Response:
    """The start page."""
    return visit.see(HOME)


async def show(visit: Visit) -> Response:
    """The form."""
    return _form(visit, visit.request.query_params.get("next", ""))


async def sign_in(visit: Visit) -> Response:
    """Judge what was typed."""
    judge, wished = visit.parts.sign_in, visit.typed("next")
    if judge is None:
        return _form(visit, wished, refused="refused")
    client = visit.request.client
    name = visit.typed("name")
    entry = await judge.sign_in(name, visit.typed("password"), client.host if client else "")
    if entry is None:
        return _form(visit, wished, refused="wrong", name=name)
    return await admit(visit, entry, Method.PASSWORD, wished)


async def sign_out(visit: Visit) -> Response:
    """End the session, on the server, too."""
    await visit.parts.sessions.end(visit.request.cookies.get(cookies.SESSION, ""))
    response = visit.see("/sign-in")
    cookies.take_back(response, cookies.SESSION)
    cookies.take_back(response, cookies.FORM)
    return response


async def begin_openid(visit: Visit) -> Response:
    """Send the browser to the provider."""
    if visit.parts.openid is None:
        return _form(visit, "", refused="refused")
    try:
        errand = await visit.parts.openid.begin(_back(visit))
    except OpenIdRefused as error:
        log.error("single sign-on is not possible", reason=str(error))
        return _form(visit, "", refused="refused")
    response = visit.see(errand.address)
    wished = visit.request.query_params.get("next", "")
    memory = {"s": errand.state, "n": errand.nonce, "v": errand.verifier, "next": local(wished)}
    cookies.put(response, ERRAND, str(_signer(visit).dumps(memory)), seconds=_ERRAND_SECONDS)
    return response


async def finish_openid(visit: Visit) -> Response:
    """The browser comes back."""
    try:
        memory = _remembered(visit)
        entry = await _vouched_for(visit, memory)
    except OpenIdRefused as error:
        log.warning("single sign-on refused", reason=str(error))
        response = _form(visit, "", refused="refused")
        cookies.take_back(response, ERRAND)
        return response
    if entry is None:
        return _form(visit, "", refused="unknown")
    response = await admit(visit, entry, Method.OPENID, memory["next"])
    cookies.take_back(response, ERRAND)
    return response


async def admit(visit: Visit, entry: Entry, method: Method, wished: str) -> Response:
    """Somebody is signed in, with a new session: what a stranger may have planted is worthless."""
    sessions = visit.parts.sessions
    if old := visit.request.cookies.get(cookies.SESSION, ""):
        await sessions.end(old)
    token = await sessions.start(entry.id, method)
    log.info("signed in", user=entry.id, method=method.value)
    response = visit.see(local(wished))
    cookies.put(response, cookies.SESSION, token)
    visit.keep_secret(response)
    return response


def local(address: str) -> str:
    """Only a page of our own; anything else is the start page."""
    strange = not address.startswith("/") or address.startswith(("//", "/\\"))
    if strange or not address.isprintable() or "\\" in address:
        return HOME
    return address[:500]


async def _vouched_for(visit: Visit, memory: Mapping[str, str]) -> Entry | None:
    openid = visit.parts.openid
    if openid is None:
        raise OpenIdRefused("it is not configured")
    errand = Errand(memory["s"], memory["n"], memory["v"])
    claims = await openid.finish(errand, _back(visit), dict(visit.request.query_params))
    return await visit.parts.find(named_by(claims, openid.claim))


def _remembered(visit: Visit) -> dict[str, str]:
    try:
        found = _signer(visit).loads(visit.request.cookies.get(ERRAND, ""), max_age=_ERRAND_SECONDS)
    except BadSignature:
        raise OpenIdRefused("nobody was sent there from this browser lately") from None
    return {key: str(value) for key, value in found.items()}


def _signer(visit: Visit) -> URLSafeTimedSerializer:
    newest_last = list(reversed(visit.parts.signing_keys))
    return URLSafeTimedSerializer(newest_last, salt="openid errand")


def _back(visit: Visit) -> str:
    return f"{visit.parts.settings.base_url()}/sign-in/openid/back"


def _form(visit: Visit, wished: str, *, refused: str = "", name: str = "") -> Response:
    status = HTTPStatus.UNAUTHORIZED if refused else HTTPStatus.OK
    return visit.page(
        "sign-in.html",
        visit.words("sign-in.title"),
        status=status,
        next=local(wished) if wished else "",
        refused=refused,
        name=name,
        with_password=visit.parts.sign_in is not None,
        openid=visit.parts.openid,
    )


PAGES = (
    Page("", home, role=Role.ANYONE, scope=Scope.HOUSE),
    Page("sign-in", show, sign_in, role=Role.ANYONE, scope=Scope.HOUSE),
    Page("sign-out", None, sign_out, role=Role.ANYONE, scope=Scope.HOUSE),
    Page("sign-in/openid", begin_openid, role=Role.ANYONE, scope=Scope.HOUSE),
    Page("sign-in/openid/back", finish_openid, role=Role.ANYONE, scope=Scope.HOUSE),
)
