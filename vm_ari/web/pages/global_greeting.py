"""The global greeting (GREET-07): heard, recorded, uploaded, spoken, deleted; when it plays."""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO, cast

import structlog
from starlette.responses import Response

from vm_ari.domain.greetings import SITE, GlobalMode, Greeting, GreetingKey, Slot
from vm_ari.domain.portal_rights import Role
from vm_ari.ports import GreetingsUnavailable, MailNotQueued, VoiceUnavailable
from vm_ari.services.greetings import GreetingBook, NoGreeting
from vm_ari.services.invitations import Invitations, NotInvited
from vm_ari.services.user_calls import Progress
from vm_ari.web.admin_parts import said
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
from vm_ari.web.sound import sound_answer
from vm_ari.web.user_parts import UserParts
from vm_ari.web.visit import Visit

log = structlog.get_logger("vm_ari.portal")

_HERE = "/global-greeting"
_LONGEST_ADDRESS = 254


@dataclass(frozen=True)
class Row:
    """One language."""

    language: str
    greeting: Greeting | None


async def show(visit: Visit) -> Response:
    """What there is, and when it plays."""
    return await _shown(visit)


async def change(visit: Visit) -> Response:
    """By the form that was sent."""
    book = book_of(visit)
    if book is None:
        return problem(visit, HTTPStatus.NOT_FOUND, "not-there")
    what = visit.typed("what")
    try:
        sentence = await _change(visit, book, what)
    except Fault as fault:
        return await _shown(visit, fault)
    except (GreetingsUnavailable, VoiceUnavailable, MailNotQueued) as error:
        log.error("global greeting not changed", reason=str(error))
        return problem(visit, HTTPStatus.SERVICE_UNAVAILABLE, "away")
    if not sentence:
        return visit.see(_HERE)
    log.info("global greeting changed", by=visit.me.entry.id, what=what)
    return await said(visit, f"global-greeting.{sentence}", _HERE)


async def sound(visit: Visit) -> Response:
    """The recording of one language."""
    language = str(visit.request.path_params["language"])
    if language not in visit.parts.languages:
        return problem(visit, HTTPStatus.NOT_FOUND, "not-there")
    return await heard(visit, language)


async def heard(visit: Visit, language: str) -> Response:
    """The recording of a language that there is."""
    book = book_of(visit)
    if book is None:
        return problem(visit, HTTPStatus.NOT_FOUND, "not-there")
    try:
        path = Path(f"{(await book.find(global_key(language))).path}.wav16")
        file = cast(BinaryIO, await asyncio.to_thread(path.open, "rb"))
    except (NoGreeting, FileNotFoundError):
        return problem(visit, HTTPStatus.NOT_FOUND, "not-there")
    except (GreetingsUnavailable, OSError) as error:
        log.error("global greeting cannot be read", reason=str(error))
        return problem(visit, HTTPStatus.SERVICE_UNAVAILABLE, "away")
    return await sound_answer(visit.request, file)


async def call_state(visit: Visit) -> Response:
    """How the call goes in which it is recorded: asked for by the page itself."""
    return visit.page("call-state.html", "", progress=_progress(visit), state_at=f"{_HERE}/call")


def book_of(visit: Visit) -> GreetingBook | None:
    """None: no greetings are stored here."""
    parts = visit.part(UserParts)
    return parts.greetings if parts else None


def global_key(language: str) -> GreetingKey:
    """Of the site's greeting in that language."""
    return GreetingKey(SITE, Slot.GLOBAL, language)


async def _change(visit: Visit, book: GreetingBook, what: str) -> str:
    """The sentence that says what is done; empty: a call is on its way.

    Raises `Fault`, `GreetingsUnavailable`, `VoiceUnavailable`, `MailNotQueued`.
    """
    if what == "mode":
        await book.set_global_mode(_mode(visit))
        return "saved"
    language = visit.typed("language")
    if language not in visit.parts.languages:
        raise Fault("", visit.words("problem.unreadable.text"))
    key = global_key(language)
    match what:
        case "file":
            await keep_file(visit, book, key)
        case "text":
            await keep_text(visit, book, key)
        case "delete":
            await book.store.delete(key)
        case "call":
            begin_call(visit, key, callable_number(visit), _caller(visit))
            return ""
        case "invite":
            await _invite(visit, language)
            return "invited"
        case _:
            raise Fault("", visit.words("problem.unreadable.text"))
    return "saved"


async def _invite(visit: Visit, language: str) -> None:
    """Raises `Fault`, `MailNotQueued`."""
    invitations, whom = visit.part(Invitations), visit.typed("whom").strip()
    if invitations is None:
        raise Fault("invite", visit.words("problem.away.text"))
    if not whom or len(whom) > _LONGEST_ADDRESS or not whom.isprintable():
        raise Fault("invite", visit.words("global-greeting.no-address"))
    try:
        await invitations.invite(whom, language)
    except NotInvited as error:
        log.info("not invited", by=visit.me.entry.id, reason=str(error))
        raise Fault("invite", visit.words("global-greeting.not-invited")) from None


def _mode(visit: Visit) -> GlobalMode:
    try:
        return GlobalMode(visit.typed("mode"))
    except ValueError:
        raise Fault("", visit.words("problem.unreadable.text")) from None


def _caller(visit: Visit) -> str:
    """Of that admin's calls for this, beside those for his own greetings."""
    return f"global greeting, asked for by {visit.me.entry.id}"


def _progress(visit: Visit) -> Progress | None:
    parts = visit.part(UserParts)
    return parts.calls.tell(_caller(visit)) if parts else None


async def _shown(visit: Visit, fault: Fault | None = None) -> Response:
    book, parts = book_of(visit), visit.part(UserParts)
    if book is None or parts is None:
        return problem(visit, HTTPStatus.NOT_FOUND, "not-there")
    try:
        there, mode = await book.store.of(SITE), await book.global_mode()
    except GreetingsUnavailable as why:
        log.error("global greeting cannot be read", reason=str(why))
        return problem(visit, HTTPStatus.SERVICE_UNAVAILABLE, "away")
    return visit.page(
        "global-greeting.html",
        visit.words("global-greeting.title"),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if fault else HTTPStatus.OK,
        rows=[Row(code, there.get(global_key(code))) for code in visit.parts.languages],
        mode=mode.value,
        modes=[one.value for one in GlobalMode],
        fault=fault,
        typed=visit.typed,
        longest=parts.longest_greeting,
        progress=_progress(visit),
        state_at=f"{_HERE}/call",
        zone=visit.me.user.time_zone,
    )


PAGES = (
    Page(
        "global-greeting",
        show,
        change,
        role=Role.OPERATOR,
        scope=Scope.HOUSE,
        menu=30,
        most_bytes=LARGEST_UPLOAD,
        patience=UPLOAD_SECONDS,
    ),
    Page("global-greeting/call", call_state, role=Role.OPERATOR, scope=Scope.HOUSE, passive=True),
    Page("global-greeting/{language}/sound", sound, role=Role.OPERATOR, scope=Scope.HOUSE),
)
