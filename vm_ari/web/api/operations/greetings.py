"""Greetings: listed, heard, uploaded, spoken from a text, ended, deleted (GREET-01, GREET-09)."""

import asyncio
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Annotated, BinaryIO, cast
from zoneinfo import ZoneInfo

import structlog
from pydantic import Field
from starlette.responses import Response

from vm_ari.domain.answering import decide
from vm_ari.domain.ends import NEVER, BadEnd, coming_end
from vm_ari.domain.greetings import Greeting, GreetingKey, Slot
from vm_ari.domain.portal_rights import Feature
from vm_ari.ports import (
    GreetingsUnavailable,
    Unspeakable,
    UnusableAudio,
    VoiceUnavailable,
)
from vm_ari.services.greetings import GreetingBook, NoGreeting
from vm_ari.web.api.bodies import into_file, must_be
from vm_ari.web.api.models import Given, Line, Told
from vm_ari.web.api.operation import Answer, Ask, Operation
from vm_ari.web.api.problems import Problem, invalid, not_there
from vm_ari.web.greeting_forms import LARGEST_UPLOAD, LONGEST_TEXT, UPLOAD_SECONDS
from vm_ari.web.pages.greetings import slots
from vm_ari.web.pages.overview import situation_now
from vm_ari.web.sound import WAV, sound_answer
from vm_ari.web.user_parts import UserParts
from vm_ari.web.visit import Visit

log = structlog.get_logger("vm_ari.portal")

SOUNDS = (
    "audio/wav",
    "audio/x-wav",
    "audio/mpeg",
    "audio/ogg",
    "audio/flac",
    "application/octet-stream",
)
"""What an upload may be called; what it is, is decided by looking."""


class GreetingTold(Told):
    """One greeting, there or not."""

    slot: str = Field(description="The profile that it is for, internal, or name.")
    language: str
    there: bool
    seconds: float = 0.0
    source: str | None = Field(default=None, description="phone, upload or speech.")
    recorded: datetime | None = None
    expires: datetime | None = Field(default=None, description="null: never.")


class GreetingList(Told):
    """All that can be there."""

    greetings: list[GreetingTold]


class SpokenGiven(Given):
    """A text that becomes the greeting."""

    text: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]


class EndGiven(Given):
    """Until when it plays."""

    until: Line = Field(description=f"A last day, a moment (2026-12-31T18:00), or {NEVER}.")


async def listed(ask: Ask) -> Answer:
    """Every slot and language."""
    there = await _book(ask.visit).store.of(ask.visit.owner.id)
    keys = (
        GreetingKey(ask.visit.owner.id, slot, code)
        for slot in slots(ask.visit)
        for code in ask.visit.parts.languages
    )
    return GreetingList(greetings=[_told(key, there.get(key)) for key in keys])


async def heard_now(ask: Ask) -> Answer:
    """What a stranger hears first just now."""
    parts = ask.visit.part(UserParts)
    if parts is None or parts.sounds is None:
        raise not_there("sound")
    answer = decide(await situation_now(ask.visit, ""))
    sound = await parts.sounds.of(answer.plays, answer.greeting.language.language)
    return await sound_answer(ask.visit.request, sound)


async def show(ask: Ask) -> Answer:
    """One."""
    key = _key(ask)
    return _told(key, (await _book(ask.visit).store.of(key.owner)).get(key))


async def sound(ask: Ask) -> Answer:
    """The recording."""
    try:
        greeting = await _book(ask.visit).find(_key(ask))
        path = Path(f"{greeting.path}.wav16")
        file = cast(BinaryIO, await asyncio.to_thread(path.open, "rb"))
    except (NoGreeting, FileNotFoundError):
        raise not_there("greeting") from None
    except OSError as error:
        raise GreetingsUnavailable(str(error)) from None
    return await sound_answer(ask.visit.request, file)


async def upload(ask: Ask) -> Answer:
    """A file of any common format becomes the greeting."""
    visit, key = ask.visit, _key(ask)
    must_be(visit.request, SOUNDS)
    with tempfile.NamedTemporaryFile(prefix="vm-ari-upload-") as copy:
        file = Path(copy.name)
        try:
            size = await into_file(visit.request, file, LARGEST_UPLOAD)
        except OSError as error:
            raise GreetingsUnavailable(str(error)) from None
        if not size:
            raise invalid("body", visit.words("greetings.fault.no-file"))
        try:
            kept = await _book(visit).keep_file(key, file)
        except UnusableAudio as error:
            raise _flaw(visit, error) from None
    return _kept(visit, kept)


