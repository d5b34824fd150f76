"""Which language a text is in, where its small words leave no doubt; and which script."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping
from functools import cache
from types import MappingProxyType

from vm_ari.domain.mail_speech.wording import wording

LOOKED_AT = 3000
"""Characters."""
LEAST_WORDS = 4
LEAST_SHARE = 0.15
"""Of all words, that must be the language's own small ones."""
CLEARLY = 4.0
"""So many times more than of any other language."""
SCRIPTS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "CYRILLIC": frozenset({"ru", "uk", "bg", "sr", "mk", "be", "kk"}),
        "GREEK": frozenset({"el"}),
        "ARABIC": frozenset({"ar", "fa", "ur"}),
        "HEBREW": frozenset({"he", "yi"}),
        "HANGUL": frozenset({"ko"}),
        "HIRAGANA": frozenset({"ja"}),
        "KATAKANA": frozenset({"ja"}),
        "CJK": frozenset({"zh", "ja"}),
        "DEVANAGARI": frozenset({"hi", "mr", "ne"}),
        "THAI": frozenset({"th"}),
        "ARMENIAN": frozenset({"hy"}),
        "GEORGIAN": frozenset({"ka"}),
        "ETHIOPIC": frozenset({"am"}),
        "BENGALI": frozenset({"bn"}),
        "TAMIL": frozenset({"ta"}),
    }
)
"""The first word of a letter's Unicode name, and who writes so; all others write Latin."""
_WORD = re.compile(r"[^\W\d_]+")


def unmistakable(text: str, languages: Collection[str]) -> str | None:
    """The one of *languages* that this text is in; None where they cannot be told apart.

    Quick, and right where it answers: a mail of a few sentences needs no model to be recognised.
    """
    lists = {code: words.function_words for code in languages if (words := wording(code))}
    if len(lists) < len(languages):
        return None
    said = _WORD.findall(text[:LOOKED_AT].lower())
    counts = Counter({code: sum(word in known for word in said) for code, known in lists.items()})
    ranking = [*counts.most_common(2), ("", 0), ("", 0)]
    (best, most), (_, second) = ranking[:2]
    if most < LEAST_WORDS or most < LEAST_SHARE * len(said) or most < CLEARLY * second:
        return None
    return best


def is_readable(text: str, languages: Collection[str]) -> bool:
    """Is most of it in a script that one of *languages* is written in?"""
    scripts = Counter(script(sign) for sign in text[:LOOKED_AT] if sign.isalpha())
    if not scripts:
        return True
    most = scripts.most_common(1)[0][0]
    writers = SCRIPTS.get(most)
    if writers is None:
        return most == "LATIN"
    return not writers.isdisjoint(languages)


@cache
def script(sign: str) -> str:
    """The script of a letter: LATIN, CYRILLIC."""
    return unicodedata.name(sign, "LATIN").partition(" ")[0]
