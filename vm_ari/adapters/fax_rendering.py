"""Documents become pages of a fax, in a confined worker: they are anybody's (UM-04).

First all pages are made of cover and documents, which may fail and is done once; before each call
the line above each page is added, with the time of that call, from the first missing page on.
"""

import asyncio
import io
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog
from babel.dates import format_datetime
from jinja2 import TemplateError
from PIL import Image

from vm_ari.adapters.mail_files import write_private
from vm_ari.adapters.templates import MailTemplates
from vm_ari.adapters.voice_mail import locale_of
from vm_ari.adapters.worker_process import WorkerTooChatty, WorkerTooSlow, run_module
from vm_ari.domain.callers import printable
from vm_ari.domain.fax_orders import (
    FaxLimits,
    FaxOrder,
    continues,
    headline_name,
    sender_number,
)
from vm_ari.domain.fax_settings import FaxCover
from vm_ari.domain.numbers import Site, readable
from vm_ari.domain.users import User
from vm_ari.ports.fax_sending import Paper, Printed, Unprintable
from vm_ari.ports.orders import OrdersUnavailable

log = structlog.get_logger("vm_ari.faxes")

WORKER = "vm_ari.adapters.fax_sheets_worker"
PATIENCE = 120.0
"""Seconds for one fax."""
AT_ONCE = 1
COVER, CONTINUED, PART = "fax-cover", "fax-continued", "cover.txt"
FINISHED, LAID_OUT = "image/tiff; finished", "text/plain; laid-out"
"""As `fax_sheets` knows them; that is a module of the worker."""
ROWS = {"a4": 2286, "letter": 2151}
MEDIA_TYPES = ("application/pdf", "image/tiff", "image/png", "image/jpeg", "text/plain")
"""What can be sent."""
_STARTS = {
    "application/pdf": (b"%PDF-",),
    "image/tiff": (b"II*\0", b"MM\0*"),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
}
_MOST_OUTPUT = 64 << 20
_LONGEST_TEXT_LINES = 60
Part = tuple[str, bytes, int]


def media_type_of(content: bytes, claimed: str = "") -> str | None:
    """What a document is by its first octets; a text only where that is claimed, or it looks so."""
    for kind, starts in _STARTS.items():
        if content.startswith(starts):
            return kind
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    plain = claimed.partition(";")[0].strip() in {"text/plain", "", "application/octet-stream"}
    return "text/plain" if plain and text.strip() and "\0" not in text else None


async def as_pdf(printed: Printed) -> bytes:
    """Pages that were made here, for people; they take as much room as the fax."""
    return await asyncio.to_thread(_as_pdf, printed.tiff)


def _as_pdf(tiff: bytes) -> bytes:
    out = io.BytesIO()
    with Image.open(io.BytesIO(tiff), formats=["TIFF"]) as pages:
        pages.save(out, "PDF", save_all=True, dpi=(204.0, 196.0))
    return out.getvalue()


