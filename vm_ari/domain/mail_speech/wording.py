"""The words of a language that the reading of mails needs."""

import importlib
import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import cast


@dataclass(frozen=True)
class Notices:
    """Sentences about a mail; fields in braces are filled in."""

    one_attachment: str
    """With {names}."""
    attachments: str
    """With {count} and {names}."""
    more: str
    """After some names, {count} others."""
    rest_quoted: str
    only_quoted: str
    quote_left_out: str
    quote: str
    """A short quote between answers follows: {text}."""
    more_rows: str
    """Of a table, {count}."""
    cut: str
    """The mail is longer than what is read."""
    broken: str
    """The rest cannot be read."""
    unreadable: str
    empty: str
    encrypted: str
    other_script: str
    unnamed: str
    """An attachment without a name."""
    attached_message: str
    perhaps_more: str
    """After the attachments of a mail of which only the beginning was looked at."""
    page: str
    """Before the text of a fax's page: {number}."""
    page_of: str
    """The same, of {count}."""
    empty_page: str
    fax_unreadable: str
    fax_broken: str
    """Not all of its pages can be read."""


@dataclass(frozen=True)
class Wording:
    """How one language says what is written in signs and digits."""

    notices: Notices
    months: tuple[str, ...]
    day: str
    """A date from {day}, {month}, {year}; *first_day* is the word for 1 where it is special."""
    clock: str
    """A time of day from {hour} and {minute}; *full_hour* where there are no minutes."""
    full_hour: str
    after_clock: str
    """A word that may follow a time, and is in *clock* already; a regular expression."""
    decimal: str
    """The decimal sign; the other one of comma and dot divides thousands."""
    currencies: Mapping[str, tuple[str, str]]
    """For one and for several: by sign or code."""
    signs: Mapping[str, str]
    """Words for single characters."""
    abbreviations: Mapping[str, str]
    emoji: Mapping[str, str]
    dot: str
    at: str
    dash: str
    underscore: str
    plus: str
    minus: str
    to: str
    """Between two numbers: nine to five."""
    link: str
    """A link to {host}."""
    long_code: str
    function_words: frozenset[str]
    """The most frequent short words, which tell the language of a text."""
    first_day: str = ""
    ordinals: Mapping[int, str] = field(default_factory=dict)
    """What is put behind the number of a day, if not nothing."""
    ordinal: str = ""
    day_month: str = ""
    """A date without a year, where the language writes it as 5.12."""
    day_first: bool | None = True
    """The order in 3/4/2026; None: people differ, so the numbers are read as they are."""


@cache
def wording(code: str) -> Wording | None:
    """The words of a language, from its module here; None where it has none.

    Then texts in it are read with their signs as the engine knows them.
    """
    name = f"{__package__}.words_{code}"
    if not re.fullmatch(r"[a-z]{2,3}", code) or importlib.util.find_spec(name) is None:
        return None
    return cast(Wording, importlib.import_module(name).WORDING)
