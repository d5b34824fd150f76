"""The message lamp as a phone is told of it (RFC 3842 message-summary), read without I/O."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Lamp:
    """What one NOTIFY said *at* a moment (monotonic seconds)."""

    at: float
    new: int
    old: int
    on: bool
    account: str = ""
    """Whom to call to hear the messages; empty: it did not say so."""


def parse(body: bytes, at: float) -> Lamp | None:
    """Read the body of a NOTIFY; None where it is not a message summary."""
    text = body.decode("utf-8", "replace")
    waiting = re.search(r"^Messages-Waiting:\s*(yes|no)\b", text, re.MULTILINE | re.IGNORECASE)
    if not waiting:
        return None
    counts = re.search(r"^Voice-Message:\s*(\d{1,9})\s*/\s*(\d{1,9})", text, re.M | re.I)
    new, old = (int(counts[1]), int(counts[2])) if counts else (0, 0)
    account = re.search(r"^Message-Account:\s*(\S{1,200})", text, re.M | re.I)
    return Lamp(at, new, old, waiting[1].lower() == "yes", account[1] if account else "")
