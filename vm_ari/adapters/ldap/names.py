"""Distinguished names: the only place where one is made, and where a value gets into one."""

import re

_SPECIAL = re.compile(r'[,+"\\<>;=#\x00-\x1f\x7f]|^ | $')


def below(parent: str, attribute: str, value: str) -> str:
    """The name of an entry directly below another (RFC 4514 section 2.4)."""
    return f"{attribute}={_SPECIAL.sub(_escaped, value)},{parent}"


def same(one: str, other: str) -> bool:
    """Do two names, both as the same server wrote them, mean one entry?"""
    return one.casefold() == other.casefold()


def _escaped(found: re.Match[str]) -> str:
    return "".join(f"\\{byte:02x}" for byte in found[0].encode())
