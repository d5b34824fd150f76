"""ASN.1 basic encoding rules, as little of them as LDAP needs (RFC 4511 section 5.1).

The libraries of the ASN.1 family take four fifths of the time of a look-up; this takes next to
nothing.
"""

from collections.abc import Iterator
from typing import NamedTuple

BOOLEAN, INTEGER, OCTETS, ENUMERATED, SEQUENCE = 0x01, 0x02, 0x04, 0x0A, 0x30


class Malformed(ValueError):
    """These bytes are not what they should be."""


class Element(NamedTuple):
    """One value: its tag, and where its content lies in the data."""

    tag: int
    start: int
    end: int


def element(tag: int, *content: bytes) -> bytes:
    """Tag, length, content."""
    body = b"".join(content)
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


def integer(value: int, tag: int = INTEGER) -> bytes:
    """A number that is not negative."""
    return element(tag, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def text(value: str, tag: int = OCTETS) -> bytes:
    """A string; what is no Unicode becomes a question mark."""
    return element(tag, value.encode("utf-8", "replace"))


def flag(value: bool, tag: int = BOOLEAN) -> bytes:
    """True is all ones (RFC 4511)."""
    return element(tag, b"\xff" if value else b"\x00")


def size_of_first(data: bytes | bytearray) -> int | None:
    """How many bytes the first element takes; None while that cannot be seen. `Malformed`."""
    if len(data) < 2:
        return None
    if data[1] < 0x80:
        return 2 + data[1]
    count = data[1] & 0x7F
    if not 1 <= count <= 4:
        raise Malformed(f"a length of {count} bytes")
    if len(data) < 2 + count:
        return None
    return 2 + count + int.from_bytes(data[2 : 2 + count], "big")


def elements(data: bytes, start: int, end: int) -> Iterator[Element]:
    """The values that lie between two positions, one after the other. Raises `Malformed`."""
    while start < end:
        if start + 2 > end:
            raise Malformed("an element without a length")
        size, content = data[start + 1], start + 2
        if size >= 0x80:
            content += size & 0x7F
            size = int.from_bytes(data[start + 2 : content], "big")
        if content + size > end:
            raise Malformed("an element is longer than what holds it")
        yield Element(data[start], content, content + size)
        start = content + size
