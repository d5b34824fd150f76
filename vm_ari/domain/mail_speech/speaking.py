"""The one way from a mail to a voice: every text that is spoken of a mail goes through here."""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache

from vm_ari.domain.mail_speech import figures, words_en
from vm_ari.domain.mail_speech.cleaning import plain_text
from vm_ari.domain.mail_speech.utterances import LENGTH, About, Utterance, pieces
from vm_ari.domain.mail_speech.wording import Notices, Wording, wording

LONGEST_LINE = 200
"""Characters of a subject or a name."""
LONGEST_HOST = 60
_UNSPEAKABLE = re.compile(r"[<>\[\]{}|\\`^~*_\"„“”«»‹›•·●▪■□◆►▶➤→⇒★☆✓✔†]+")
_LINK = r"""
(?P<link>(?:<|\[|\()?\b(?:(?:https?|ftp)://|www\.)(?P<host>[^\s/<>"'?#\]\)]{1,253})[^\s<>"\]\)]*[>\]\)]?)
|(?P<other_link>\b(?:cid|data|javascript|file|tel|callto|sip):[^\s<>"]+)
|(?P<mail>(?:mailto:)?\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8})
|(?P<blob>[A-Za-z0-9+/=_%&;-]{60,})
"""
_SMILEY = re.compile(r"(?<![\w:;])([:;]-?[)(DPp|])(?!\w)")
_SMILEYS = {":)": " 🙂 ", ":-)": " 🙂 ", ":D": " 🙂 ", ";)": " 😉 ", ";-)": " 😉 "}
_TIMES = re.compile(r"(\d[:h]\d\d)\ ?[-–]\ ?(?=\d{1,2}[:h]\d\d)")
_SENTENCE_END = re.compile(r"([.,;:!?])[>\])]?$")
_SPACES = re.compile(r"\s+")
_LOOSE = re.compile(r"\s+([,.;:!?)]+)(?=\s|$)")
_DOUBLE = re.compile(r"([,;:])(?:\s*[,;:.])+")
_WEAK_END = re.compile(r"[\s,;:–-]+$")


def speakable(text: str, language: str) -> str:
    """One paragraph as words: links, signs, numbers and abbreviations said out loud.

    May be empty, where nothing is left to say.
    """
    words = wording(language)
    plain = _SMILEY.sub(lambda found: _SMILEYS.get(found[1], " "), plain_text(text))
    if words:
        plain = _TIMES.sub(rf"\1 {words.to} ", plain)
    said = _pattern(language).sub(lambda found: _set_off(found, words), plain)
    said = "".join(_sign(sign, words) for sign in _UNSPEAKABLE.sub(" ", said))
    tidy = _DOUBLE.sub(r"\1", _LOOSE.sub(r"\1", _SPACES.sub(" ", said))).strip(" ,;")
    return tidy if any(sign.isalnum() for sign in tidy) else ""


def spoken_line(text: str, language: str) -> str:
    """A subject, or the name of a sender or a file."""
    return _WEAK_END.sub("", speakable(text[: 4 * LONGEST_LINE], language)[:LONGEST_LINE])


def utterances(
    text: str, language: str, about: About = About.TEXT, *, first: int = LENGTH
) -> Iterator[Utterance]:
    """A paragraph, in portions that a voice may be given; the *first* may have to be short."""
    for piece in pieces(speakable(text, language), first):
        if any(sign.isalnum() for sign in piece):
            yield Utterance(piece, language, about)


def notice(own: str, which: str, **fields: object) -> Iterator[Utterance]:
    """A sentence of `Notices` about the mail, in the listener's *own* language or English."""
    sentences, language = notices(own)
    text = str(getattr(sentences, which)).format(**fields)
    for piece in pieces(plain_text(text)):
        yield Utterance(piece, language, About.NOTICE)


def notices(own: str) -> tuple[Notices, str]:
    """The sentences in the listener's *own* language, or in English, and which it is."""
    words = wording(own)
    return (words.notices, own) if words else (words_en.WORDING.notices, words_en.CODE)


def host_in_words(host: str, words: Wording | None) -> str:
    """example.org, without what every host begins with."""
    name = host.lower().rpartition("@")[2].partition(":")[0].removeprefix("www.").rstrip(".,;!")
    return name[-LONGEST_HOST:].replace(".", f" {words.dot if words else '.'} ")


@cache
def _pattern(language: str) -> re.Pattern[str]:
    """Everything that is not read as it is written, in one expression."""
    words = wording(language)
    known = _any(words.currencies) if words else "€"
    late = rf"(?:{words.after_clock})?" if words else ""
    fields = {"NUMBER": figures.number_pattern(words), "CURRENCY": known, "LATE": late}
    numbers = re.sub("NUMBER|CURRENCY|LATE", lambda field: fields[field[0]], figures.PATTERNS)
    short = rf"|(?P<short>(?<![^\W\d])(?:{_any(words.abbreviations)})(?!\w))" if words else ""
    return re.compile(f"{_LINK}{short}|{numbers.strip()}", re.VERBOSE)


def _any(names: Iterable[str]) -> str:
    """One of these, the longest first; blanks count."""
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


def _set_off(found: re.Match[str], words: Wording | None) -> str:
    said = _said(found, words)
    return said if said == found[0] else f" {said} "


def _said(found: re.Match[str], words: Wording | None) -> str:
    name = found.lastgroup or ""  # the outermost
    text = found[name]
    match name:
        case "link":
            host = host_in_words(found["host"], words)
            end = _SENTENCE_END.search(text)
            return (words.link.format(host=host) if words else host) + (end[1] if end else "")
        case "other_link" | "blob":
            return ""
        case "short" if words:
            return words.abbreviations[text]
        case "iban":
            return figures.spelled(text, 4)
        case "digits":
            return figures.spelled(text)
        case _:
            return _IN_WORDS[name](found, words)


def _address(found: re.Match[str], words: Wording | None) -> str:
    text = found["mail"].removeprefix("mailto:")
    if words is None:
        return text
    names = {".": words.dot, "@": words.at, "-": words.dash, "_": words.underscore}
    return "".join(f" {names[sign]} " if sign in names else sign for sign in text)


_IN_WORDS: Mapping[str, Callable[[re.Match[str], Wording | None], str]] = {
    "mail": _address,
    "iso": figures.date_in_words,
    "date": figures.date_in_words,
    "short_date": lambda found, words: figures.short_date_in_words(found["short_date"], words),
    "time": lambda found, words: figures.time_in_words(found["time"], words),
    "phone": lambda found, words: figures.phone_in_words(found["phone"], words),
    "range": lambda found, words: figures.range_in_words(found["range"], words),
    "money": figures.money_in_words,
    "dotted": lambda found, words: figures.dotted_in_words(found["dotted"], words),
    "code": lambda found, words: figures.code_in_words(found["code"], words),
}


def _sign(sign: str, words: Wording | None) -> str:
    if sign.isascii() and sign not in "&%$=#@":
        return sign
    if words:
        if sign in words.signs:
            return f" {words.signs[sign]} "
        if name := next((name for signs, name in words.emoji.items() if sign in signs), ""):
            return f", {name}, "
    return " " if unicodedata.category(sign) in {"So", "Sm", "Sk", "Sc"} else sign
