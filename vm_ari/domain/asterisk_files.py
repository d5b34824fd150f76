"""Asterisk's configuration files as text: what they say, and a marked block of ours in them.

A block stands at the end of a file that somebody else keeps. Taking it out again leaves every byte
as it was: its first line says whether the file was made for it, and whether a line end had to be
put before it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

_BEGIN = b"; >>> vm_ari"
_END = b"; <<< vm_ari"
_HEAD = b"; >>> vm_ari%s: made by vm-ari asterisk install-config, which also removes it (--undo)\n"
_BLOCK = re.compile(rb"(?ms)^; >>> vm_ari(?P<kind>[^:\n]*):[^\n]*\n.*?^; <<< vm_ari\n?")
_SECTION = re.compile(r"\[(?P<name>[^\]]*)\]")
_INCLUDE = re.compile(r"#(?:include|tryinclude)\s+(?:\"([^\"]+)\"|<([^>]+)>|(\S+))", re.IGNORECASE)
_SET = re.compile(r"(?P<key>[^=]*?)\s*=>?\s*(?P<value>.*)")


class _Kind(Enum):
    """How the file was before the block came."""

    PLAIN = b""
    NO_LINE_END = b" (the line before had no end)"
    NEW_FILE = b" (in a file of its own)"


@dataclass(frozen=True)
class Statement:
    """One line that says something: ``key = value`` in a section, or a file to include."""

    section: str
    key: str
    value: str

    @property
    def included(self) -> str | None:
        """The file or pattern that is included."""
        return self.value if self.key == "#include" else None


def statements(text: str, section: str = "") -> Iterator[Statement]:
    """What the text says, line by line; *section*: the one that was open before it.

    A section that begins is told as well: with an empty key.
    """
    for line in _without_comments(text).splitlines():
        bare = line.strip()
        if found := _SECTION.match(bare):
            section = found["name"]
            yield Statement(section, "", "")
        elif found := _INCLUDE.match(bare):
            yield Statement(section, "#include", next(name for name in found.groups() if name))
        elif (found := _SET.fullmatch(bare)) and found["key"]:
            yield Statement(section, found["key"].lower(), found["value"])


def _without_comments(text: str) -> str:
    r"""Comments begin with ``;`` unless it is written ``\;``; longer ones are ``;-- … --;``."""
    text = re.sub(r"(?s);--(?!-).*?--;", "", text)
    return re.sub(r"(?<!\\);[^\n]*", "", text).replace("\\;", ";")


def with_block(before: bytes | None, body: str) -> bytes:
    """The file with that block: in the place of an earlier one, else at the end; None: no file."""
    if before is None:
        return _block(_Kind.NEW_FILE, body)
    if found := _BLOCK.search(before):
        new = _block(_kind(found), body)
        return before[: found.start()] + new + before[found.end() :]
    if before and not before.endswith(b"\n"):
        return before + b"\n" + _block(_Kind.NO_LINE_END, body)
    return before + _block(_Kind.PLAIN, body)


def without_block(content: bytes) -> bytes | None:
    """The file as it was, with what others have changed since; None: it was made for the block."""
    found = _BLOCK.search(content)
    if found is None:
        return content
    before, behind = content[: found.start()], content[found.end() :]
    match _kind(found):
        case _Kind.NEW_FILE if not before + behind:
            return None
        case _Kind.NO_LINE_END if not behind:
            before = before.removesuffix(b"\n")
    return before + behind


def has_block(content: bytes) -> bool:
    """Is there a whole one?"""
    return _BLOCK.search(content) is not None


def is_broken(content: bytes) -> bool:
    """Was a block begun and not ended, or are there two? Then nobody knows what is whose."""
    return content.count(_BEGIN) != content.count(_END) or content.count(_BEGIN) > 1


def _block(kind: _Kind, body: str) -> bytes:
    return _HEAD % kind.value + body.rstrip("\n").encode() + b"\n" + _END + b"\n"


def _kind(found: re.Match[bytes]) -> _Kind:
    try:
        return _Kind(found["kind"])
    except ValueError:
        return _Kind.PLAIN
