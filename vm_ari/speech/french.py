"""French: "Dans votre messagerie" "deux" "nouveaux messages vocaux", "le quatre" "mars".

``quatre-vingts`` and ``soixante et onze`` are clips like all numbers below a hundred. What French
adds is the gender: "vingt et un messages", but "vingt et une minutes", also in times of day.
"""

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

CODE = "fr"
NAME = "Français"

FEMININE = (1, 21, 31, 41, 51, 61, 81)
"""The numbers below a hundred that end in "un"; 11, 71 and 91 end in "onze"."""


def clips(sentence: Sentence) -> tuple[Clip, ...]:
    """The sound files that say *sentence*. Raises ValueError for a number or key it cannot say."""
    return assemble(CODE, sentence, _words)


def vocabulary() -> frozenset[str]:
    """Every clip name this language can ever say."""
    return all_clip_names(CODE, _own_words())


def _own_words() -> Iterator[str]:
    yield from (f"digits/{n}" for n in WHOLE_NUMBERS)
    yield from (f"digits/{n}-feminine" for n in FEMININE)
    yield from SIGNS.values()
    yield from ("moment/today", "moment/yesterday")
    yield from (f"moment/on-{name}" for name in WEEKDAYS)
    yield from (f"moment/{name}" for name in MONTHS)
    yield from (f"moment/day-{n}" for n in range(1, 32))
    yield from (f"moment/at-{n}" for n in range(24))
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
            yield from duration(seconds, _feminine)


def _number(n: int) -> Iterator[str]:
    """``105`` → "cent" "cinq"; "mille" stays as it is, whatever stands before it."""
    thousands, rest = divmod(n, 1000)
    if thousands >= 10:
        yield from (*_number(thousands), "digits/1000")
    elif thousands:
        yield f"digits/{thousands * 1000}"
    hundreds, rest = divmod(rest, 100)
    if hundreds:
        yield f"digits/{hundreds * 100}"
    if rest or n == 0:
        yield f"digits/{rest}"


def _feminine(n: int) -> Iterator[str]:
    """A number before a feminine noun: "cent" "une" minutes, but "onze" minutes."""
    *before, last = _number(n)
    yield from before
    yield f"{last}-feminine" if n % 100 in FEMININE else last


def _day(day: date, today: date) -> Iterator[str]:
    """ "le quatre" "mars", with the year, a number like others, when it is not this one."""
    if recent := recent_day(day, today):
        yield recent
        return
    yield from (f"moment/day-{day.day}", f"moment/{MONTHS[day.month - 1]}")
    if day.year != today.year:
        yield from _number(day.year)


def _time(when: datetime) -> Iterator[str]:
    yield f"moment/at-{when.hour}"
    if when.minute:
        yield from _feminine(when.minute)
