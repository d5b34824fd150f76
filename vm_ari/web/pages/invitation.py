"""Whoever was invited records the global greeting here, and can do nothing else (GREET-07)."""

from http import HTTPStatus

import structlog
from starlette.responses import Response

from vm_ari.domain.greetings import Greeting
from vm_ari.domain.invitations import VISIT, Invitation
from vm_ari.domain.portal_rights import Role
from vm_ari.ports import GreetingsUnavailable, VoiceUnavailable
from vm_ari.services.greetings import GreetingBook
from vm_ari.services.invitations import Invitations
from vm_ari.services.user_calls import Progress
from vm_ari.web import cookies
from vm_ari.web.door import problem
from vm_ari.web.form_fault import Fault
from vm_ari.web.greeting_forms import (
    LARGEST_UPLOAD,
    UPLOAD_SECONDS,
    begin_call,
    callable_number,
    keep_file,
    keep_text,
)
from vm_ari.web.page import Page, Scope
from vm_ari.web.pages.global_greeting import book_of, global_key, heard
from vm_ari.web.user_parts import UserParts
from vm_ari.web.visit import Visit

log = structlog.get_logger("vm_ari.portal")

COOKIE = "__Host-vm-ari-invitation"
_HERE = "/invited"


async def show_link(visit: Visit) -> Response:
    """The form for the access code; looking at it uses nothing up."""
    invitations = visit.part(Invitations)
    there = invitations is not None and await invitations.can_be_opened(_link(visit))
    return _asking(visit, "" if there else "over")


async def open_link(visit: Visit) -> Response:
    """With the access code, once."""
    invitations = visit.part(Invitations)
    opened = await invitations.open(_link(visit), visit.typed("code")) if invitations else ""
    if not invitations or not opened:
        there = invitations is not None and await invitations.can_be_opened(_link(visit))
        return _asking(visit, "wrong" if there else "over")
    response = visit.see(_HERE)
    cookies.put(response, COOKIE, opened, seconds=int(VISIT.total_seconds()))
    visit.keep_secret(response)
    return response


async def show(visit: Visit) -> Response:
    """Every way to record it."""
    found = await _invited(visit)
    return await _shown(visit, found) if found else _asking(visit, "over")


async def change(visit: Visit) -> Response:
    """By the form that was sent."""
    found, book = await _invited(visit), book_of(visit)
    if found is None or book is None:
        return _asking(visit, "over")
    what = visit.typed("what")
    if what == "end":
        return await _ended(visit, found)
    try:
        await _change(visit, book, found, what)
    except Fault as fault:
        return await _shown(visit, found, fault)
    except VoiceUnavailable as error:
        raise GreetingsUnavailable(str(error)) from error
    log.info("global greeting by invitation", language=found.language, what=what)
    return visit.see(_HERE if what == "call" else f"{_HERE}?saved=1")


async def sound(visit: Visit) -> Response:
    """What is recorded."""
    found = await _invited(visit)
    if found is None:
        return problem(visit, HTTPStatus.NOT_FOUND, "not-there")
    return await heard(visit, found.language)


async def call_state(visit: Visit) -> Response:
    """How the call goes: asked for by the page itself."""
    found = await _invited(visit)
    progress = _progress(visit, found) if found else None
    return visit.page("call-state.html", "", progress=progress, state_at=f"{_HERE}/call")


async def _change(visit: Visit, book: GreetingBook, found: Invitation, what: str) -> None:
    """Raises `Fault`, `GreetingsUnavailable`, `VoiceUnavailable`."""
    key = global_key(found.language)
    match what:
        case "file":
            await keep_file(visit, book, key)
        case "text":
            await keep_text(visit, book, key)
        case "call":
            number, invitations = callable_number(visit), visit.part(Invitations)
            if invitations is None or not await invitations.may_call(found):
                raise Fault("call", visit.words("invitation.enough-calls"))
            begin_call(visit, key, number, _caller(found))
        case _:
            raise Fault("", visit.words("problem.unreadable.text"))


async def _ended(visit: Visit, found: Invitation) -> Response:
    invitations = visit.part(Invitations)
    assert invitations
    await invitations.end(found)
    response = visit.page("invitation.html", visit.words("invitation.title"), why="done")
    cookies.take_back(response, COOKIE)
    return response


async def _invited(visit: Visit) -> Invitation | None:
    """By what this browser has."""
    invitations = visit.part(Invitations)
    return await invitations.visited(visit.request.cookies.get(COOKIE, "")) if invitations else None


def _link(visit: Visit) -> str:
    return str(visit.request.path_params["link"])


def _caller(found: Invitation) -> str:
    return f"invitation {found.key}"


def _progress(visit: Visit, found: Invitation) -> Progress | None:
    parts = visit.part(UserParts)
    return parts.calls.tell(_caller(found)) if parts else None


def _asking(visit: Visit, why: str) -> Response:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if why else HTTPStatus.OK
    return visit.page("invitation.html", visit.words("invitation.title"), status=status, why=why)


async def _shown(visit: Visit, found: Invitation, fault: Fault | None = None) -> Response:
    book, parts = book_of(visit), visit.part(UserParts)
    if book is None or parts is None:
        return problem(visit, HTTPStatus.NOT_FOUND, "not-there")
    key = global_key(found.language)
    greeting: Greeting | None = (await book.store.of(key.owner)).get(key)
    language = visit.words(f"languages.{found.language}")
    return visit.page(
        "invited.html",
        visit.words("invitation.one", language=language),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if fault else HTTPStatus.OK,
        greeting=greeting,
        language=found.language,
        fault=fault,
        typed=visit.typed,
        saved=visit.request.query_params.get("saved") == "1",
        longest=parts.longest_greeting,
        progress=_progress(visit, found),
        state_at=f"{_HERE}/call",
    )


PAGES = (
    Page("invitation/{link}", show_link, open_link, role=Role.ANYONE, scope=Scope.HOUSE),
    Page(
        "invited",
        show,
        change,
        role=Role.ANYONE,
        scope=Scope.HOUSE,
        most_bytes=LARGEST_UPLOAD,
        patience=UPLOAD_SECONDS,
    ),
    Page("invited/call", call_state, role=Role.ANYONE, scope=Scope.HOUSE, passive=True),
    Page("invited/sound", sound, role=Role.ANYONE, scope=Scope.HOUSE),
)
