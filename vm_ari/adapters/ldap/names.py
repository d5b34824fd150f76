"""Distinguished names: the only place where one is made, and where a value gets into one."""

import re

from vm_ari.domain.callers import printable

_PART = re.compile(r"(?:[^,\\]|\\.)+", re.DOTALL)
_PARTS = re.compile(r"(?:[^,\\]|\\.)+")
_UNIT = re.compile(r"(?i)(?:^|\+)\s*ou\s*=\s*(?P<value>(?:[^+\\]|\\.)*)")
_SPECIAL = re.compile(r'[,+"\\<>;=#\x00-\x1f\x7f]|^ | $')


def below(parent: str, attribute: str, value: str) -> str:
    """The name of an entry directly below another (RFC 4514 section 2.4)."""
    return f"{attribute}={_SPECIAL.sub(_escaped, value)},{parent}"


def same(one: str, other: str) -> bool:
    """Do two names, both as the same server wrote them, mean one entry?"""
    return one.casefold() == other.casefold()


def units_above(name: str) -> tuple[str, ...]:
    """The organisational units that an entry lies in, the nearest first."""
    above = _PARTS.findall(name)[1:]
    found = (_UNIT.search(part) for part in above)
    return tuple(filter(None, (_plain(unit["value"]) for unit in found if unit)))


def _plain(value: str) -> str:
    """Without the escapes of RFC 4514 section 2.4."""
    raw = re.sub(
        rb"\\([0-9A-Fa-f]{2}|.)",
        lambda found: bytes.fromhex(found[1].decode()) if len(found[1]) == 2 else found[1],
        value.encode(),
    )
    return printable(raw.decode("utf-8", "replace"), 120)


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"\\{byte:02x}" for byte in found[0].encode())
