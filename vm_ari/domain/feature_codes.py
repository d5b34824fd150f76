"""Which star codes a dialplan has already, and which of ours are still free."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from vm_ari.domain.asterisk_files import Statement

CODE = re.compile(r"[*#0-9]{1,10}")
"""What a telephone can dial, and we put into a dialplan."""
_CLASSES = {"X": "[0-9]", "Z": "[1-9]", "N": "[2-9]", ".": ".+", "!": ".*"}
_CANDIDATES = ("*95", "*96", "*94", "*93", "*85", "*86", "*195", "*196")
_WILD = {"_.", "_!", "_X.", "_X!", "_*.", "_[*#0-9].", "_[*#0-9]!"}
"""They take everything; Asterisk prefers an extension that is exact."""


@dataclass(frozen=True)
class Codes:
    """What telephones dial: for the own mailbox, and for anybody's."""

    own: str
    other: str


def taken(found: Iterable[Statement]) -> Sequence[str]:
    """All extensions and patterns of a dialplan that begin with a star or may match one."""
    names = {one.value.split(",")[0].split("/")[0].strip() for one in found if one.key == "exten"}
    return sorted(name for name in names if name[:1] in "*_" and name not in _WILD)


def is_taken(code: str, names: Iterable[str]) -> bool:
    """Would dialling *code* reach one of these?"""
    return any(_fits(name, code) for name in names)


def _fits(name: str, code: str) -> bool:
    try:
        return re.fullmatch(_expression(name), code) is not None
    except re.error:  # such as [9-0]; Asterisk says so in its log
        return False


def choose(names: Sequence[str]) -> Codes | None:
    """The first two of our codes that nobody uses; None: all are taken.

    ``*97`` and ``*98`` are not among them: they are the voicemail of FreePBX and of many others.
    """
    free = [code for code in _CANDIDATES if not is_taken(code, names)]
    return Codes(*free[:2]) if len(free) > 1 else None


def _expression(name: str) -> str:
    """A pattern of the dialplan (``_*9X``) as a regular expression; others match themselves."""
    if not name.startswith("_"):
        return re.escape(name)
    parts = re.findall(r"\[[^\]]*\]|[^-]", name[1:])  # dashes between are for the eye
    return "".join(_part(part) for part in parts)


def _part(part: str) -> str:
    inner = re.sub(r"[^0-9A-Za-z*#+-]", "", part) if len(part) > 1 else ""
    return f"[{inner}]" if inner else _CLASSES.get(part.upper(), re.escape(part))
