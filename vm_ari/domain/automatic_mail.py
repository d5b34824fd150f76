"""Mails that nobody may answer: of lists, of machines, and about undelivered ones (RFC 3834)."""

import re
from collections.abc import Mapping

_LISTS = ("list-id", "list-post", "list-unsubscribe")
_MASSES = {"bulk", "list", "junk"}
_NOBODY = re.compile(
    r"(?i)(mailer-daemon|postmaster|bounces?([+=-].*)?|(do[._-]?)?not?[._-]?reply([+=-].*)?"
    r"|owner-.*|.*-(request|owner|bounces?))@.*"
)


def is_automatic(headers: Mapping[str, str]) -> bool:
    """May an answer reach a machine, or many people? By the header, names in lower case."""
    if headers.get("auto-submitted", "no").partition(";")[0].strip().lower() != "no":
        return True
    if headers.get("precedence", "").strip().lower() in _MASSES:
        return True
    if headers.get("return-path", "-").strip() in {"<>", ""}:
        return True
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "multipart/report" or any(name in headers for name in _LISTS)


def is_nobody(address: str) -> bool:
    """Does nobody read what goes to that address?"""
    return _NOBODY.fullmatch(address) is not None
