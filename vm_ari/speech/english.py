"""English: "You have" "two" "new voice messages", "on November" "third" "at two" "p m"."""

from collections.abc import Iterator
from datetime import date, datetime

from vm_ari.speech.language import (
    MONTHS,
    SIGNS,
    UNITS,
    WEEKDAYS,
    WHOLE_NUMBERS,
    all_clip_names,
    assemble,
    counted,
    duration,
    in_range,
    keys,
    recent_day,
)
from vm_ari.speech.parts import Clip, Counted, Day, Digits, Duration, Moment, Number, Part, Sentence

CODE = "en"
NAME = "English"


def clips(sentence: Sentence) -> tuple[Clip, ...]:
    """The sound files that say *sentence*. Raises ValueError for a number or key it cannot say."""
    return assemble(CODE, sentence, _words)


def vocabulary() -> frozenset[str]:
    """Every clip name this language can ever say."""
    return all_clip_names(CODE, _own_words())


def _own_words() -> Iterator[str]:
    yield from (f"digits/{n}" for n in WHOLE_NUMBERS)
    yield from ("digits/hundred", "digits/thousand", *SIGNS.values())
    yield from ("moment/today", "moment/yesterday", "moment/am", "moment/pm")
    yield from (f"moment/on-{name}" for name in (*WEEKDAYS, *MONTHS))
    yield from (f"moment/day-{n}" for n in range(1, 32))
    yield from (f"moment/at-{n}" for n in range(1, 13))
    yield from (f"moment/oh-{n}" for n in range(1, 10))
    yield from UNITS


def _words(part: Part, _before: Part | None) -> Iterator[str]:
    match part:
        case Number(value):
            yield from _number(in_range(value))
        case Digits(text):
            yield from keys(text)
        case Counted(count, noun):
            yield from counted(count, noun, _number)
        case Moment(when, now):
            yield from (*_day(when.date(), now.date()), *_time(when))
        case Day(day, today):
            yield from _day(day, today)
        case Duration(seconds):
            yield from duration(seconds, _number)


def _number(n: int) -> Iterator[str]:
    """``105`` → "one hundred" "five"; round hundreds and thousands are one clip each."""
    thousands, rest = divmod(n, 1000)
    if thousands >= 10:
        yield from (*_number(thousands), "digits/thousand")
    elif thousands:
        yield f"digits/{thousands * 1000}"
    hundreds, rest = divmod(rest, 100)
    if hundreds:
        yield f"digits/{hundreds * 100}"
    if rest or n == 0:
        yield f"digits/{rest}"


def _day(day: date, today: date) -> Iterator[str]:
    """ "on November" "third", with the year when it is not this one."""
    if recent := recent_day(day, today):
        yield recent
        return
    yield from (f"moment/on-{MONTHS[day.month - 1]}", f"moment/day-{day.day}")
    if day.year != today.year:
        yield from _year(day.year)


def _year(year: int) -> Iterator[str]:
    """1999 "nineteen" "ninety-nine", 1905 "nineteen" "oh five", 2003 and 2000 as numbers."""
    century, rest = divmod(year, 100)
    if century < 10 or year % 1000 < 10:
        yield from _number(year)
    else:
        yield f"digits/{century}"
        yield from (_minutes(rest),) if rest else ("digits/hundred",)


def _time(when: datetime) -> Iterator[str]:
    yield f"moment/at-{when.hour % 12 or 12}"
    if when.minute:
        yield _minutes(when.minute)
    yield "moment/am" if when.hour < 12 else "moment/pm"


def _minutes(n: int) -> str:
    """Two-digit style: 5 is "oh five"."""
    return f"moment/oh-{n}" if n < 10 else f"digits/{n}"
