"""German: "Sie haben" "zwei" "neue Sprachnachrichten", "am dritten" "November" "um 14 Uhr" "35"."""

from collections.abc import Iterator
from datetime import date, datetime

from vm_ari.speech.catalogue import P
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

CODE = "de"
NAME = "Deutsch"

KEYS = {"*": "digits/star-key", "#": "digits/pound-key"}
"""After "drücken Sie die" these keys need their full name: "die Sterntaste", not "die Stern"."""


def clips(sentence: Sentence) -> tuple[Clip, ...]:
    """The sound files that say *sentence*. Raises ValueError for a number or key it cannot say."""
    return assemble(CODE, sentence, _words)


def vocabulary() -> frozenset[str]:
    """Every clip name this language can ever say."""
    return all_clip_names(CODE, _own_words())


def _own_words() -> Iterator[str]:
    yield from (f"digits/{n}" for n in WHOLE_NUMBERS)
    yield from ("digits/ein", "digits/hundred", "digits/thousand")
    yield from (*SIGNS.values(), *KEYS.values())
    yield from ("moment/today", "moment/yesterday")
    yield from (f"moment/on-{name}" for name in WEEKDAYS)
    yield from (f"moment/{name}" for name in MONTHS)
    yield from (f"moment/day-{n}" for n in range(1, 32))
    yield from (f"moment/at-{n}" for n in range(24))
    yield from UNITS


def _words(part: Part, before: Part | None) -> Iterator[str]:
    match part:
        case Number(value):
            yield from _number(in_range(value))
        case Digits(key) if before is P.PRESS and key in KEYS:
            yield KEYS[key]
        case Digits(text):
            yield from keys(text)
        case Counted(count, noun):
            yield from counted(count, noun, _numeral)
        case Moment(when, now):
            yield from (*_day(when.date(), now.date()), *_time(when))
        case Day(day, today):
            yield from _day(day, today)
        case Duration(seconds):
            yield from duration(seconds, _numeral)


def _number(n: int, one: str = "digits/1") -> Iterator[str]:
    """``105`` → "einhundert" "fünf"; *one* is how a final one sounds: "eins" or "ein"."""
    thousands, rest = divmod(n, 1000)
    if thousands >= 10:
        yield from (*_number(thousands, "digits/ein"), "digits/thousand")
    elif thousands:
        yield f"digits/{thousands * 1000}"
    hundreds, rest = divmod(rest, 100)
    if hundreds:
        yield f"digits/{hundreds * 100}"
    if rest or n == 0:
        yield one if rest == 1 else f"digits/{rest}"


def _numeral(n: int) -> Iterator[str]:
    """A number that a noun follows: "einhundertein Minuten"."""
    return _number(n, "digits/ein")


def _day(day: date, today: date) -> Iterator[str]:
    """ "am dritten" "November", with the year when it is not this one."""
    if recent := recent_day(day, today):
        yield recent
        return
    yield from (f"moment/day-{day.day}", f"moment/{MONTHS[day.month - 1]}")
    if day.year != today.year:
        yield from _year(day.year)


def _year(year: int) -> Iterator[str]:
    """1999 is counted in hundreds, "neunzehn" "hundert" "neunundneunzig"; 2025 is a number."""
    century, rest = divmod(year, 100)
    if not 11 <= century <= 19:
        yield from _number(year)
    else:
        yield from (f"digits/{century}", "digits/hundred")
        yield from (f"digits/{rest}",) if rest else ()


def _time(when: datetime) -> Iterator[str]:
    yield f"moment/at-{when.hour}"
    if when.minute:
        yield f"digits/{when.minute}"
