"""Templates for display names and mail addresses of new users (DIR-07, UM-01).

A placeholder is ``${given}``; filters follow it: ``${given|first|lower}.${surname|ascii}``.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vm_ari.domain.callers import printable
from vm_ari.domain.entries import Entry, address_key

LONGEST_LOCAL_PART = 64
"""Characters before the @ (RFC 5321 section 4.5.3.1.1)."""
LONGEST_ADDRESS = 254
"""RFC 5321 section 4.5.3.1.3, less the angle brackets."""
_PIECE = re.compile(r"\$\{(?P<inside>[^${}]*)\}|(?P<text>[^$]+|\$(?!\{))")
_LETTERS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue",
    "ß": "ss", "ẞ": "SS", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe",
    "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "þ": "th", "Þ": "Th", "ð": "d", "ı": "i"})  # fmt: skip
_DOMAIN = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*"
)

EXAMPLE = Entry(
    id="agroesse",
    name="Anna Größe-Weber",
    mailbox="101",
    numbers=("+4930555101",),
    given="Anna",
    surname="Größe-Weber",
    organisation="sales",
)
"""Whose name shows what a template does; not an easy one."""


class BadTemplate(ValueError):
    """A template has a mistake. The text names it, and what is possible."""


class NoAddress(ValueError):
    """A person's data do not make an address. The text says what is missing."""


@dataclass(frozen=True)
class Placeholder:
    """A field of the entry, and what is done with it."""

    field: str
    filters: tuple[str, ...]


@dataclass(frozen=True)
class Template:
    """A template that has been understood."""

    pieces: tuple[str | Placeholder, ...]

    def fill(self, entry: Entry) -> str:
        """The text with an entry's data; what is not there is left out."""
        return "".join(
            piece if isinstance(piece, str) else _filtered(_field(entry, piece.field), piece)
            for piece in self.pieces
        )


def parse(text: str) -> Template:
    """Understand a template; raises `BadTemplate`."""
    pieces: list[str | Placeholder] = []
    position = 0
    while position < len(text):
        found = _PIECE.match(text, position)
        if found is None:
            raise BadTemplate(f"“{printable(text[position:], 20)}”: a placeholder is ${{given}}.")
        literal = found["text"]
        pieces.append(_placeholder(found["inside"]) if literal is None else literal)
        position = found.end()
    return Template(tuple(pieces))


def display_name(template: Template, entry: Entry) -> str:
    """One line, without the commas and blanks that missing parts leave behind."""
    text = re.sub(r"\(\s*\)", "", printable(template.fill(entry), 120))
    text = re.sub(r"\s+([,;)])", r"\1", re.sub(r"\s+", " ", text))
    return text.strip(" ,;-")


def address(template: Template, entry: Entry) -> str:
    """A mail address in ASCII and lower case; raises `NoAddress`."""
    filled = to_ascii(template.fill(entry)).lower()
    local, at, domain = filled.rpartition("@")
    if not at or not _DOMAIN.fullmatch(domain):
        raise NoAddress(f"“{printable(filled)}” has no domain, such as @example.com, at its end.")
    local = re.sub(r"\s+", "-", local.strip())
    local = re.sub("[^a-z0-9._+-]", "", local)
    local = re.sub(r"\.{2,}", ".", local).strip(".-_+")
    if not local:
        raise NoAddress(f"{entry.id or 'The user'} has none of the names that the template uses.")
    return _fitting(local, "", domain)


def free_address(wanted: str, is_taken: Callable[[str], bool]) -> str:
    """*wanted*, or the first of ``anna.berg2@…``, ``anna.berg3@…`` that nobody has.

    *is_taken* is asked for addresses as `address_key` makes them.
    """
    local, _, domain = wanted.rpartition("@")
    candidate, number = wanted, 1
    while is_taken(address_key(candidate)):
        number += 1
        candidate = _fitting(local, str(number), domain)
    return candidate


def example_name(text: str) -> str:
    """What a template for names makes of `EXAMPLE`; raises `BadTemplate`."""
    return display_name(parse(text), EXAMPLE)


def example_address(text: str) -> str:
    """What a template for addresses makes of `EXAMPLE`; raises `BadTemplate`, `NoAddress`."""
    return address(parse(text), EXAMPLE)


def to_ascii(text: str) -> str:
    """Letters as they are written where there are no accents: ``Größe`` becomes ``Groesse``."""
    composed = unicodedata.normalize("NFC", text).translate(_LETTERS)
    return unicodedata.normalize("NFKD", composed).encode("ascii", "ignore").decode("ascii")


_FIELDS: Mapping[str, Callable[[Entry], str]] = {
    "given": lambda entry: entry.given,
    "surname": lambda entry: entry.surname,
    "name": lambda entry: entry.name,
    "id": lambda entry: entry.id,
    "mailbox": lambda entry: entry.mailbox,
    "number": lambda entry: next(iter(entry.numbers), ""),
    "organisation": lambda entry: entry.organisation,
}
_FILTERS: Mapping[str, Callable[[str], str]] = {
    "lower": str.lower,
    "upper": str.upper,
    "ascii": to_ascii,
    "first": lambda text: text.strip()[:1],
}


def _placeholder(inside: str) -> Placeholder:
    name, *filters = (part.strip() for part in inside.split("|"))
    if name not in _FIELDS:
        raise BadTemplate(
            f"“${{{printable(name, 30)}}}” is unknown; there are {', '.join(_FIELDS)}."
        )
    for wanted in filters:
        if wanted not in _FILTERS:
            raise BadTemplate(
                f"Filter “{printable(wanted, 30)}” is unknown; there are {', '.join(_FILTERS)}."
            )
    return Placeholder(name, tuple(filters))


def _field(entry: Entry, name: str) -> str:
    return _FIELDS[name](entry)


def _filtered(text: str, piece: Placeholder) -> str:
    for name in piece.filters:
        text = _FILTERS[name](text)
    return text


def _fitting(local: str, number: str, domain: str) -> str:
    """The address, its local part cut so that the whole is allowed."""
    room = min(LONGEST_LOCAL_PART, LONGEST_ADDRESS - len(domain) - 1) - len(number)
    if room < 1:
        raise NoAddress(f"The domain {printable(domain)} leaves no room for a name.")
    return f"{local[:room].rstrip('.-_+')}{number}@{domain}"
