"""Characters: what may be in a text before anything else looks at it."""

import re
import unicodedata
from functools import lru_cache

_PORTION = 1000
_RUN = re.compile(r"([^\w\s])\1{2,}|(\w)\2{4,}|([ \t]){8,}|(\n)\4{2,}|([^\x00-\x7f\w\s])\5")
_RULE = re.compile(r"^[ \t]*[-=_*~#+.·•—–─━═]{3,}[ \t]*$", re.MULTILINE)


def plain_text(text: str) -> str:
    """Letters, digits, punctuation, symbols, blanks and line ends; composed, without ornaments.

    Control and formatting characters, soft hyphens, private characters are gone; letters in
    disguise (bold mathematical, full width) are ordinary ones.
    """
    kept = "".join(map(_plain, _composed(text.replace("\r\n", "\n"))))
    kept = _RULE.sub("", kept)
    return _RUN.sub(_shorter, kept)


def _composed(text: str) -> str:
    """In portions: sorting the accents of one letter takes time by the square of their number."""
    starts = range(0, len(text), _PORTION)
    return "".join(unicodedata.normalize("NFC", text[at : at + _PORTION]) for at in starts)


@lru_cache(maxsize=4096)
def _plain(sign: str) -> str:
    if sign in "\n\t" or " " <= sign <= "~":
        return sign
    match unicodedata.category(sign):
        case "Zl" | "Zp":
            return "\n"
        case "Cc":
            return "\n" if sign in "\r\v\f\x85" else " "
        case "Cf" | "Cn" | "Co" | "Cs" | "Me" | "Sk":
            plain = ""
        case "Zs":
            plain = " "
        case "Nd" | "Lu" | "Ll" | "Lt" | "Lm" | "Lo":
            plain = unicodedata.normalize("NFKC", sign)[:4]
        case "Mn" if "\u0300" <= sign <= "\u036f":
            plain = ""  # real accents are part of their letters by now
        case _:
            plain = "" if sign in "\ufe0e\ufe0f" else _PUNCTUATION.get(sign, sign)
    return plain


_PUNCTUATION = {
    **dict.fromkeys("\u2018\u2019\u201b\u2032", "'"),
    **dict.fromkeys("\u2010\u2011\u2012\u2212\ufe63", "-"),
    **dict.fromkeys("\u2014\u2015\u2e3a\u2e3b", "\u2013"),
}


def _shorter(found: re.Match[str]) -> str:
    """Of a sign one, of a letter three, of a digit all, of blanks so many as a column needs."""
    sign, letter, blank, line, symbol = found.groups()
    if letter:
        return found[0] if letter.isdigit() else letter * 3
    if sign:
        return found[0][:3] if sign in ".->" else sign
    if blank:
        return blank * 8
    return line * 2 if line else symbol
