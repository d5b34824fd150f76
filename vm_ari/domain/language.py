"""In which language a caller is greeted (LANG-02)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from vm_ari.domain.callers import Caller


class LanguageMode(StrEnum):
    """Who decides; the value is its name in settings."""

    FIXED = "fixed"
    """The owner of the mailbox."""
    CALLER = "caller"
    """The country that the caller's number is of."""
    MENU = "menu"
    """The caller, who is asked."""


_TABLE = {
    "de": "49 43 41 423",
    "en": "1 44 353 61 64 27 65 91",
    "fr": "33 32 352 377 4121 4122 4124 4126 4127 4132 1418 1438 1450 1514 1579 1581 1819 1873",
    "it": "39 378 4191",
    "nl": "31 323 329",
    "es": "34 51 52 53 54 56 57 58 591 593 595 598",
    "pt": "351 55",
    "da": "45",
    "sv": "46",
    "no": "47",
    "fi": "358",
    "pl": "48",
    "cs": "420",
    "sk": "421",
    "hu": "36",
    "ro": "40",
    "el": "30",
    "tr": "90",
    "ru": "7",
    "uk": "380",
    "ja": "81",
    "ko": "82",
    "zh": "86",
}
COUNTRY_LANGUAGES: Mapping[str, str] = MappingProxyType(
    {prefix: language for language, prefixes in _TABLE.items() for prefix in prefixes.split()}
)
"""Languages by the beginning of E.164 numbers, without ``+``: of several that fit, the longest
counts, so that Geneva (``4122``) is greeted in French, and the rest of Switzerland in German."""


@dataclass(frozen=True)
class LanguageChoice:
    """The language of a call, or the question for it."""

    language: str
    """Wished for the greeting."""
    prompts: str
    """In which the system speaks: the same, where it can."""
    reason: str
    menu: tuple[str, ...] = ()
    """Languages to ask the caller for; *language* counts for who does not answer."""


@dataclass(frozen=True)
class Speakers:
    """Which languages can be heard at all."""

    spoken: tuple[str, ...]
    """By the system."""
    recorded: tuple[str, ...] = ()
    """In the greetings that may play; empty where the system greets."""

    @property
    def all(self) -> frozenset[str]:
        """Any of them."""
        return frozenset({*self.spoken, *self.recorded})

    @property
    def offered(self) -> tuple[str, ...]:
        """Those that a caller is asked for."""
        return tuple(sorted(set(self.recorded or self.spoken)))


def choose_language(
    own: str,
    mode: LanguageMode,
    caller: Caller,
    speakers: Speakers,
    *,
    chosen: str = "",
    table: Mapping[str, str] = COUNTRY_LANGUAGES,
    site: str = "en",
) -> LanguageChoice:
    """Decide; *own* is the language of the mailbox, *chosen* what the caller wants (from a menu).

    A language that nobody speaks counts as not wished. *site* is the last resort of the prompts.
    """
    wished, reason, menu = own, "this is the mailbox's language", tuple[str, ...]()
    if chosen and chosen in speakers.all:
        wished, reason = chosen, "the caller has chosen it"
    elif mode is LanguageMode.CALLER:
        wished, reason = _of_country(own, caller, speakers.all, table)
    elif mode is LanguageMode.MENU and len(speakers.offered) > 1:
        menu, reason = speakers.offered, "the caller is asked, and this is the mailbox's language"
        wished = own if own in menu else menu[0]
    elif mode is LanguageMode.MENU:
        reason = "there is nothing to choose from, and this is the mailbox's language"
    return LanguageChoice(wished, _spoken(speakers.spoken, wished, own, site), reason, menu)


def language_of_number(number: str, table: Mapping[str, str] = COUNTRY_LANGUAGES) -> str | None:
    """The language of the country that an E.164 number is of; None if the table has none."""
    digits = number.removeprefix("+")
    if digits == number:
        return None
    lengths = range(min(len(digits), 15), 0, -1)
    return next((table[digits[:n]] for n in lengths if digits[:n] in table), None)


def _of_country(
    own: str, caller: Caller, possible: Collection[str], table: Mapping[str, str]
) -> tuple[str, str]:
    if not caller.number.startswith("+"):
        return own, "the caller's country is not known, and this is the mailbox's language"
    language = language_of_number(caller.number, table)
    if language is None:
        return own, "the caller's country is not in the table, and this is the mailbox's language"
    if language not in possible:
        return own, f"nobody speaks {language}, the caller's, and this is the mailbox's language"
    return language, "this is the language of the caller's country"


def _spoken(spoken: tuple[str, ...], *wishes: str) -> str:
    """The first wish that the system speaks; else anything it does speak."""
    return next((wish for wish in wishes if wish in spoken), next(iter(spoken), wishes[-1]))
