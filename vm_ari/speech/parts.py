"""What a sentence is made of: a tuple of parts, which only a language turns into clips."""

from dataclasses import dataclass
from datetime import date, datetime

from vm_ari.speech.catalogue import Noun, P


@dataclass(frozen=True)
class Number:
    """A cardinal number, 0 … 999,999."""

    value: int


@dataclass(frozen=True)
class Digits:
    """Spoken one by one: keys, extensions, telephone numbers; may contain ``0-9 * # +``."""

    text: str


@dataclass(frozen=True)
class Counted:
    """A number with its noun in the right form: "one new voice message"."""

    count: int
    noun: Noun


@dataclass(frozen=True)
class Moment:
    """A point in time as said at *now*: "today at 14:35". Both in the listener's time zone."""

    when: datetime
    now: datetime


@dataclass(frozen=True)
class Day:
    """A day, present or to come, as said on *today*: "on November third"."""

    day: date
    today: date


@dataclass(frozen=True)
class Duration:
    """A length of time in whole seconds: "one minute and five seconds"."""

    seconds: int


@dataclass(frozen=True)
class Recorded:
    """Audio made by a person; *path* is absolute and has no extension."""

    path: str


@dataclass(frozen=True)
class InLanguage:
    """Something in another language than the sentence around it: "Für Deutsch"."""

    code: str
    sentence: "Sentence"


Part = P | Number | Digits | Counted | Moment | Day | Duration | Recorded | InLanguage
Sentence = tuple[Part, ...]


@dataclass(frozen=True)
class Clip:
    """One sound file: ``<language>/<name>`` below the sounds folder, or an absolute path."""

    name: str
    absolute: bool = False
