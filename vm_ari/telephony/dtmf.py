"""Matchers: pure judges of what has been typed so far."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

T = TypeVar("T")


class Pending(Enum):
    """Not complete: either more keys may come, or no key can make it right any more."""

    INCOMPLETE = "incomplete"
    INVALID = "invalid"


@dataclass(frozen=True)
class Complete(Generic[T]):
    """What the keys mean."""

    value: T


Judgement = Complete[T] | Pending
Matcher = Callable[[str], Judgement[T]]


class Back(Enum):
    """The user wants to go back one level."""

    BACK = "*"


def one_of(choices: Mapping[str, T]) -> Matcher[T]:
    """One of these keys (or key sequences, none the start of another)."""

    def judge(typed: str) -> Judgement[T]:
        if typed in choices:
            return Complete(choices[typed])
        if any(keys.startswith(typed) for keys in choices):
            return Pending.INCOMPLETE
        return Pending.INVALID

    return judge


def number_until_hash(longest: int = 20, *, or_none: bool = False) -> Matcher[str | Back]:
    """Digits ended by ``#``, or by being *longest*; ``*`` as the first key goes back.

    With *or_none*, ``#`` alone is an empty number.
    """

    def judge(typed: str) -> Judgement[str | Back]:
        if typed == "*":
            return Complete(Back.BACK)
        number = typed.removesuffix("#")
        if or_none and typed == "#":
            return Complete("")
        if not number.isdigit():
            return Pending.INVALID
        if typed.endswith("#") or len(number) >= longest:
            return Complete(number)
        return Pending.INCOMPLETE

    return judge
