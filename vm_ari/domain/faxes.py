"""Faxes that were received: what the dialplan tells of them, and whether all of it came (UM-04).

Beside the pages the dialplan (``[vm-ari-fax-note]`` in ``extensions_vm_ari_fax.conf``) writes a
line of ``key=value`` words; what the other machine calls itself, and errors, are in Base64. All of
it is somebody else's data until it is judged here.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field, replace
from enum import StrEnum

from vm_ari.domain.callers import printable
from vm_ari.domain.fallback_name import FallbackFacts, parse

LONGEST_NOTE = 4000
"""Characters."""
LONGEST_STATION = 40
LONGEST_ERROR = 120
LONGEST_TEXT = 100_000
"""Characters that a machine has read."""
MOST_PAGES = 10_000
_SUFFIX = ".tif"
_WORD = re.compile(r"([a-z]{1,12})=([A-Za-z0-9+/=]{0,400})")
_LAST_WORD = "end=1"


class FaxFormat(StrEnum):
    """How pages are mailed."""

    PDF = "pdf"
    TIFF = "tiff"


class FaxQuality(StrEnum):
    """How fine the lines of a page are; the value names its words in mails."""

    STANDARD = "standard"
    FINE = "fine"
    SUPERFINE = "superfine"


@dataclass(frozen=True)
class FaxNote:
    """The telephone system's word about a call that brought a fax."""

    complete: bool
    """Did both machines agree that everything has arrived?"""
    pages: int
    rate: int
    """Bit/s; 0: not known."""
    t38: bool
    station: str
    """What the other machine calls itself: often a number, but anybody's word."""
    error: str = ""


@dataclass(frozen=True)
class FaxPages:
    """What is really in the file."""

    count: int
    lines_per_inch: float = 0.0
    """Of the first page; 0: not known."""


@dataclass(frozen=True)
class Fax:
    """What is known of a fax that was received, beside the facts of its call."""

    pages: int
    station: str = ""
    quality: FaxQuality = FaxQuality.FINE
    rate: int = 0
    t38: bool = False
    error: str = ""
    """Why it is not whole, as the telephone system said it."""
    seconds: float = 0.0
    """How long it took to receive it."""
    text: str = field(default="", repr=False)
    """What a machine has read on the pages, where that is switched on."""

    def __str__(self) -> str:
        """One line for the journal."""
        way = "T.38" if self.t38 else "audio"
        speed = f", {self.rate} bit/s" if self.rate else ""
        pages = f"{self.pages} page{'' if self.pages == 1 else 's'}"
        return f"{pages}, {way}{speed}" + (f": {self.error}" if self.error else "")


NO_WORD = FaxNote(False, 0, 0, False, "", "nobody has seen the end of the call")
"""Where the telephone system died before it could tell."""


def facts_in(filename: str) -> FallbackFacts:
    """Of the call, from the name of the file with the pages. Raises ValueError."""
    stem = filename.removesuffix(_SUFFIX)
    if stem == filename:
        raise ValueError(f"not a fax received by the dialplan: {filename[:255]!r}")
    padding = "=" * (-len(stem.rpartition("_")[2]) % 4)
    facts = parse(f"{stem}{padding}.wav")
    if not facts.called:
        raise ValueError(f"a fax for nobody: {filename[:255]!r}")
    return facts


def read_note(text: str) -> FaxNote | None:
    """What the dialplan has written; None while it has not written all of it."""
    words = text[:LONGEST_NOTE].split()
    if _LAST_WORD not in words:
        return None
    found = {match[1]: match[2] for word in words if (match := _WORD.fullmatch(word))}
    return FaxNote(
        complete=found.get("status") == "SUCCESS",
        pages=min(_number(found.get("pages", "")), MOST_PAGES),
        rate=_number(found.get("rate", "")),
        t38=found.get("mode", "").upper() == "T38",
        station=_decoded(found.get("station", ""), LONGEST_STATION),
        error=_decoded(found.get("error", ""), LONGEST_ERROR),
    )


def judged(note: FaxNote, found: FaxPages) -> tuple[Fax, bool]:
    """The fax, and is it only a part of what was sent?

    Pages count that are in the file, whatever the note says; fewer of them than were confirmed is a
    part as well (a full disk).
    """
    partial = not note.complete or found.count < note.pages
    fax = Fax(found.count, note.station, _quality(found.lines_per_inch), note.rate, note.t38)
    if partial:
        fax = replace(fax, error=note.error or "pages are missing")
    return fax, partial


def _quality(lines_per_inch: float) -> FaxQuality:
    """T.30 knows 98, 196 and 391 lines (3.85, 7.7 and 15.4 per millimetre)."""
    if 0 < lines_per_inch < 150:
        return FaxQuality.STANDARD
    return FaxQuality.SUPERFINE if lines_per_inch > 300 else FaxQuality.FINE


def _number(text: str) -> int:
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else 0


def _decoded(text: str, longest: int) -> str:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return ""
    return printable(raw.decode("utf-8", "replace").replace("|", ":"), longest).strip()
