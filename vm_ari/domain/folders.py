"""Folders into which users put messages away (STORE-05): names that every message store takes."""

import re

from vm_ari.domain.callers import printable

LONGEST = 60
_ODD = re.compile(r'[/\\.%*"]')
"""Levels on some servers, patterns on all, and the end of a quoted text."""


class BadFolder(ValueError):
    """That cannot be the name of a folder. The text says what to write."""


def folder_named(text: str) -> str:
    """The name, if it can be one everywhere. Raises `BadFolder`."""
    name = text.strip()
    if not 0 < len(name) <= LONGEST or name != printable(name) or _ODD.search(name):
        raise BadFolder(
            f"“{printable(text, LONGEST)}” cannot be the name of a folder: write up to {LONGEST} "
            'visible characters, none of them / \\ . % * "'
        )
    if name.upper() == "INBOX":
        raise BadFolder("INBOX is where new messages come; name another folder")
    return name
