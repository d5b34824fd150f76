"""Which PINs are good enough (LOGIN-02): trivial ones are refused, each for a reason."""

from collections.abc import Collection, Iterable
from enum import StrEnum
from itertools import pairwise

LONGEST_PIN = 20
SHORTEST_POSSIBLE = 4
"""No site can allow shorter ones."""
_KNOWN_FROM = 4
"""Digits from which a number within a PIN is no chance."""


class PinFault(StrEnum):
    """Why a PIN is refused."""

    NOT_DIGITS = "not-digits"
    TOO_SHORT = "too-short"
    TOO_LONG = "too-long"
    REPEATED = "repeated"
    SEQUENCE = "sequence"
    OWN_NUMBER = "own-number"
    USED_BEFORE = "used-before"


_SENTENCES = {
    PinFault.NOT_DIGITS: "A PIN is made of the digits 0 to 9 only.",
    PinFault.TOO_SHORT: "The PIN is too short; it needs at least {shortest} digits.",
    PinFault.TOO_LONG: f"The PIN is too long; it may have {LONGEST_PIN} digits.",
    PinFault.REPEATED: "The PIN only repeats the same digits, such as 444444 or 121212.",
    PinFault.SEQUENCE: "The digits of the PIN are a sequence, such as 123456 or 987654.",
    PinFault.OWN_NUMBER: "The PIN is part of the user's own number, or holds it.",
    PinFault.USED_BEFORE: "The PIN is the present one or one of those before it; take another.",
}


def pin_fault(
    pin: str, *, shortest: int, numbers: Iterable[str] = (), used: Collection[str] = ()
) -> PinFault | None:
    """The first thing that is wrong with a new PIN; None: it is good.

    *numbers* are the user's own, *used* the present PIN and those before it.
    """
    if not (pin.isascii() and pin.isdigit()):
        return PinFault.NOT_DIGITS
    faults = {
        PinFault.TOO_SHORT: len(pin) < shortest,
        PinFault.TOO_LONG: len(pin) > LONGEST_PIN,
        PinFault.REPEATED: _repeats(pin),
        PinFault.SEQUENCE: _runs(pin),
        PinFault.OWN_NUMBER: any(_is_own(pin, number) for number in numbers),
        PinFault.USED_BEFORE: pin in used,
    }
    return next((fault for fault, there in faults.items() if there), None)


def sentence(fault: PinFault, *, shortest: int) -> str:
    """For an admin, and for web pages."""
    return _SENTENCES[fault].format(shortest=shortest)


def _repeats(pin: str) -> bool:
    """Is it some block of digits again and again, the last one perhaps cut?"""
    blocks = range(1, len(pin) // 2 + 1)
    return any((pin[:size] * len(pin))[: len(pin)] == pin for size in blocks)


def _runs(pin: str) -> bool:
    """Is each digit the one before plus the same step? 9 is followed by 0."""
    return len({(int(after) - int(before)) % 10 for before, after in pairwise(pin)}) <= 1


def _is_own(pin: str, number: str) -> bool:
    digits = "".join(key for key in number if key.isdecimal())
    if not digits:
        return False
    if len(digits) >= _KNOWN_FROM and digits in pin:
        return True
    # a short extension filled up with zeros is no better
    return pin in digits or pin.strip("0") == digits.strip("0")
