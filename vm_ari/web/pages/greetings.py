"""Greetings: heard, recorded by microphone or telephone, uploaded, spoken (GREET-01, GREET-09)."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO, cast
from zoneinfo import ZoneInfo

import structlog
from starlette.responses import Response

from vm_ari.domain.answering import decide
from vm_ari.domain.ends import NEVER, BadEnd, coming_end
from vm_ari.domain.greetings import Greeting, GreetingKey, Slot
from vm_ari.domain.portal_rights import Feature
from vm_ari.ports import GreetingsUnavailable, VoiceUnavailable
from vm_ari.services.greetings import GreetingBook, NoGreeting
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
from vm_ari.web.page import Page
from vm_ari.web.pages.overview import situation_now
from vm_ari.web.sound import sound_answer
from vm_ari.web.user_parts import UserParts
from vm_ari.web.visit import Visit

log = structlog.get_logger("vm_ari.portal")


@dataclass(frozen=True)
class Row:
    """One greeting of the table, there or not."""

    slot: Slot
    greetings: tuple[tuple[str, Greeting | None], ...]
    """By language."""


async def show(visit: Visit) -> Response:
    """Everything that there is, and what callers hear just now."""
    try:
        there = await _book(visit).store.of(visit.owner.id)
    except GreetingsUnavailable as error:
        return _away(visit, error)
    answer = decide(await situation_now(visit, ""))
    languages = visit.parts.languages
    rows = [
        Row(slot, tuple((code, there.get(_key(visit, slot, code))) for code in languages))
        for slot in slots(visit)
    ]
    return visit.page(
        "greetings.html",
        visit.words("greetings.title"),
        rows=rows,
        languages=languages,
        answer=answer,
        now=visit.parts.clock.now(),
    )


async def sound_now(visit: Visit) -> Response:
    """What a caller from outside hears first just now."""
    parts = visit.part(UserParts)
    if parts is None or parts.sounds is None:
        return _nothing(visit)
    answer = decide(await situation_now(visit, ""))
    try:
        sound = await parts.sounds.of(answer.plays, answer.greeting.language.language)
    except GreetingsUnavailable as error:
        return _away(visit, error)
    return await sound_answer(visit.request, sound)


async def show_one(visit: Visit) -> Response:
    """One greeting, and every way to make it."""
    key = _asked(visit)
    return await _shown(visit, key) if key else _nothing(visit)


async def sound(visit: Visit) -> Response:
    """The recording."""
    key = _asked(visit)
    if key is None:
        return _nothing(visit)
    try:
        greeting = await _book(visit).find(key)
        path = Path(f"{greeting.path}.wav16")
        file = cast(BinaryIO, await asyncio.to_thread(path.open, "rb"))
    except (NoGreeting, FileNotFoundError):
        return _nothing(visit)
    except (GreetingsUnavailable, OSError) as error:
        return _away(visit, error)
    return await sound_answer(visit.request, file)


async def change(visit: Visit) -> Response:
    """Record, speak, call, end or delete, by the form that was sent."""
    key = _asked(visit)
    if key is None:
        return _nothing(visit)
    try:
        sentence = await _change(visit, key)
    except Fault as fault:
        return await _shown(visit, key, fault)
    except (GreetingsUnavailable, VoiceUnavailable) as error:
        return _away(visit, error)
    if not sentence:
        return visit.see(visit.link(_path(key)))
    log.info("greeting changed", user=key.owner, by=visit.me.entry.id, slot=key.slot.value)
    return await visit.done(f"greetings.{sentence}", _path(key))


async def call_state(visit: Visit) -> Response:
    """How the call goes in which a greeting is recorded: asked for by the page itself."""
    parts = visit.part(UserParts)
    progress = parts.calls.tell(visit.user.id) if parts else None
    return visit.page("call-state.html", "", progress=progress, words="greetings")


async def _change(visit: Visit, key: GreetingKey) -> str:
    """The sentence that says what is done; empty: a call is on its way.

    Raises `Fault`, `GreetingsUnavailable`, `VoiceUnavailable`.
    """
    match visit.typed("what"):
        case "file":
            await keep_file(visit, _book(visit), key)
            return "saved"
        case "text":
            await keep_text(visit, _book(visit), key)
            return "saved"
        case "call":
            begin_call(visit, key, callable_number(visit), visit.user.id)
            return ""
        case "end":
            await _end(visit, key)
            return "end-saved"
        case "delete":
            return "deleted" if await _book(visit).store.delete(key) else "not-there"
    raise Fault("", visit.words("problem.unreadable.text"))


async def _end(visit: Visit, key: GreetingKey) -> None:
    """Raises `Fault`."""
    zone, now = ZoneInfo(visit.user.time_zone), visit.parts.clock.now()
    try:
        end = coming_end(visit.typed("until").strip() or NEVER, zone, now)
        await _book(visit).set_expiry(key, end)
    except BadEnd:
        raise Fault("end", visit.words("greetings.fault.end")) from None
    except NoGreeting:
        raise Fault("end", visit.words("greetings.not-there")) from None


async def _shown(visit: Visit, key: GreetingKey, fault: Fault | None = None) -> Response:
    parts = visit.part(UserParts)
    try:
        found = (await _book(visit).store.of(key.owner)).get(key)
    except GreetingsUnavailable as error:
        return _away(visit, error)
    return visit.page(
        "greeting.html",
        visit.words(
            "greetings.one",
            slot=visit.words(f"greetings.slot.{key.slot.value}"),
            language=visit.words(f"languages.{key.language}"),
        ),
        status=HTTPStatus.UNPROCESSABLE_ENTITY if fault else HTTPStatus.OK,
        key=key,
        path=_path(key),
        greeting=found,
        until=_last_day(found, visit.user.time_zone),
        fault=fault,
        text=visit.typed("text"),
        other=visit.typed("other"),
        progress=parts.calls.tell(visit.user.id) if parts else None,
        words="greetings",
        longest=parts.longest_greeting if parts else 0,
        now=visit.parts.clock.now(),
    )


def _last_day(greeting: Greeting | None, zone: str) -> str:
    """As the field has it; what ends within a day is shown with the day."""
    if greeting is None or greeting.expires is None:
        return ""
    there: datetime = greeting.expires.astimezone(ZoneInfo(zone))
    midnight = (there.hour, there.minute, there.second) == (0, 0, 0)
    ordinal = there.date().toordinal() - (1 if midnight else 0)
    return datetime.fromordinal(ordinal).date().isoformat()


def _book(visit: Visit) -> GreetingBook:
    """Raises `GreetingsUnavailable`."""
    parts = visit.part(UserParts)
    if parts is None or parts.greetings is None:
        raise GreetingsUnavailable("no greetings are stored here")
    return parts.greetings


def slots(visit: Visit) -> list[Slot]:
    """Those that can be heard here; the spoken name last."""
    rules = visit.parts.own_settings.rules
    offered = [Slot(profile.value) for profile in rules.profiles]
    return [*offered, *([Slot.INTERNAL] if rules.internal_profile else []), Slot.NAME]


def _key(visit: Visit, slot: Slot, code: str) -> GreetingKey:
    return GreetingKey(visit.owner.id, slot, code)


def _asked(visit: Visit) -> GreetingKey | None:
    """The greeting that the address names; None: there is no such thing here."""
    slot, code = (visit.request.path_params[name] for name in ("slot", "language"))
    known = slot in [one.value for one in slots(visit)] and code in visit.parts.languages
    return _key(visit, Slot(slot), code) if known else None


def _path(key: GreetingKey) -> str:
    return f"greetings/{key.slot.value}/{key.language}"


def _nothing(visit: Visit) -> Response:
    return problem(visit, HTTPStatus.NOT_FOUND, "not-there")


def _away(visit: Visit, error: Exception) -> Response:
    log.warning("greetings not possible now", user=visit.user.id, reason=str(error))
    return problem(visit, HTTPStatus.SERVICE_UNAVAILABLE, "away")


PAGES = (
    Page("greetings", show, feature=Feature.GREETINGS, menu=25),
    Page("greetings/now", sound_now),
    Page("greetings/call", call_state, passive=True),
    Page(
        "greetings/{slot}/{language}",
        show_one,
        change,
        feature=Feature.GREETINGS,
        patience=UPLOAD_SECONDS,
        most_bytes=LARGEST_UPLOAD,
    ),
    Page("greetings/{slot}/{language}/sound", sound),
)
