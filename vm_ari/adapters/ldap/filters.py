"""Search filters: the only place where one is made, and where a value gets into one (DIR-02).

A filter is a tree, and goes to the server as BER (RFC 4511 section 4.5.1.7). An admin's filter is
parsed as text (RFC 4515) once, before any value is known; values fill the leaves of the tree. So
whatever a caller dials can never become a part of a filter's structure.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from vm_ari.adapters.ldap import ber

_NAME = r"[A-Za-z0-9][A-Za-z0-9.;-]*"
_ITEM = re.compile(
    rf"(?P<name>{_NAME})?(?P<dn>:dn)?(?P<rule>:{_NAME})?(?P<kind>:=|~=|>=|<=|=)(?P<value>[^()]*)",
    re.DOTALL,
)
_DEEPEST = 20


class BadFilter(ValueError):
    """A filter cannot be understood. The text says where."""


class Kind(IntEnum):
    """Ways to compare, by their tags."""

    EQUAL = 0xA3
    AT_LEAST = 0xA5
    AT_MOST = 0xA6
    SIMILAR = 0xA8


@dataclass(frozen=True)
class Match:
    """An attribute compares with a value."""

    attribute: str
    value: bytes
    kind: Kind = Kind.EQUAL

    def encoded(self) -> bytes:
        """As BER."""
        return ber.element(self.kind, ber.text(self.attribute), ber.element(ber.OCTETS, self.value))


@dataclass(frozen=True)
class Present:
    """An attribute has any value."""

    attribute: str

    def encoded(self) -> bytes:
        """As BER."""
        return ber.text(self.attribute, 0x87)


@dataclass(frozen=True)
class Parts:
    """A value begins with, holds and ends with texts; empty ones at the ends do not matter."""

    attribute: str
    parts: tuple[bytes, ...]

    def encoded(self) -> bytes:
        """As BER."""
        first, *middle, last = self.parts
        pieces = [(0x80, first), *((0x81, piece) for piece in middle), (0x82, last)]
        inner = [ber.element(tag, piece) for tag, piece in pieces if piece]
        return ber.element(0xA4, ber.text(self.attribute), ber.element(ber.SEQUENCE, *inner))


@dataclass(frozen=True)
class ByRule:
    """Compares by a named rule, such as Active Directory's for bits."""

    attribute: str
    rule: str
    value: bytes
    names_too: bool = False
    """Also the attributes of the entry's name (``:dn``)."""

    def encoded(self) -> bytes:
        """As BER."""
        return ber.element(
            0xA9,
            ber.text(self.rule, 0x81) if self.rule else b"",
            ber.text(self.attribute, 0x82) if self.attribute else b"",
            ber.element(0x83, self.value),
            ber.flag(True, 0x84) if self.names_too else b"",
        )


@dataclass(frozen=True)
class AllOf:
    """All are true; of none, that is true."""

    parts: tuple["Filter", ...]

    def encoded(self) -> bytes:
        """As BER."""
        return ber.element(0xA0, *(part.encoded() for part in self.parts))


@dataclass(frozen=True)
class AnyOf:
    """One is true at least; of none, that is false."""

    parts: tuple["Filter", ...]

    def encoded(self) -> bytes:
        """As BER."""
        return ber.element(0xA1, *(part.encoded() for part in self.parts))


@dataclass(frozen=True)
class Not:
    """It is not true."""

    part: "Filter"

    def encoded(self) -> bytes:
        """As BER."""
        return ber.element(0xA2, self.part.encoded())


Leaf = Match | Present | Parts | ByRule
Filter = Leaf | AllOf | AnyOf | Not


def equal(attribute: str, value: str) -> Match:
    """The attribute has that value, whatever characters are in it."""
    return Match(attribute, value.encode("utf-8", "replace"))


def filled(template: Filter, values: Callable[[str], Sequence[str]]) -> Filter:
    """A template with values for its ``${NAME}``; a comparison with several is true for any.

    *values* gives those of a name; it raises KeyError for one that it does not know.
    """
    match template:
        case AllOf(parts):
            return AllOf(tuple(filled(part, values) for part in parts))
        case AnyOf(parts):
            return AnyOf(tuple(filled(part, values) for part in parts))
        case Not(part):
            return Not(filled(part, values))
        case Match() | Parts() | ByRule():
            return _filled_leaf(template, values)
    return template


def places(template: Filter) -> set[str]:
    """The names of the ``${NAME}`` in a template."""
    found: set[str] = set()

    def note(name: str) -> Sequence[str]:
        found.add(name)
        return ("",)

    filled(template, note)
    return found


