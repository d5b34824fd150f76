"""Office hours: when somebody works, pauses or is off (HOURS-01).

They are written as one text: ``mon-thu 09:00-17:00 12:00-13:00; fri 09:00-15:00`` means from nine
to five with a break at noon, on Fridays until three, and off at the weekend. A period that ends at
or before its beginning goes on over midnight; it belongs to the day on which it begins.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from functools import lru_cache

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MIDNIGHT = 24 * 60
ALWAYS = "always"
"""Written where there are no office hours: it is always working time."""
_SPAN = re.compile(r"([0-9]{1,2}):([0-9]{2})-([0-9]{1,2}):([0-9]{2})")


class Phase(Enum):
    """What somebody is doing; the value is for people."""

    WORK = "working time"
    BREAK = "break"
    OFF = "off-hours"


@dataclass(frozen=True)
class Span:
    """From and to, in minutes after the midnight at which the day begins; *end* is later."""

    start: int
    end: int

    def __contains__(self, other: "Span") -> bool:
        return self.start <= other.start and other.end <= self.end

    def __str__(self) -> str:
        end = self.end if self.end == MIDNIGHT else self.end % MIDNIGHT
        return f"{_clock(self.start % MIDNIGHT)}-{_clock(end)}"


@dataclass(frozen=True)
class Day:
    """The hours of one weekday."""

    work: Span
    pause: Span | None = None
    """Within *work*."""

    def __str__(self) -> str:
        return f"{self.work} {self.pause}" if self.pause else str(self.work)


@dataclass(frozen=True)
class OfficeHours:
    """The hours of a week; without any, it is always working time."""

    week: tuple[Day | None, ...] = (None,) * 7
    """Monday first; None is a day off."""

    def __bool__(self) -> bool:
        return any(self.week)


ALWAYS_OPEN = OfficeHours()


def phase(
    hours: OfficeHours, now: datetime, is_holiday: Callable[[date], bool] = lambda _: False
) -> Phase:
    """What it is time for at *now*, which has the time zone of the office.

    A holiday cancels what begins on it; a night shift that began the evening before goes on. Where
    the clock is put back, a time that it shows twice begins a period the first time and ends one
    the second; where it is put forward, a time that it skips is reached by the jump.
    """
    if not hours:
        return Phase.WORK
    today = now.date()
    found = {
        _phase_of(hours.week[day.weekday()], day, now)
        for day in (today, today - timedelta(days=1))
        if not is_holiday(day)
    }
    return next((one for one in (Phase.WORK, Phase.BREAK) if one in found), Phase.OFF)


def parse_hours(text: str) -> OfficeHours:
    """Read the text of a week. Raises ValueError."""
    return _parse(text.strip().lower())


def format_hours(hours: OfficeHours) -> str:
    """The text that `parse_hours` reads; equal days are put together."""
    if not hours:
        return ALWAYS
    alike = dict.fromkeys(day for day in hours.week if day)
    return "; ".join(f"{_days_text(hours, day)} {day}" for day in alike)


def _phase_of(hours: Day | None, day: date, now: datetime) -> Phase:
    if hours is None or not _within(hours.work, day, now):
        return Phase.OFF
    return Phase.BREAK if hours.pause and _within(hours.pause, day, now) else Phase.WORK


def _within(span: Span, day: date, now: datetime) -> bool:
    midnight = datetime.combine(day, time(), now.tzinfo)
    start, end = (midnight + timedelta(minutes=minutes) for minutes in (span.start, span.end))
    # of one zone, Python compares what the clocks show; UTC tells a repeated hour from the first
    started = now >= start or _utc(now) >= _utc(start)
    ended = now >= end and _utc(now) >= _utc(end.replace(fold=1))
    return started and not ended


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


@lru_cache(maxsize=256)
def _parse(text: str) -> OfficeHours:
    """A site's people mostly have the same hours."""
    if text == ALWAYS:
        return ALWAYS_OPEN
    week: list[Day | None] = [None] * 7
    for group in text.rstrip("; ").split(";"):
        days, *spans = group.split()
        hours = _day(spans)
        for number in _day_numbers(days):
            if week[number]:
                raise ValueError(f"{DAYS[number]} is there twice")
            week[number] = hours
    return OfficeHours(tuple(week))


def _day(texts: list[str]) -> Day:
    if not 1 <= len(texts) <= 2:
        raise ValueError("one period and perhaps one break")
    work, *pauses = (_span(text) for text in texts)
    if not pauses:
        return Day(work)
    pause = pauses[0]
    if pause.start < work.start:
        pause = Span(pause.start + MIDNIGHT, pause.end + MIDNIGHT)
    if pause not in work:
        raise ValueError("the break is outside the working time")
    return Day(work, pause)


def _span(text: str) -> Span:
    found = _SPAN.fullmatch(text)
    if not found:
        raise ValueError("a period is written as 09:00-17:00")
    start, end = (_minutes(*found.group(n, n + 1)) for n in (1, 3))
    if start == MIDNIGHT:
        raise ValueError("a day begins at 00:00")
    return Span(start, end if end > start else end + MIDNIGHT)


def _minutes(hour: str, minute: str) -> int:
    total = int(hour) * 60 + int(minute)
    if int(minute) > 59 or total > MIDNIGHT:
        raise ValueError("no such time")
    return total


def _day_numbers(text: str) -> Iterator[int]:
    """Such as ``mon-wed,sat``; raises ValueError."""
    for part in text.split(","):
        first, dash, last = part.partition("-")
        start = DAYS.index(first)
        length = (DAYS.index(last) - start) % 7 if dash else 0
        yield from ((start + step) % 7 for step in range(length + 1))


def _days_text(hours: OfficeHours, day: Day) -> str:
    parts: list[list[int]] = []
    for number in (n for n, other in enumerate(hours.week) if other == day):
        if parts and parts[-1][-1] == number - 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ",".join("-".join(DAYS[n] for n in dict.fromkeys((p[0], p[-1]))) for p in parts)


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
