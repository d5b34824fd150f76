"""Days on which nobody works: public holidays, and a user's own (HOURS-03)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

MOST_OWN = 16
_OWN = re.compile(r"(?:([0-9]{4})-)?([0-9]{2})-([0-9]{2})")
_LEAP_YEAR = 2000
_REGION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")

Calendar = Callable[[str, date], str | None]
"""The name of the public holiday that a day is in a region such as ``DE-BY``; else None."""


@dataclass(frozen=True, order=True)
class OwnHoliday:
    """A day off, in one year or in all."""

    month: int
    day: int
    year: int | None = None
    """None: every year."""

    def is_on(self, day: date) -> bool:
        """Is it that day?"""
        return (self.month, self.day) == (day.month, day.day) and self.year in {None, day.year}

    def __str__(self) -> str:
        text = f"{self.month:02}-{self.day:02}"
        return text if self.year is None else f"{self.year:04}-{text}"


def no_calendar(_region: str, _day: date) -> None:
    """Public holidays where nobody knows of any."""


def holiday_on(
    day: date, region: str, own: tuple[OwnHoliday, ...], calendar: Calendar = no_calendar
) -> str | None:
    """Why nobody works on that day; None if it is a day like others."""
    if any(one.is_on(day) for one in own):
        return "an own holiday"
    return calendar(region, day) if region else None


def parse_own(text: str) -> tuple[OwnHoliday, ...]:
    """Read dates such as ``2026-12-28, 12-24``. Raises ValueError."""
    days = tuple(_own(part) for part in re.split(r"[,;\s]+", text.strip(" ,;")))
    if len(days) > MOST_OWN:
        raise ValueError("too many")
    return tuple(dict.fromkeys(days))


def format_own(days: tuple[OwnHoliday, ...]) -> str:
    """The text that `parse_own` reads."""
    return ", ".join(str(day) for day in days)


def parse_region(text: str) -> str:
    """A country or a part of one, such as ``DE-BY`` (ISO 3166). Raises ValueError."""
    region = text.upper()
    if not _REGION.fullmatch(region):
        raise ValueError("no region")
    return region


def _own(text: str) -> OwnHoliday:
    found = _OWN.fullmatch(text)
    if not found:
        raise ValueError("a date is written as 2026-12-28 or 12-28")
    year, month, day = (int(part) if part else None for part in found.groups())
    checked = date(_LEAP_YEAR if year is None else year, month or 0, day or 0)
    return OwnHoliday(checked.month, checked.day, year)