async def speak(ask: Ask) -> Answer:
    """The system's voice says the text."""
    visit, text = ask.visit, ask.given(SpokenGiven).text.strip()
    if not text:
        raise invalid("body.text", visit.words("greetings.fault.no-text"))
    try:
        kept = await _book(visit).keep_text(_key(ask), text)
    except Unspeakable as error:
        log.info("text not spoken", user=visit.owner.id, reason=str(error))
        raise invalid("body.text", visit.words("greetings.fault.unspeakable")) from None
    except UnusableAudio as error:
        raise _flaw(visit, error) from None
    except VoiceUnavailable as error:
        raise GreetingsUnavailable(str(error)) from None
    return _kept(visit, kept)


async def end(ask: Ask) -> Answer:
    """It plays until then."""
    visit = ask.visit
    zone, now = ZoneInfo(visit.user.time_zone), visit.parts.clock.now()
    try:
        moment = coming_end(ask.given(EndGiven).until, zone, now)
        kept = await _book(visit).set_expiry(_key(ask), moment)
    except BadEnd as error:
        raise invalid("body.until", str(error)) from None
    except NoGreeting:
        raise not_there("greeting") from None
    return _kept(visit, kept)


async def delete(ask: Ask) -> Answer:
    """Forget it."""
    key = _key(ask)
    try:
        await _book(ask.visit).delete(key)
    except NoGreeting:
        raise not_there("greeting") from None
    _log(ask.visit, key)
    return Response(status_code=204)


def _key(ask: Ask) -> GreetingKey:
    """The greeting that the address names. Raises `Problem`."""
    visit, slot, code = ask.visit, ask.part("slot"), ask.part("language")
    if slot not in [one.value for one in slots(visit)] or code not in visit.parts.languages:
        raise not_there("greeting")
    return GreetingKey(visit.owner.id, Slot(slot), code)


def _book(visit: Visit) -> GreetingBook:
    """Raises `GreetingsUnavailable`."""
    parts = visit.part(UserParts)
    if parts is None or parts.greetings is None:
        raise GreetingsUnavailable("no greetings are stored here")
    return parts.greetings


def _kept(visit: Visit, greeting: Greeting) -> GreetingTold:
    _log(visit, greeting.key)
    return _told(greeting.key, greeting)


def _log(visit: Visit, key: GreetingKey) -> None:
    log.info("greeting changed", user=key.owner, by=visit.me.entry.id, slot=key.slot.value)


def _told(key: GreetingKey, found: Greeting | None) -> GreetingTold:
    if found is None:
        return GreetingTold(slot=key.slot.value, language=key.language, there=False)
    return GreetingTold(
        slot=key.slot.value,
        language=key.language,
        there=True,
        seconds=found.seconds,
        source=found.source.value,
        recorded=found.recorded,
        expires=found.expires,
    )


def _flaw(visit: Visit, error: UnusableAudio) -> Problem:
    key = f"greetings.fault.{error.flaw or 'unreadable'}"
    found = key if visit.words.has(key) else "greetings.fault.unreadable"
    return invalid("body", visit.words(found))


_ONE = "greetings/{slot}/{language}"
OPERATIONS = (
    Operation(
        "listGreetings", "GET", "greetings", listed, "Every greeting, there or not", GreetingList
    ),
    Operation(
        "hearWhatCallersHear",
        "GET",
        "now/sound",
        heard_now,
        "What a caller from outside hears first just now",
        media=WAV,
    ),
    Operation("showGreeting", "GET", _ONE, show, "One greeting", GreetingTold, state=show),
    Operation("hearGreeting", "GET", f"{_ONE}/sound", sound, "The recording", media=WAV),
    Operation(
        "uploadGreeting",
        "PUT",
        f"{_ONE}/sound",
        upload,
        "A sound file becomes the greeting",
        GreetingTold,
        feature=Feature.GREETINGS,
        state=show,
        sends=SOUNDS,
        most_bytes=LARGEST_UPLOAD,
        patience=UPLOAD_SECONDS,
    ),
    Operation(
        "speakGreeting",
        "PUT",
        f"{_ONE}/text",
        speak,
        "A text becomes the greeting, said by the system's voice",
        GreetingTold,
        takes=SpokenGiven,
        feature=Feature.GREETINGS,
        state=show,
        patience=UPLOAD_SECONDS,
    ),
    Operation(
        "endGreeting",
        "PATCH",
        _ONE,
        end,
        "Until when a greeting plays",
        GreetingTold,
        takes=EndGiven,
        feature=Feature.GREETINGS,
        state=show,
    ),
    Operation(
        "deleteGreeting",
        "DELETE",
        _ONE,
        delete,
        "Forget a greeting",
        status=204,
        feature=Feature.GREETINGS,
        state=show,
    ),
)