def attributes_compared(template: Filter) -> set[str]:
    """The attributes for which the server needs rules of comparison."""
    match template:
        case AllOf(parts) | AnyOf(parts):
            return set().union(*(attributes_compared(part) for part in parts))
        case Not(part):
            return attributes_compared(part)
        case Match(attribute=attribute) | Parts(attribute=attribute):
            return {attribute}
    return set()


def parse(text: str) -> Filter:
    """Read a filter that an admin wrote (RFC 4515). Raises `BadFilter`."""
    found, end = _parsed(text, 0, 0)
    if text[end:].strip():
        raise BadFilter(f"The filter ends at character {end}, but there follows more.")
    return found


_PLACE = re.compile(rb"\$\{([A-Z0-9_]+)\}")


def _filled_leaf(leaf: Match | Parts | ByRule, values: Callable[[str], Sequence[str]]) -> Filter:
    pieces = leaf.parts if isinstance(leaf, Parts) else (leaf.value,)
    found = _PLACE.search(b"\0".join(pieces))
    if found is None:
        return leaf
    texts = [text.encode("utf-8", "replace") for text in values(found[1].decode())]
    variants = tuple(_put(leaf, found[0], text) for text in texts)
    return variants[0] if len(variants) == 1 else AnyOf(variants)


def _put(leaf: Match | Parts | ByRule, place: bytes, text: bytes) -> Leaf:
    if isinstance(leaf, Parts):
        return replace(leaf, parts=tuple(part.replace(place, text) for part in leaf.parts))
    return replace(leaf, value=leaf.value.replace(place, text))


def _parsed(text: str, at: int, depth: int) -> tuple[Filter, int]:
    at = _skip(text, at)
    if text[at : at + 1] != "(":
        raise BadFilter(f"There should be a ( at character {at} of the filter.")
    if depth > _DEEPEST:
        raise BadFilter("The filter is nested too deep.")
    inner = _skip(text, at + 1)
    match text[inner : inner + 1]:
        case "&" | "|" | "!" as operator:
            parts, end = _list(text, inner + 1, depth)
            found = _combined(operator, tuple(parts), inner)
        case _:
            found, end = _item(text, inner)
    if text[end : end + 1] != ")":
        raise BadFilter(f"There should be a ) at character {end} of the filter.")
    return found, end + 1


def _list(text: str, at: int, depth: int) -> tuple[list[Filter], int]:
    parts = []
    at = _skip(text, at)
    while text[at : at + 1] == "(":
        part, at = _parsed(text, at, depth + 1)
        parts.append(part)
        at = _skip(text, at)
    return parts, at


def _combined(operator: str, parts: tuple[Filter, ...], at: int) -> Filter:
    if operator == "!" and len(parts) == 1:
        return Not(parts[0])
    if not parts or operator == "!":
        raise BadFilter(f"The {operator} at character {at} has too many or too few conditions.")
    return AllOf(parts) if operator == "&" else AnyOf(parts)


def _item(text: str, at: int) -> tuple[Leaf, int]:
    found = _ITEM.match(text, at)
    if found is None or not (found["name"] or found["rule"]):
        raise BadFilter(f"There should be an attribute and a = at character {at} of the filter.")
    name, kind, value = found["name"] or "", found["kind"], found["value"]
    if kind == ":=":
        rule = (found["rule"] or "")[1:]
        return ByRule(name, rule, _bytes(value), bool(found["dn"])), found.end()
    if found["dn"] or found["rule"]:
        raise BadFilter(f"A matching rule at character {at} of the filter needs :=.")
    return _comparison(name, kind, value), found.end()


def _comparison(name: str, kind: str, value: str) -> Leaf:
    if kind == "=" and value and not value.strip("*"):
        return Present(name)
    if kind == "=" and "*" in value:
        return Parts(name, tuple(_bytes(part) for part in value.split("*")))
    kinds = {"=": Kind.EQUAL, ">=": Kind.AT_LEAST, "<=": Kind.AT_MOST, "~=": Kind.SIMILAR}
    return Match(name, _bytes(value), kinds[kind])


def _bytes(value: str) -> bytes:
    r"""A value with its ``\xx`` resolved."""
    raw = value.encode("utf-8", "replace")
    if re.search(rb"\\(?![0-9A-Fa-f]{2})", raw):
        raise BadFilter(r"A \ in a filter needs two hexadecimal digits after it.")
    return re.sub(rb"\\([0-9A-Fa-f]{2})", lambda found: bytes.fromhex(found[1].decode()), raw)


def _skip(text: str, at: int) -> int:
    while text[at : at + 1].isspace():
        at += 1
    return at
