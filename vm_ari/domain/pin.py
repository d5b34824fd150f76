"""How a PIN is compared, what a check may answer, how many failures lock the telephone login."""

import hashlib
import hmac
from enum import Enum

FAILURES_BEFORE_LOCK = 5


class PinCheck(Enum):
    """The result of one attempt."""

    RIGHT = "right"
    WRONG = "wrong"
    LOCKED = "locked"


def is_locked(failures: int, allowed: int = FAILURES_BEFORE_LOCK) -> bool:
    """Is telephone login locked? *allowed* 0 switches locking off."""
    return allowed > 0 and failures >= allowed


def same_pin(known: str, typed: str) -> bool:
    """Digests of equal length, so that the time does not tell the PIN's; none opens nothing."""
    same = hmac.compare_digest(_digest(known), _digest(typed))
    return same and bool(known)


def _digest(pin: str) -> bytes:
    return hashlib.sha256(pin.encode("utf-8", "replace")).digest()
