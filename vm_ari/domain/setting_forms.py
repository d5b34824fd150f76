"""How the values of settings are written: one readable line of text each."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import Enum
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from vm_ari.domain.holidays import format_own, parse_own, parse_region
from vm_ari.domain.office_hours import format_hours, parse_hours
from vm_ari.domain.profiles import CHOOSABLE, ProfileName

T = TypeVar("T")
E = TypeVar("E", bound=Enum)
MOST_LISTED_NUMBERS = 3
"""A user has no more direct numbers than that (UM-01)."""
NONE = "none"
"""Takes away what the organisation or the site would give."""


@dataclass(frozen=True)
class Form(Generic[T]):
    """How values of a type are written."""

    expects: str
    """What a person is told to write."""
    read: Callable[[str], T]
    """Raises ValueError, KeyError or OSError."""
    write: Callable[[T], str]


def choice(options: type[E]) -> Form[E]:
    """One of an enum's values."""
    names = " or ".join(str(option.value) for option in options)
    return Form(names, lambda text: options(text.lower()), lambda value: str(value.value))


def matching(pattern: str, expects: str) -> Form[str]:
    """A text as it is."""

    def read(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError
        return text

    return Form(expects, read, str)


def whole_number(least: int, most: int, unit: str) -> Form[int]:
    """Digits."""

    def read(text: str) -> int:
        if not re.fullmatch("[0-9]{1,6}", text) or not least <= int(text) <= most:
            raise ValueError
        return int(text)

    return Form(f"{unit} from {least} to {most}", read, str)


def or_else(form: Form[T], otherwise: T, word: str = NONE, meaning: str = "") -> Form[T]:
    """The form, or a *word* for one more value; *meaning* explains the word."""

    def read(text: str) -> T:
        return otherwise if text.lower() == word else form.read(text)

    def write(value: T) -> str:
        return word if value == otherwise else form.write(value)

    return Form(f"{form.expects}, or {word}{meaning}", read, write)


def or_nothing(form: Form[T], word: str = NONE, meaning: str = "") -> Form[T | None]:
    """The form, or a *word* for no value."""

    def read(text: str) -> T | None:
        return None if text.lower() == word else form.read(text)

    def write(value: T | None) -> str:
        return word if value is None else form.write(value)

    return Form(f"{form.expects}, or {word}{meaning}", read, write)


def _yes_or_no(text: str) -> bool:
    match text.lower():
        case "yes" | "true" | "on" | "1":
            return True
        case "no" | "false" | "off" | "0":
            return False
    raise ValueError


def _language(text: str) -> str:
    if not re.fullmatch("[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})?", text):
        raise ValueError
    return text.lower()


def _zone(text: str) -> str:
    """Only names: the library also takes paths."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*", text):
        raise ValueError
    return ZoneInfo(text).key


def _profile(text: str) -> ProfileName:
    profile = ProfileName(text.lower())
    if profile not in CHOOSABLE:
        raise ValueError
    return profile


def _numbers(text: str) -> tuple[str, ...]:
    """Blanks, hyphens and brackets inside a number are how people write it."""
    numbers = tuple(re.sub(r"[ ()./-]", "", part) for part in text.split(","))
    if not 0 < len(numbers) <= MOST_LISTED_NUMBERS or len(set(numbers)) < len(numbers):
        raise ValueError
    if not all(re.fullmatch(r"\+[1-9][0-9]{3,18}|[0-9]{1,10}", number) for number in numbers):
        raise ValueError
    return numbers


def _end(text: str) -> datetime:
    """A day counts as a whole, so it ends at the midnight after it."""
    if re.fullmatch("2[0-9]{3}-[0-9]{2}-[0-9]{2}", text):
        return datetime.fromisoformat(text) + timedelta(days=1)
    if re.fullmatch("2[0-9]{3}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}", text):
        return datetime.fromisoformat(text)
    raise ValueError


def _end_text(end: datetime) -> str:
    """Shown as it was meant: midnight is the end of the day before."""
    if end.time() == time():
        return f"{end - timedelta(days=1):%Y-%m-%d}"
    return f"{end:%Y-%m-%dT%H:%M}"


FLAG = Form("yes or no", _yes_or_no, lambda value: "yes" if value else "no")
TAG = Form("a language such as de or en", _language, str)
ZONE = Form("a time zone such as Europe/Berlin", _zone, str)
FOLDER = matching(r"[^/\x00-\x1f](.*[^/])?", "a folder such as INBOX/Voice")
SERVER = matching(
    r"[A-Za-z0-9]([A-Za-z0-9.-]{0,180}[A-Za-z0-9])?(:[1-9][0-9]{0,4})?",
    "a server such as mail2.example.org",
)
NUMBER = matching(r"(?=.*[0-9])[0-9+(][0-9+().\-/ ]{0,39}", "a number such as +49 30 555101")
NUMBERS = Form(
    f"at most {MOST_LISTED_NUMBERS} of the user's own numbers such as +4930555101, +4930555102",
    _numbers,
    ", ".join,
)
SENDERS = Form(
    f"at most {MOST_LISTED_NUMBERS} numbers such as +4930555100, +4930555101",
    NUMBERS.read,
    NUMBERS.write,
)
COST_CENTRE = matching(r"[^\x00-\x1f=+@-][^\x00-\x1f]{0,39}", "up to 40 characters such as 4711-B")
DAILY = whole_number(0, 100_000, "a number")
PROFILE = Form(f"a profile ({', '.join(CHOOSABLE)})", _profile, lambda value: str(value.value))
END = Form("a date such as 2026-03-14, or a time such as 2026-03-14T12:00", _end, _end_text)
HOURS = Form(
    "office hours such as mon-thu 09:00-17:00 12:00-13:00; fri 09:00-15:00, or always",
    parse_hours,
    format_hours,
)
REGION = Form("a country or a part of one, such as DE or DE-BY", parse_region, str)
HOLIDAYS = Form("dates such as 2026-12-28, or 12-24 for every year", parse_own, format_own)
