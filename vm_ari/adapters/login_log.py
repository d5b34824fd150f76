"""The log of failed logins, in a file of its own that fail2ban reads (LOGIN-09).

    2026-03-04T14:35:12+01:00 vm-ari login failed: caller=+49301234567 mailbox=101 reason=wrong
    2026-03-04T14:35:12+01:00 vm-ari portal sign-in failed: address=192.0.2.1 reason=wrong

Whoever rotates the file may move it away: every line opens it anew.
"""

import os
import re
from collections.abc import MutableMapping
from datetime import datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

EVENT = "login failed"
PORTAL_EVENT = "portal sign-in failed"
_NUMBER = re.compile(r"\+?[0-9]{1,20}")
_LONGEST = 40


class LoginLog:
    """A processor of log lines that also writes failed logins to *file*."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __call__(
        self, _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """The event as it was; that a file cannot be written must not stop a login."""
        if event.get("event") in {EVENT, PORTAL_EVENT}:
            try:
                self._append(line(event, datetime.now().astimezone()))
            except OSError as error:
                event["not_in_file"] = f"{self._file}: {error.strerror}"
        return event

    def _append(self, text: str) -> None:
        """In one piece: several controllers may write the same file."""
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
        handle = os.open(self._file, flags, 0o640)
        try:
            os.write(handle, text.encode("ascii", "replace"))
        finally:
            os.close(handle)


def line(event: MutableMapping[str, Any], at: datetime) -> str:
    """One line, whatever the caller has sent: what is no number is *unknown*."""
    reason = re.sub("[^a-z]+", "-", str(event.get("reason", "")).lower())[:_LONGEST].strip("-")
    head = f"{at.isoformat(timespec='seconds')} vm-ari"
    if event.get("event") == PORTAL_EVENT:
        return f"{head} {PORTAL_EVENT}: address={_address(event)} reason={reason or 'unknown'}\n"
    return (
        f"{head} {EVENT}: "
        f"caller={_number(event, 'caller')} mailbox={_number(event, 'mailbox')} "
        f"reason={reason or 'unknown'}\n"
    )


def _address(event: MutableMapping[str, Any]) -> str:
    try:
        return str(ip_address(str(event.get("address", ""))))
    except ValueError:
        return "unknown"


def _number(event: MutableMapping[str, Any], key: str) -> str:
    text = str(event.get(key, ""))
    return text if _NUMBER.fullmatch(text) else "unknown"