@dataclass(frozen=True)
class FaxRendering:
    """`ports.fax_sending.FaxPrinter`."""

    templates: Path
    site: Site
    paper: str = "a4"
    _turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def body(
        self, papers: Sequence[Paper], order: FaxOrder, user: User, limits: FaxLimits
    ) -> Printed:
        """See `FaxPrinter`."""
        _require_possible(papers, limits)
        documents: list[Part] = [(one.media_type, one.content, 0) for one in papers]
        if documents and not _wants_cover(order, user):
            return await self._made(documents, most=limits.pages)
        # the cover tells how many pages there are: they have to be counted before
        rest = await self._made(documents, most=limits.pages - 1) if documents else Printed(b"", 0)
        whole = self._laid_out(COVER, order, user, order.made, rest.pages + 1)
        behind: list[Part] = [(FINISHED, rest.tiff, 0)] if rest.pages else []
        return await self._made([(LAID_OUT, whole, 0), *behind], most=limits.pages)

    async def sheets(self, printed: Printed, order: FaxOrder, user: User, now: datetime) -> Printed:
        """See `FaxPrinter`."""
        pages: list[Part] = [(FINISHED, printed.tiff, order.confirmed)]
        notes = 1 if continues(order) else 0
        if notes:
            note = self._laid_out(CONTINUED, order, user, now, printed.pages)
            pages = [(LAID_OUT, note, 0), *pages]
        head = [self._head(user, now), order.confirmed + 1, printed.pages, notes]
        return await self._made(pages, head=head, most=printed.pages + 1)

    def _head(self, user: User, now: datetime) -> str:
        """Number, name and time, as the first line of each page has them."""
        number = sender_number(user)
        shown = readable(number, self.site) if number else ""
        when = format_datetime(_local(now, user), "short", locale=locale_of(user.language))
        return " · ".join(part for part in (shown, headline_name(user), when) if part)

    def _laid_out(
        self, template: str, order: FaxOrder, user: User, when: datetime, pages: int
    ) -> bytes:
        """The text of a page of ours. Raises `Unprintable` where the site's template is wrong."""
        own = f"{template}-{user.fax_cover_template}"
        named = own if user.fax_cover_template and (self.templates / own).is_dir() else template
        values = self._values(order, user, when, pages)
        try:
            texts = MailTemplates(self.templates)
            return texts.render(named, user.language, PART, values).encode()
        except (TemplateError, OSError, TypeError, ValueError) as error:
            log.error("a cover page cannot be written", template=named, why=str(error)[:200])
            raise Unprintable(f"the template {named} cannot be used") from error

    def _values(
        self, order: FaxOrder, user: User, when: datetime, pages: int
    ) -> Mapping[str, object]:
        number, cover = sender_number(user), order.cover
        lines = cover.text.splitlines()[:_LONGEST_TEXT_LINES]
        return {
            "to": printable(cover.to, 80),
            "number": readable(order.number, self.site),
            "sender": headline_name(user),
            "sender_number": readable(number, self.site) if number else "",
            "sender_mail": printable(user.mail, 100),
            "when": format_datetime(_local(when, user), "long", locale=locale_of(user.language)),
            "pages": pages,
            "confirmed": order.confirmed,
            "subject": printable(cover.subject, 150),
            "lines": [printable(line, 1000) for line in lines],
        }

    async def _made(
        self, parts: Sequence[Part], *, most: int, head: Sequence[object] | None = None
    ) -> Printed:
        """Raises `Unprintable`, `OrdersUnavailable` where there is no room."""
        job = {
            "rows": ROWS[self.paper],
            "most": most,
            "head": head,
            "parts": [[kind, len(content), skip] for kind, content, skip in parts],
        }
        pieces = [json.dumps(job).encode() + b"\n", *(content for _, content, _ in parts)]
        async with self._turn:
            return await _worked(pieces)


async def _worked(pieces: Sequence[bytes]) -> Printed:
    try:
        with tempfile.TemporaryDirectory(prefix="vm-ari-fax-") as folder:
            job = Path(folder) / "job"
            await asyncio.to_thread(write_private, job, pieces)
            given = os.open(job, os.O_RDONLY | os.O_CLOEXEC)
            try:
                done = await run_module(
                    WORKER, (), given, seconds=PATIENCE, most_output=_MOST_OUTPUT
                )
            finally:
                os.close(given)
    except WorkerTooSlow:
        raise Unprintable("it takes too long to make pages of it") from None
    except WorkerTooChatty:
        raise Unprintable("its pages are too large") from None
    except OSError as error:
        raise OrdersUnavailable(f"no pages can be made: {error.strerror}") from error
    head, _, tiff = done.output.partition(b"\n")
    answer = _answer(head)
    pages = answer.get("pages")
    if isinstance(pages, int) and pages > 0 and tiff and not done.code:
        return Printed(tiff, pages)
    why = answer.get("why")
    if isinstance(why, str):
        raise Unprintable(printable(why, 200))
    log.warning("no pages made", code=done.code, complaint=printable(done.complaint, 200))
    raise Unprintable("it is damaged, or was made to do harm")


def _require_possible(papers: Sequence[Paper], limits: FaxLimits) -> None:
    """Raises `Unprintable`."""
    if len(papers) > limits.papers:
        raise Unprintable(f"it has more than {limits.papers} documents")
    if sum(len(one.content) for one in papers) > limits.octets:
        raise Unprintable(f"it is larger than {limits.octets // 1_000_000} MB")
    for one in papers:
        if one.media_type not in MEDIA_TYPES:
            raise Unprintable("of this kind nothing can be sent; send PDF, PNG, JPEG, TIFF or text")


def _wants_cover(order: FaxOrder, user: User) -> bool:
    match user.fax_cover:
        case FaxCover.ALWAYS:
            return True
        case FaxCover.NEVER:
            return False
        case FaxCover.WITH_TEXT:
            return bool(order.cover)


def _answer(line: bytes) -> dict[str, object]:
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}


def _local(when: datetime, user: User) -> datetime:
    """In the user's time zone; UTC where the directory names none that exists."""
    try:
        return when.astimezone(ZoneInfo(user.time_zone))
    except (KeyError, ValueError, OSError):
        return when.astimezone(UTC)
