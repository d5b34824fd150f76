"""Find a language by its code, and turn a sentence into clips with that language's words.

A language is one module in this package with ``CODE``, ``NAME``, ``clips`` and ``vocabulary``, and
one folder ``sounds/<code>/``. Nothing names the modules: they are found by looking.
"""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from functools import cache
from itertools import pairwise
from typing import Protocol, cast

from vm_ari import speech
from vm_ari.speech.catalogue import Noun, P
from vm_ari.speech.parts import Clip, InLanguage, Part, Recorded, Sentence

LARGEST_NUMBER = 999_999
TONES = "tones/"
"""Clips below this folder are sounds, not words: all languages share them."""

Numeral = Callable[[int], Iterable[str]]
"""The clip names of a cardinal number."""

Words = Callable[[Part, Part | None], Iterable[str]]
"""The clip names for a part, given the part before it (``None`` at the start of a sentence)."""


class Language(Protocol):
    """What a module must offer to be a language."""

    @property
    def CODE(self) -> str:
        """ISO 639-1 code, which is also the name of the sounds folder: ``de``."""

    @property
    def NAME(self) -> str:
        """The language's name in that language: ``Deutsch``."""

    def clips(self, sentence: Sentence, /) -> tuple[Clip, ...]:
        """The sound files that say *sentence*, in order. Raises ValueError for a bad part."""

    def vocabulary(self) -> frozenset[str]:
        """The ``Clip.name`` of everything that `clips` can ever answer."""


class UnknownLanguage(LookupError):
    """No module in this package speaks the language that was asked for."""

    def __init__(self, code: str) -> None:
        super().__init__(f"no language {code!r}; there are: {', '.join(languages())}")


def language(code: str) -> Language:
    """The language with this code. Raises UnknownLanguage."""
    try:
        return _by_code(tuple(speech.__path__))[code]
    except KeyError:
        raise UnknownLanguage(code) from None


def languages() -> tuple[str, ...]:
    """The codes of all languages there are, in alphabetical order."""
    return tuple(sorted(_by_code(tuple(speech.__path__))))


@cache
def _by_code(folders: tuple[str, ...]) -> dict[str, Language]:
    names = (info.name for info in pkgutil.iter_modules(folders, f"{speech.__name__}."))
    modules = [importlib.import_module(name) for name in names]
    return {module.CODE: cast(Language, module) for module in modules if hasattr(module, "CODE")}


def assemble(code: str, sentence: Sentence, words: Words) -> tuple[Clip, ...]:
    """Clips for a sentence: fixed prompts and recordings as they are, the rest by *words*."""
    parts = (None, *sentence)
    return tuple(
        clip
        for before, part in pairwise(parts)
        if part is not None
        for clip in _clips(code, part, before, words)
    )


def _clips(code: str, part: Part, before: Part | None, words: Words) -> Iterable[Clip]:
    match part:
        case Recorded(path):
            return (Clip(path, absolute=True),)
        case InLanguage(other, sentence):
            return language(other).clips(sentence)
        case P():
            return (Clip(clip_name(code, part.value)),)
        case _:
            return (Clip(clip_name(code, name)) for name in words(part, before))


def clip_name(code: str, name: str) -> str:
    """``de/press`` for a word, ``tones/beep`` for a tone."""
    return name if name.startswith(TONES) else f"{code}/{name}"


def all_clip_names(code: str, own: Iterable[str]) -> frozenset[str]:
    """A language's vocabulary: its *own* words, every fixed prompt, every form of every noun."""
    nouns = (noun_clip(noun, form) for noun in Noun for form in ("none", "one", "many"))
    return frozenset(clip_name(code, name) for name in (*(p.value for p in P), *nouns, *own))


# Parts that most languages build alike; a language that does not simply writes its own.

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
SIGNS = {"*": "digits/star", "#": "digits/pound", "+": "digits/plus"}
UNITS = tuple(f"duration/{name}" for name in ("one-minute", "minutes", "one-second", "seconds"))
WHOLE_NUMBERS = (*range(100), *range(100, 1000, 100), *range(1000, 10_000, 1000))
"""The numbers with a clip of their own, so that most numbers are one or two clips."""


def in_range(number: int) -> int:
    """The number itself; ValueError if it is not one that a language can say."""
    if not 0 <= number <= LARGEST_NUMBER:
        raise ValueError(f"cannot say {number}: only 0 to {LARGEST_NUMBER}")
    return number


def noun_clip(noun: Noun, form: str) -> str:
    """The clip of a noun: with "none" and "one" the number is in it, "many" follows a number."""
    return f"{noun.value}/{form}"


def keys(text: str) -> Iterator[str]:
    """Digits and signs one by one. Raises ValueError for anything that is not on a telephone."""
    for key in text:
        if key in SIGNS:
            yield SIGNS[key]
        elif key.isascii() and key.isdigit():
            yield f"digits/{key}"
        else:
            raise ValueError(f"cannot say {key!r} as a key")


def counted(count: int, noun: Noun, number: Numeral) -> Iterator[str]:
    """No messages, one message, *number* messages."""
    match in_range(count):
        case 0:
            yield noun_clip(noun, "none")
        case 1:
            yield noun_clip(noun, "one")
        case _:
            yield from (*number(count), noun_clip(noun, "many"))


def duration(seconds: int, number: Numeral) -> Iterator[str]:
    """Seconds below a minute, else minutes "and" the seconds that are left."""
    minutes, rest = divmod(in_range(seconds), 60)
    if minutes:
        yield from _amount(minutes, "minute", number)
    if minutes and rest:
        yield P.AND.value
    if rest or not minutes:
        yield from _amount(rest, "second", number)


def recent_day(day: date, today: date) -> str | None:
    """Today, yesterday, or the weekday within the last six days; ``None``: a date is needed."""
    match (today - day).days:
        case 0:
            return "moment/today"
        case 1:
            return "moment/yesterday"
        case 2 | 3 | 4 | 5 | 6:
            return f"moment/on-{WEEKDAYS[day.weekday()]}"
        case _:
            return None


def _amount(count: int, unit: str, number: Numeral) -> Iterator[str]:
    if count == 1:
        yield f"duration/one-{unit}"
    else:
        yield from (*number(count), f"duration/{unit}s")
