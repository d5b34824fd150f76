"""The global greeting (GREET-07): heard, uploaded, spoken, deleted; and when it plays."""

import asyncio
import shutil
import tempfile
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO, cast

import structlog
from starlette.datastructures import UploadFile
from starlette.responses import Response

from vm_ari.domain.greetings import SITE, GlobalMode, Greeting, GreetingKey, Slot
from vm_ari.domain.portal_rights import Role
from vm_ari.ports import GreetingsUnavailable, Unspeakable, UnusableAudio, VoiceUnavailable
from vm_ari.services.greetings import GreetingBook, NoGreeting
from vm_ari.web.admin_parts import said
from vm_ari.web.door import problem
from vm_ari.web.page import Page, Scope
from vm_ari.web.sound import sound_answer
from vm_ari.web.user_parts import UserParts
from vm_ari.web.visit import Visit

log = structlog.get_logger("vm_ari.portal")

LARGEST_FORM = 31_000_000
LONGEST_TEXT = 20_000
LONGEST_WAIT = 120.0
"""Seconds, while a file is converted or a text is spoken."""
_HERE = "/global-greeting"


@dataclass(frozen=True)
class Row:
    """One language."""

    language: str
    greeting: Greeting | None


class _Fault(Exception):
    """What was sent cannot be done; the text is for the admin."""


async def show(visit: Visit) -> Response:
    """What there is, and when it plays."""
    return await _shown(visit)


async def change(visit: Visit) -> Response:
    """By the form that was sent."""
    book = _book(visit)
    if book is None:
        return problem(visit, HTTPStatus.NOT_FOUND, "not-there")
    what = visit.typed("what")
    try:
        await _change(visit, book, what)
    except _Fault as fault:
        return await _shown(visit, str(fault))
    except UnusableAudio as error:
        return await _shown(visit, visit.words("global-greeting.unusable"), str(error))
    except (GreetingsUnavailable, VoiceUnavailable) as error:
        log.error("global greeting not changed", reason=str(error))
        return problem(visit, HTTPStatus.SERVICE_UNAVAILABLE, "away")
    log.info("global greeting changed", by=visit.me.entry.id, what=what)
    return await said(visit, "global-greeting.saved", _HERE)


async def sound(visit: Visit) -> Response:
    """The recording of one language."""
    book, language = _book(visit), str(visit.request.path_params["language"])
    if book is None or language not in visit.parts.languages:
        return problem(visit, HTTPStatus.NOT_FOUND, "not-there")
    try:
        path = Path(f"{(await book.find(_key(language))).path}.wav16")
        file = cast(BinaryIO, await asyncio.to_thread(path.open, "rb"))
    except (NoGreeting, FileNotFoundError):
        return problem(visit, HTTPStatus.NOT_FOUND, "not-there")
    except (GreetingsUnavailable, OSError) as error:
        log.error("global greeting cannot be read", reason=str(error))
        return problem(visit, HTTPStatus.SERVICE_UNAVAILABLE, "away")
    return await sound_answer(visit.request, file)


async def _change(visit: Visit, book: GreetingBook, what: str) -> None:
    """Raises `_Fault`, `UnusableAudio`, `GreetingsUnavailable`, `VoiceUnavailable`."""
    if what == "mode":
        await book.set_global_mode(_mode(visit))
        return
    language = visit.typed("language")
    if language not in visit.parts.languages:
        raise _Fault(visit.words("problem.unreadable.text"))
    match what:
        case "file":
            await _keep_file(visit, book, language)
        case "text":
            await _keep_text(visit, book, language)
        case "delete":
            await book.store.delete(_key(language))
        case _:
            raise _Fault(visit.words("problem.unreadable.text"))


async def _keep_file(visit: Visit, book: GreetingBook, language: str) -> None:
    sent = visit.form.get("sound")
    if not isinstance(sent, UploadFile) or not sent.size:
        raise _Fault(visit.words("global-greeting.no-file"))
    with tempfile.NamedTemporaryFile(prefix="vm-ari-upload-") as copy:
        await asyncio.to_thread(shutil.copyfileobj, sent.file, copy)
        await asyncio.to_thread(copy.flush)
        await book.keep_file(_key(language), Path(copy.name))


async def _keep_text(visit: Visit, book: GreetingBook, language: str) -> None:
    text = visit.typed("text").strip()
    if not text or len(text) > LONGEST_TEXT:
        raise _Fault(visit.words("global-greeting.no-text"))
    try:
        await book.keep_text(_key(language), text)
    except Unspeakable as error:
        log.info("text not spoken", reason=str(error))
        raise _Fault(visit.words("global-greeting.unspeakable")) from None


def _mode(visit: Visit) -> GlobalMode:
    try:
        return GlobalMode(visit.typed("mode"))
    except ValueError:
        raise _Fault(visit.words("problem.unreadable.text")) from None


def _book(visit: Visit) -> GreetingBook | None:
    parts = visit.part(UserParts)
    return parts.greetings if parts else None


def _key(language: str) -> GreetingKey:
    return GreetingKey(SITE, Slot.GLOBAL, language)


async def _shown(visit: Visit, error: str = "", reason: str = "") -> Response:
    book = _book(visit)
    if book is None:
        return problem(visit, HTTPStatus.NOT_FOUND, "not-there")
    try:
        there, mode = await book.store.of(SITE), await book.global_mode()
    except GreetingsUnavailable as why:
        log.error("global greeting cannot be read", reason=str(why))
        return problem(visit, HTTPStatus.SERVICE_UNAVAILABLE, "away")
    return visit.page(
        "global-greeting.html",
        visit.words("global-greeting.title"),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK,
        rows=[Row(code, there.get(_key(code))) for code in visit.parts.languages],
        mode=mode.value,
        modes=[one.value for one in GlobalMode],
        error=error,
        reason=reason,
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
        most_bytes=LARGEST_FORM,
        patience=LONGEST_WAIT,
    ),
    Page("global-greeting/{language}/sound", sound, role=Role.OPERATOR, scope=Scope.HOUSE),
)
