"""The SIP headers that tell where a call has been before: Diversion and History-Info.

Read leniently, as the network is not ours: an entry that cannot be understood is an entry without
an address, and never an error. Every pass over the text is linear.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

LONGEST_TEXT = 4000
"""Characters of one header line; the rest of a longer one is not examined."""
MOST_ENTRIES = 20
"""Of one header, in all its lines."""
_NAME = re.compile(r'\s*(?:"(?:\\.|[^"\\])*"\s*)?(?P<rest>.*)', re.DOTALL)
_ANGLES = re.compile(r"[^<>]*<(?P<uri>[^<>]*)>(?P<parameters>.*)", re.DOTALL)
_CAUSE = re.compile(r"cause=([0-9]{3})(?![0-9])", re.IGNORECASE)
_INDEX = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){0,19}")
_TOKEN = re.compile(r"[A-Za-z0-9.!%*_+`'~-]{1,40}")


@dataclass(frozen=True)
class Entry:
    """One address of such a header, with what is said about it."""

    address: str
    """The number or user part, not yet a number of ours; empty for none that can be read."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Behind the address: ``reason``, ``index``, ``mp`` …; names in lower case."""
    cause: str = ""
    """Why the call came *to* this address (RFC 4458), such as ``302``; empty if nothing is said."""
    left_because: str = ""
    """Why the call went on *from* here (the escaped Reason header of RFC 7044 section 5)."""


def diversions(lines: Sequence[str]) -> tuple[Entry, ...]:
    """The entries of all Diversion headers (RFC 5806), the last diversion first."""
    return tuple(_entries(lines))


def history(lines: Sequence[str]) -> tuple[Entry, ...]:
    """The entries of all History-Info headers (RFC 7044), the oldest first.

    They are ordered by their index; those without a readable one come last, as they stand.
    """
    return tuple(sorted(_entries(lines), key=lambda entry: _index(entry.parameters)))


def _entries(lines: Sequence[str]) -> Iterator[Entry]:
    texts = (text for line in lines for text in _split(line[:LONGEST_TEXT], ",") if text.strip())
    for _, text in zip(range(MOST_ENTRIES), texts, strict=False):
        yield _entry(text)


def _split(text: str, separator: str) -> Iterator[str]:
    """Cut at separators that stand neither in quotes nor in angle brackets."""
    start, quoted, angled, escaped = 0, False, False, False
    for position, character in enumerate(text):
        if quoted:
            quoted = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"' and not angled:
            quoted = True
        elif character in "<>":
            angled = character == "<"
        elif character == separator and not angled:
            yield text[start:position]
            start = position + 1
    yield text[start:]


def _entry(text: str) -> Entry:
    named = _NAME.fullmatch(text)
    rest = named["rest"] if named else ""
    if found := _ANGLES.fullmatch(rest):
        uri, parameters = found["uri"], found["parameters"]
    else:  # without brackets the parameters are the header's (RFC 3261 section 20)
        uri, _, parameters = rest.strip().partition(";")
    uri, _, headers = uri.partition("?")
    cause = _CAUSE.search(";".join(uri.split(";")[1:]))
    left = _CAUSE.search(unquote(headers))
    return Entry(
        address=_address(uri.strip()),
        parameters=_parameters(parameters),
        cause=cause[1] if cause else "",
        left_because=left[1] if left else "",
    )


def _address(uri: str) -> str:
    """The number of a ``tel:`` URI, or the user part of a ``sip:`` one."""
    scheme, colon, rest = uri.partition(":")
    match scheme.lower():
        case "tel" if colon:
            return _plain(f"tel:{rest}")
        case "sip" | "sips" if "@" in rest:
            user = rest.partition("@")[0].partition(":")[0]  # behind the colon: a password
            return _plain(f"tel:{user}" if ";" in user else user)
    return ""


def _plain(text: str) -> str:
    """Without percent signs (RFC 3261 section 19.1.2), once; empty for what is no ASCII text."""
    plain = unquote(text, errors="replace")
    return plain if plain.isascii() and plain.isprintable() else ""


def _parameters(text: str) -> dict[str, str]:
    """Values that are no plain words are left out: nobody needs them."""
    pairs = (part.partition("=") for part in _split(text, ";"))
    words = ((name.strip(), value.strip().strip('"')) for name, _, value in pairs)
    return {
        name.lower(): value.lower() if _TOKEN.fullmatch(value) else ""
        for name, value in words
        if _TOKEN.fullmatch(name)
    }


def _index(parameters: Mapping[str, str]) -> tuple[bool, tuple[int, ...]]:
    index = parameters.get("index", "")
    good = _INDEX.fullmatch(index)
    return not good, tuple(map(int, index.split("."))) if good else ()
