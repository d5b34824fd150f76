"""The text of fax pages, by optical character recognition (SPEECH-03, INBOX-10).

The recogniser is the program ``tesseract`` of the system, with the languages that are installed
beside it. A fax comes from anybody: it is decoded and recognised in a confined worker, and what
the worker answers is not trusted either.
"""

import asyncio
import json
import os
import shutil
import stat
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path

import structlog

from vm_ari.adapters.worker_process import (
    WorkerTooChatty,
    WorkerTooSlow,
    lines_of_module,
    run_module,
)
from vm_ari.domain.recognised_text import joined_words, readable_lines
from vm_ari.ports import FaxUnreadable, NoOcr

log = structlog.get_logger(__name__)

WORKER = "vm_ari.adapters.fax_text_worker"
PROGRAM = "tesseract"
LANGUAGES = {
    "de": "deu",
    "en": "eng",
    "es": "spa",
    "fr": "fra",
    "it": "ita",
    "nl": "nld",
    "pl": "pol",
    "pt": "por",
}
"""What the recogniser calls them; other languages are three letters anyway, or cannot be read."""
MEDIA_TYPES = frozenset(["image/tiff", "image/tiff-fx", "image/png", "application/pdf"])
MOST_PAGES = 30
MOST_BYTES = 64 << 20
"""Of a document."""
PATIENCE = 120.0
"""Seconds for a whole fax; a page takes about one."""
AT_ONCE = 1
"""So many faxes are recognised at the same time, each in one thread; others wait."""
LONGEST_PAGE = 20_000
"""Characters."""
_MOST_OUTPUT = 4_000_000
_LISTING = ("256", "20", "0", PROGRAM, "--list-langs")
_LISTING_SECONDS = 20.0


class FaxText:
    """Recognises faxes in any of *languages*, such as ``("de", "en")``, the likeliest first."""

    def __init__(
        self, languages: Sequence[str], *, most_pages: int = MOST_PAGES, patience: float = PATIENCE
    ) -> None:
        primary = (code.replace("_", "-").partition("-")[0].lower() for code in languages)
        self._wanted = tuple(dict.fromkeys(LANGUAGES.get(code, code) for code in primary))
        self._usable: tuple[str, ...] = ()
        self._most_pages = most_pages
        self._patience = patience
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def pages(self, document: Path, media_type: str) -> AsyncGenerator[str, None]:
        """The text of each page as soon as it is recognised; empty for one without any.

        TIFF (such as G3 and G4), PDF and PNG. Raises `NoOcr`; `FaxUnreadable`, also after some
        pages: for those that are too many, and at the end for single ones that cannot be read.
        """
        if media_type.strip().lower() not in MEDIA_TYPES:
            raise FaxUnreadable("This is neither TIFF, PDF nor PNG.")
        languages = await self.languages()
        pages = asyncio.Queue[str | None]()
        # recognising takes seconds; whoever listens takes minutes
        work = asyncio.create_task(self._work(document, languages, pages), name="fax")
        try:
            while (page := await pages.get()) is not None:
                yield page
            await work
        finally:
            work.cancel()
            await asyncio.wait([work])

    async def languages(self) -> Sequence[str]:
        """Those that are wanted and installed, by the recogniser's names. Raises `NoOcr`."""
        if not self._usable:
            installed = await _installed_languages()
            self._usable = tuple(name for name in self._wanted if name in installed)
        if not self._usable:
            missing = " ".join(f"tesseract-ocr-{name}" for name in self._wanted)
            raise NoOcr(f"The languages of faxes are missing; install {missing}.")
        return self._usable

    async def _work(
        self, document: Path, languages: Sequence[str], pages: asyncio.Queue[str | None]
    ) -> None:
        """Everything that is recognised comes into *pages*, then None. Raises `FaxUnreadable`."""
        try:
            descriptor = await asyncio.to_thread(_opened, document)
            try:
                async with self._turn:
                    await self._listen(descriptor, languages, pages)
            finally:
                os.close(descriptor)
        except (WorkerTooSlow, WorkerTooChatty) as error:
            log.warning("fax not recognised", reason=type(error).__name__)
            raise FaxUnreadable("It takes too long to read this fax.") from None
        except OSError as error:
            log.error("fax not recognised", reason=error.strerror or repr(error))
            raise FaxUnreadable("This fax cannot be opened.") from error
        finally:
            pages.put_nowait(None)

    async def _listen(
        self, descriptor: int, languages: Sequence[str], pages: asyncio.Queue[str | None]
    ) -> None:
        arguments = ("+".join(languages), str(self._most_pages))
        answers = lines_of_module(
            WORKER, arguments, descriptor, seconds=self._patience, most_output=_MOST_OUTPUT
        )
        unreadable: list[int] = []
        async with aclosing(answers):
            number = 0
            async for line in answers:
                match _answer(line):
                    case {"page": str(text)}:
                        number += 1
                        pages.put_nowait(readable_lines(joined_words(text), LONGEST_PAGE))
                    case {"page": None}:
                        number += 1
                        unreadable.append(number)
                        pages.put_nowait("")
                    case {"end": str(reason)}:
                        _judge(reason, number, unreadable)
                        return
        log.warning("fax not recognised", reason="the worker crashed, or was stopped at a limit")
        raise FaxUnreadable("This fax is damaged, or was made to do harm.")


def _judge(reason: str, read: int, unreadable: Sequence[int]) -> None:
    """Raises `FaxUnreadable` unless every page was read."""
    match reason:
        case "whole" if read and not unreadable:
            return
        case "whole" if read:
            raise FaxUnreadable(f"Not readable: page {', '.join(map(str, unreadable))}.")
        case "more":
            raise FaxUnreadable(f"This fax has more than {read} pages; the others are not read.")
        case _ if read:
            raise FaxUnreadable("The rest of this fax is damaged.")
        case _:
            raise FaxUnreadable("This is no fax, or it is damaged.")


async def _installed_languages() -> frozenset[str]:
    """What the recogniser knows. Raises `NoOcr`."""
    if shutil.which(PROGRAM) is None:
        raise NoOcr("Faxes cannot be read: install tesseract-ocr and its languages.")
    module = "vm_ari.adapters.confined_program"
    nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    try:
        done = await run_module(
            module, _LISTING, nothing, seconds=_LISTING_SECONDS, most_output=100_000
        )
    except (WorkerTooSlow, WorkerTooChatty, OSError) as error:
        raise NoOcr(f"{PROGRAM} cannot be run: {type(error).__name__}.") from error
    finally:
        os.close(nothing)
    if done.code:
        raise NoOcr(f"{PROGRAM} cannot be run (code {done.code}); install tesseract-ocr anew.")
    return frozenset(done.output.decode(errors="replace").split())


def _opened(document: Path) -> int:
    """Only a regular file of a possible size. Raises OSError, `FaxUnreadable`."""
    descriptor = os.open(document, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    state = os.fstat(descriptor)
    if stat.S_ISREG(state.st_mode) and state.st_size <= MOST_BYTES:
        return descriptor
    os.close(descriptor)
    if stat.S_ISREG(state.st_mode):
        raise FaxUnreadable(f"This fax is larger than {MOST_BYTES >> 20} MB.")
    raise FaxUnreadable("This is not a file.")


def _answer(line: bytes) -> dict[str, object]:
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}
