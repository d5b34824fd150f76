"""Telephone numbers as links in mails: what stands before the number (MISSED-02)."""

import re

from vm_ari.domain.callers import printable
from vm_ari.domain.setting_forms import NONE

TEL = "tel:"
_PREFIX = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,8}:")
_NOT_TELEPHONES = {"data:", "file:", "http:", "https:", "mailto:", "vbscript:", "ftp:"}
"""Links that do something else than call."""
_CALLABLE = re.compile(r"\+?[0-9]{1,20}")


class BadPrefix(ValueError):
    """Nothing that can stand before a number. The text says what can."""


def parse_prefix(text: str) -> str:
    """``tel:``, ``phone:``, ``callto:`` or an own one; empty for ``none``. Raises `BadPrefix`."""
    if text == NONE:
        return ""
    if not _PREFIX.fullmatch(text) or text.lower() in _NOT_TELEPHONES:
        raise BadPrefix(
            f"“{printable(text, 20)}” cannot stand before a number; write tel:, phone:, callto:, "
            f"an own one of at most 9 characters and a colon, or {NONE}"
        )
    return text


def link(number: str, prefix: str) -> str:
    """The address of a link that calls *number* (E.164 or an extension); empty for no link."""
    return prefix + number if prefix and _CALLABLE.fullmatch(number) else ""
