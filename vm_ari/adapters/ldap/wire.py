"""Searching as it goes over the connection: the request, and what comes back (RFC 4511, 2696)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from vm_ari.adapters.ldap import ber
from vm_ari.adapters.ldap.ber import Element, Malformed
from vm_ari.adapters.ldap.filters import Filter

LONGEST_MESSAGE = 32 * 1024 * 1024
_PAGED = "1.2.840.113556.1.4.319"
_EXTENDED = 0x78


class Scope(IntEnum):
    """How far below the base is searched."""

    BASE = 0
    SUBTREE = 2


@dataclass(frozen=True)
class Found:
    """An entry as the server gave it."""

    dn: str
    attributes: Mapping[str, tuple[bytes, ...]] = field(repr=False)
    """By name in lower case; those without a value are not there."""

    def texts(self, attribute: str) -> list[str]:
        """The values of an attribute, what is no Unicode replaced."""
        values = self.attributes.get(attribute.lower(), ())
        return [value.decode("utf-8", "replace") for value in values]

    def text(self, attribute: str) -> str:
        """The first value, or nothing."""
        return next(iter(self.texts(attribute)), "")


@dataclass(frozen=True)
class Search:
    """What to look for."""

    base: str
    where: Filter
    attributes: tuple[str, ...]
    scope: Scope = Scope.SUBTREE
    most: int = 0
    """Entries at most; 0: as many as the server gives."""
    seconds: int = 0
    """How long the server may look for them; 0: as long as it likes."""


@dataclass(frozen=True)
class Done:
    """The end of a search."""

    code: int
    text: str
    cookie: bytes = b""
    """Where the next page begins; empty after the last one."""


def request(number: int, search: Search, page: int = 0, cookie: bytes = b"") -> bytes:
    """A search request; *page* entries at a time, if that is not 0."""
    operation = ber.element(
        0x63,
        ber.text(search.base),
        ber.integer(search.scope, ber.ENUMERATED),
        ber.integer(0, ber.ENUMERATED),  # aliases are not followed
        ber.integer(search.most),
        ber.integer(search.seconds),
        ber.flag(False),
        search.where.encoded(),
        ber.element(ber.SEQUENCE, *(ber.text(name) for name in search.attributes)),
    )
    controls = ber.element(0xA0, _page_control(page, cookie)) if page else b""
    return ber.element(ber.SEQUENCE, ber.integer(number), operation, controls)


def answer(message: bytes, number: int) -> Found | Done | None:
    """What one message says to the search of that number; None for what does not matter.

    Raises `Malformed` for what a server must not send; ConnectionError where it says good-bye.
    """
    [outer] = ber.elements(message, 0, len(message))
    parts = list(ber.elements(message, outer.start, outer.end))
    if len(parts) < 2 or parts[0].tag != ber.INTEGER:
        raise Malformed("not an LDAP message")
    found = int.from_bytes(_content(message, parts[0]), "big")
    operation = parts[1]
    if found == 0 and operation.tag == _EXTENDED:
        raise ConnectionError("the server ends the session")
    if found != number:
        raise Malformed("an answer to nothing that was asked")
    match operation.tag:
        case 0x64:
            return _entry(message, operation)
        case 0x65:
            return _done(message, operation, parts[2:])
        case 0x73:
            return None  # another server may know more; that is for the admin to configure
    raise Malformed(f"an answer of kind {operation.tag:#x}")


def _page_control(size: int, cookie: bytes) -> bytes:
    value = ber.element(ber.SEQUENCE, ber.integer(size), ber.element(ber.OCTETS, cookie))
    return ber.element(
        ber.SEQUENCE, ber.text(_PAGED), ber.flag(True), ber.element(ber.OCTETS, value)
    )


def _entry(message: bytes, operation: Element) -> Found:
    dn, attributes = ber.elements(message, operation.start, operation.end)
    pairs = {}
    for attribute in ber.elements(message, attributes.start, attributes.end):
        name, values = ber.elements(message, attribute.start, attribute.end)
        inner = ber.elements(message, values.start, values.end)
        pairs[_text(message, name).lower()] = tuple(_content(message, value) for value in inner)
    return Found(_text(message, dn), {name: values for name, values in pairs.items() if values})


def _done(message: bytes, operation: Element, controls: Iterable[Element]) -> Done:
    code, _, text, *_ = ber.elements(message, operation.start, operation.end)
    number = int.from_bytes(_content(message, code), "big")
    return Done(number, _text(message, text), _cookie(message, controls))


def _cookie(message: bytes, controls: Iterable[Element]) -> bytes:
    for holder in controls:
        for control in ber.elements(message, holder.start, holder.end):
            kind, *_, value = ber.elements(message, control.start, control.end)
            if _text(message, kind) == _PAGED:
                [pair] = ber.elements(message, value.start, value.end)
                _, cookie = ber.elements(message, pair.start, pair.end)
                return _content(message, cookie)
    return b""


def _content(message: bytes, element: Element) -> bytes:
    return message[element.start : element.end]


def _text(message: bytes, element: Element) -> str:
    return _content(message, element).decode("utf-8", "replace")
