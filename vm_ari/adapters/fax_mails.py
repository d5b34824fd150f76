"""Faxes that came by mail: taken out in one confined worker, read in another (INBOX-10)."""

import json
import os
import tempfile
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from vm_ari.adapters.fax_text import MEDIA_TYPES, FaxText
from vm_ari.adapters.mail_files import write_private
from vm_ari.adapters.worker_process import WorkerTooChatty, WorkerTooSlow, run_module
from vm_ari.ports import FaxPage, FaxUnreadable

log = structlog.get_logger(__name__)

WORKER = "vm_ari.adapters.fax_attachment_worker"
PATIENCE = 10.0
LARGEST = 20_000_000
"""Bytes of an attachment."""
_WORDS = 1000
"""Bytes that the worker says besides."""
_MOST_PAGES = 1000


@dataclass(frozen=True)
class Attached:
    """A fax as it lay in a mail."""

    media_type: str
    content: bytes
    pages: int
    """0: nobody can tell."""


class FaxMails:
    """`ports.FaxReader`; *text* recognises what is written on a fax."""

    def __init__(self, text: FaxText, *, patience: float = PATIENCE) -> None:
        self._text = text
        self._patience = patience

    async def pages(self, mail: Path) -> AsyncGenerator[FaxPage, None]:
        """See `FaxReader`; the file that is written for it is gone when this is closed."""
        fax = await attached_fax(mail, seconds=self._patience)
        with _file(fax.content) as document:
            texts = self._text.pages(document, fax.media_type)
            number = 0
            async with aclosing(texts):
                async for text in texts:
                    number += 1
                    yield FaxPage(number, text, max(fax.pages, number) if fax.pages else None)


async def attached_fax(mail: Path, *, seconds: float = PATIENCE) -> Attached:
    """The fax in a mail, whoever made it. Raises `FaxUnreadable`."""
    try:
        given = os.open(mail, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            most = LARGEST + _WORDS
            done = await run_module(WORKER, (), given, seconds=seconds, most_output=most)
        finally:
            os.close(given)
    except WorkerTooSlow:
        raise FaxUnreadable("It takes too long to find a fax in this mail.") from None
    except WorkerTooChatty:
        raise FaxUnreadable(f"The fax is larger than {LARGEST // 1_000_000} MB.") from None
    except OSError as error:
        raise FaxUnreadable(f"The mail cannot be read: {error.strerror}.") from error
    head, _, rest = done.output.partition(b"\n")
    facts = _answer(head)
    kind, size = facts.get("type"), facts.get("size")
    if not isinstance(kind, str) or kind not in MEDIA_TYPES or not isinstance(size, int):
        raise FaxUnreadable("There is no fax in this mail.")
    if not 0 < size <= len(rest):
        raise FaxUnreadable("The fax in this mail is damaged.")
    pages = _answer(rest[size:]).get("pages")
    told = pages if isinstance(pages, int) and 0 < pages <= _MOST_PAGES else 0
    return Attached(kind, rest[:size], told)


def _answer(line: bytes) -> dict[str, object]:
    try:
        answer = json.loads(line[:_WORDS])
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


@contextmanager
def _file(content: bytes) -> Iterator[Path]:
    """For us alone, as long as it is needed. Raises `FaxUnreadable`."""
    try:
        folder = tempfile.TemporaryDirectory(prefix="vm-ari-fax-", ignore_cleanup_errors=True)
        with folder as name:
            document = Path(name) / "fax"
            write_private(document, [content])
            yield document
    except OSError as error:
        raise FaxUnreadable(f"There is no room for the fax: {error.strerror}.") from error
