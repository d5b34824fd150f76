"""Another mail address, once the code is typed that was sent to the present one (UM-03)."""

import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

CODE_DIGITS = 8
LASTS = timedelta(minutes=15)
TRIES = 5
"""Codes that are judged; each is counted before."""
MOST_CODES = 3
"""That one user is sent within `CODES_WITHIN`: neither a flood of mails nor endless tries."""
CODES_WITHIN = timedelta(hours=1)
_LONGEST_TYPED = 40


class Outcome(StrEnum):
    """What came of a step; the value names its words in the portal."""

    SENT = "sent"
    """The code is on its way to the present address."""
    CHANGED = "changed"
    NO_ADDRESS = "no-address"
    """That is none."""
    SAME = "same"
    """It is the present one."""
    TAKEN = "taken"
    """It is somebody else's."""
    NOWHERE = "nowhere"
    """There is no present address to which a code could go, or no mails leave."""
    TOO_OFTEN = "too-often"
    """Codes were asked for."""
    NOT_SENT = "not-sent"
    """The mail with the code cannot be written down; nothing has begun."""
    WRONG = "wrong"
    """That is not the code."""
    OVER = "over"
    """No change is open: too late, too many tries, or overtaken by another change."""
    READ_ONLY = "read-only"
    """The directory takes no changes of addresses from us."""


@dataclass(frozen=True)
class MailChange:
    """A change that waits for its code; a user has one at most."""

    user_id: str
    old: str
    """The address to which the code went."""
    new: str
    proof: str = field(repr=False)
    """Of the code (`proof_of`); the code itself is nowhere but in the mail."""
    ends: datetime
    """UTC."""
    tries: int = 0
    """Codes that were judged."""

    @property
    def tries_left(self) -> int:
        """How many codes can still be typed."""
        return max(0, TRIES - self.tries)

    @property
    def occasion(self) -> str:
        """The same for every mail about this change, and for no other."""
        return self.proof[:32]


def new_code() -> str:
    """To be sent by mail, and typed."""
    return f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"


def written_code(code: str) -> str:
    """In groups, for people."""
    return f"{code[:4]} {code[4:]}"


def typed_code(text: str) -> str:
    """The digits of what somebody typed; empty for what cannot be a code."""
    digits = re.sub(r"[\s-]", "", text) if len(text) <= _LONGEST_TYPED else ""
    return digits if re.fullmatch(f"[0-9]{{{CODE_DIGITS}}}", digits) else ""


def proof_of(key: bytes, user_id: str, old: str, new: str, code: str) -> str:
    """What is stored of a code: without the *key*, which lies elsewhere, nobody can try codes.

    It belongs to that user and both addresses, so that it proves nothing else.
    """
    text = "\0".join((user_id, old, new, code)).encode("utf-8", "replace")
    return hmac.digest(key, text, "sha256").hex()


def is_proven(change: MailChange, keys: Sequence[bytes], code: str) -> bool:
    """Is it the code of that change? Takes as long for any code."""
    given = [proof_of(key, change.user_id, change.old, change.new, code) for key in keys]
    fits = [hmac.compare_digest(one, change.proof) for one in given]
    return bool(code) and any(fits)
