"""Who called: the one place where a caller's claims become something that is safe to print."""

import unicodedata
from dataclasses import dataclass

from vm_ari.domain.numbers import Site, normalise

LONGEST_NAME = 60
_NO_NAME = {"anonymous", "unknown", "unavailable", "restricted", "asterisk"}


@dataclass(frozen=True)
class Caller:
    """A caller as we show, speak and store one: both fields may be empty."""

    number: str = ""
    """E.164 or an extension; empty where withheld or malformed."""
    name: str = ""
    """At most 60 printable characters on one line."""


def caller_from(number: str, name: str, site: Site, *, withheld: bool = False) -> Caller:
    """Sanitise what the network says: bytes of any kind in, one harmless line out."""
    if withheld:
        return Caller()
    clean = printable(name)
    if clean.lower() in _NO_NAME or clean == number:
        clean = ""
    return Caller(number=normalise(number, site) or "", name=clean)


def printable(text: str, limit: int = LONGEST_NAME) -> str:
    """One line of visible characters: no controls, no direction overrides, no broken UTF-8.

    The text is cut before it is examined, so a hostile length costs nothing.
    """
    folded = unicodedata.normalize("NFC", text[: limit * 4])
    if folded.isascii() and folded.isprintable():
        return _shortened(folded, limit)
    visible = "".join(c if _is_visible(c) else " " for c in folded)
    return _shortened(visible, limit)


def _shortened(visible: str, limit: int) -> str:
    return " ".join(visible.split())[:limit].strip()


def _is_visible(character: str) -> bool:
    return character != "\ufffd" and unicodedata.category(character)[0] not in {"C", "Z"}


def tail(number: str) -> str:
    """As much of a number as a log may show."""
    return number if len(number) <= 3 else f"…{number[-3:]}"
