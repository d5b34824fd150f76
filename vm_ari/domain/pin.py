"""What a PIN check may answer, and how many failures lock the telephone login."""

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
