"""How a greeting comes about on a page: a file, a text, a call; and what was wrong with it."""

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import BinaryIO

import structlog
from starlette.datastructures import UploadFile

from vm_ari.domain.dialling import Allowed, Denied
from vm_ari.domain.greetings import GreetingKey
from vm_ari.ports import Unspeakable, UnusableAudio
from vm_ari.services.greetings import GreetingBook
from vm_ari.services.recording_calls import RecordingCalls
from vm_ari.web.form_fault import Fault
from vm_ari.web.user_parts import UserParts
from vm_ari.web.visit import Visit

log = structlog.get_logger("vm_ari.portal")

LARGEST_UPLOAD = 31_000_000
"""Bytes of a form with a sound file; the site's own limit is judged with the file."""
UPLOAD_SECONDS = 90.0
"""For a large file on a slow line; the file is prepared then."""
LONGEST_TEXT = 20_000
_LONGEST_NUMBER = 60


async def keep_file(visit: Visit, book: GreetingBook, key: GreetingKey) -> None:
    """What was uploaded becomes the greeting. Raises `Fault`, `GreetingsUnavailable`."""
    sent = visit.form.get("sound")
    if not isinstance(sent, UploadFile) or not sent.size:
        raise Fault("file", visit.words("greetings.fault.no-file"))
    with await asyncio.to_thread(_copy, sent.file) as copy:
        try:
            await book.keep_file(key, Path(copy.name))
        except UnusableAudio as error:
            raise Fault("file", _flaw(visit, error)) from None


async def keep_text(visit: Visit, book: GreetingBook, key: GreetingKey) -> None:
    """What was typed is spoken. Raises `Fault`, `GreetingsUnavailable`, `VoiceUnavailable`."""
    text = visit.typed("text").strip()
    if not text or len(text) > LONGEST_TEXT:
        raise Fault("text", visit.words("greetings.fault.no-text"))
    try:
        await book.keep_text(key, text)
    except Unspeakable as error:
        log.info("text not spoken", user=key.owner, reason=str(error))
        raise Fault("text", visit.words("greetings.fault.unspeakable")) from None
    except UnusableAudio as error:
        raise Fault("text", _flaw(visit, error)) from None


def callable_number(visit: Visit) -> Allowed:
    """The number that was typed or chosen, by the dialling rules. Raises `Fault`."""
    _, recording = _callers(visit)
    number = (visit.typed("other").strip() or visit.typed("phone"))[:_LONGEST_NUMBER]
    judged = recording.judge(number)
    if isinstance(judged, Denied):
        why = f"dialling.{judged.why.name.lower()}"
        raise Fault("call", visit.words(why, number=number))
    return judged


def begin_call(visit: Visit, key: GreetingKey, number: Allowed, caller: str) -> None:
    """It goes on beside the page; one at a time of each *caller*. Raises `Fault`."""
    parts, recording = _callers(visit)
    if not parts.calls.begin(caller, lambda: recording.record(key, number)):
        raise Fault("call", visit.words("calls.busy"))


def _callers(visit: Visit) -> tuple[UserParts, RecordingCalls]:
    parts = visit.part(UserParts)
    if parts is None or parts.recording is None:
        raise Fault("call", visit.words("problem.away.text"))
    return parts, parts.recording


def _copy(sent: BinaryIO) -> "tempfile._TemporaryFileWrapper[bytes]":
    """A file with a name, for us alone; it goes when it is closed."""
    copy = tempfile.NamedTemporaryFile(prefix="vm-ari-upload-")  # noqa: SIM115 - the caller closes
    shutil.copyfileobj(sent, copy)
    copy.flush()
    return copy


def _flaw(visit: Visit, error: UnusableAudio) -> str:
    key = f"greetings.fault.{error.flaw or 'unreadable'}"
    return visit.words(key if visit.words.has(key) else "greetings.fault.unreadable")
