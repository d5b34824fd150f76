"""The text of a mail in paragraphs, as its writer meant them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from vm_ari.domain.mail_speech.cleaning import plain_text
from vm_ari.domain.mail_speech.history import (
    is_quoted,
    unquoted,
    without_history,
    without_signature,
)

MOST_LINES = 5000
LONGEST_LINE = 4000
MOST_ROWS = 20
"""Of a table."""
WRAPPED = 45
"""A line shorter than this was ended by its writer, a longer one perhaps by a program."""
_ITEM = re.compile(r"\s*(?:[-*•–·+]|\(?\d{1,2}[.)]|[a-z]\))\s+(?=\S)")
_COLUMNS = re.compile(r"\s*\|\s*|\t+| {3,}")
_ENDED = re.compile(r"[.!?…:;,]\W{0,3}$")
_FIRST_EMOJI = "\u2600"
_ARMOUR = re.compile(r"\s*-+\s?(BEGIN|END) (PGP [A-Z ]{4,30}|CERTIFICATE|[A-Z ]{0,20}KEY)\s?-+\s*$")
_ENCODED = re.compile(r"\s*[A-Za-z0-9+/=_-]{56,}\s*$")


@dataclass(frozen=True)
class Paragraph:
    """Some sentences that belong together."""

    text: str
    quoted: bool = False
    """Somebody else's words, which the writer answers."""
    more_rows: int = 0
    """Of a table, which are not in *text*."""


@dataclass(frozen=True)
class Letter:
    """What the writer says, and what was left out."""

    paragraphs: tuple[Paragraph, ...]
    rest_quoted: bool = False
    only_quoted: bool = False
    encrypted: bool = False


def letter(text: str) -> Letter:
    """Find what is worth reading in the plain text of a mail."""
    clean = [part for line in plain_text(text).split("\n") for part in _portions(line)]
    lines, encrypted = _without_armour(clean[:MOST_LINES])
    own, quoted = without_history(lines)
    own = without_signature(own)
    if _says_something(own):
        return Letter(tuple(_paragraphs(own)), rest_quoted=quoted, encrypted=encrypted)
    if not quoted:
        return Letter((), encrypted=encrypted)
    everything = [unquoted(line) if is_quoted(line) else line for line in lines]
    return Letter(tuple(_paragraphs(everything)), only_quoted=True, encrypted=encrypted)


def _portions(line: str) -> Iterator[str]:
    """A line that is very long, as several."""
    while len(line) > LONGEST_LINE:
        cut = line.rfind(" ", LONGEST_LINE // 2, LONGEST_LINE) + 1 or LONGEST_LINE
        yield line[:cut].rstrip()
        line = line[cut:]
    yield line.rstrip()


def _says_something(lines: Iterable[str]) -> bool:
    return any(sign.isalnum() or sign >= _FIRST_EMOJI for line in lines for sign in line)


def _without_armour(lines: Sequence[str]) -> tuple[list[str], bool]:
    """Without signatures, keys and other data in letters; was an encrypted message there?"""
    kept, encrypted, inside, header = list[str](), False, False, False
    for line in lines:
        armour = _ARMOUR.match(line)
        if armour:
            signed = armour[2] == "PGP SIGNED MESSAGE"
            encrypted |= armour[2] == "PGP MESSAGE"
            inside, header = armour[1] == "BEGIN" and not signed, signed
        elif header:
            header = bool(line.strip())  # "Hash: SHA256", up to a blank line
        elif not inside and not _ENCODED.match(line):
            kept.append(line)
    return kept, encrypted


def _paragraphs(lines: Sequence[str]) -> Iterator[Paragraph]:
    """Parts between blank lines; a quote, a table, a text in each."""
    for kind, group in groupby(lines, key=_kind):
        part = list(group)
        match kind:
            case "quote":
                yield Paragraph(_joined([unquoted(line) for line in part]), quoted=True)
            case "table":
                rows = [row for row in map(_row, part) if row]
                yield Paragraph(" ".join(rows[:MOST_ROWS]), more_rows=max(0, len(rows) - MOST_ROWS))
            case "text":
                yield Paragraph(_joined(part))


def _kind(line: str) -> str:
    if not _says_something([line]):
        return "blank"
    if _is_row(line):
        return "table"
    return "quote" if is_quoted(line) else "text"


def _is_row(line: str) -> bool:
    """Two or more cells."""
    bars = line.strip().count("|")
    cells = [cell for cell in _COLUMNS.split(line.strip()) if cell.strip(" -+=:")]
    return len(cells) >= 2 and (bars == 0 or bars >= len(cells) - 1) and not _ITEM.match(line)


def _row(line: str) -> str:
    cells = [cell.strip() for cell in _COLUMNS.split(line.strip(" |"))]
    said = [cell for cell in cells if any(sign.isalnum() for sign in cell)]
    return ", ".join(said) + "." if said else ""


def _joined(lines: Sequence[str]) -> str:
    """Lines as sentences: one that its writer has ended ends with a pause."""
    pieces = list[str]()
    for at, line in enumerate(lines):
        item = _ITEM.match(line)
        text = line.strip() if item is None or item[0].strip()[0].isalnum() else line[item.end() :]
        last = at + 1 == len(lines)
        goes_on = not last and len(line) >= WRAPPED and not _ITEM.match(lines[at + 1])
        pieces.append(text if goes_on or _ENDED.search(text) else f"{text}.")
    return " ".join(pieces)
