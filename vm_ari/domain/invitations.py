"""Invitations: somebody may record the global greeting, and nothing else (GREET-07)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

LASTS = timedelta(days=7)
"""So long after it was sent an invitation can be opened."""
VISIT = timedelta(hours=1)
"""So long after it was opened, once, the greeting can be recorded."""
MOST_WRONG = 5
"""Access codes that are wrong; then the invitation is over."""
MOST_CALLS = 10
"""To record by telephone: whoever is invited gives the number that is called."""
CODE_SIGNS = "23456789abcdefghjkmnpqrstuvwxyz"
"""Of access codes: none looks like another one."""
CODE_LENGTH = 8


@dataclass(frozen=True)
class Invitation:
    """What is kept of one: neither link nor access code can be read from it."""

    key: str
    """Fingerprint of the link."""
    proof: str = field(repr=False)
    """Fingerprint of link and access code."""
    address: str
    """Who was invited."""
    language: str
    """Of the greeting."""
    ends: datetime
    visit: str = ""
    """Fingerprint of what the browser has that has opened it; empty while nobody has."""


def key_of(link: str) -> str:
    """By which an invitation, or a visit, is found."""
    return sha256(link.encode("utf-8", "replace")).hexdigest()


def proof_of(link: str, code: str) -> str:
    """What is compared; without the link nobody can try codes on it."""
    return key_of(f"{link}\0{typed_code(code)}")


def typed_code(code: str) -> str:
    """As people type it: in groups, in capitals."""
    return "".join(sign for sign in code[:40].lower() if sign.isalnum())


def written_code(code: str) -> str:
    """In groups of four."""
    return "-".join(code[place : place + 4] for place in range(0, len(code), 4))
