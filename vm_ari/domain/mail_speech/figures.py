"""Dates, times, amounts, telephone numbers, codes: as a person would read them out."""

import re
from collections.abc import Iterator
from itertools import pairwise

from vm_ari.domain.mail_speech.wording import Wording

DIGITS_FROM = 6
"""A number of so many digits without dividers is read digit by digit."""
SHORTEST_PHONE = 7
LONGEST_CODE = 24
"""Letters and digits; longer ones nobody would write down."""
PATTERNS = r"""
(?P<iban>\b[A-Z]{2}\d{2}(?:\ ?[A-Z0-9]{4}){3,7}(?:\ ?[A-Z0-9]{1,3})?\b)
|(?P<iso>(?<![\w-])\d{4}-\d{2}-\d{2}(?![\w-]))
|(?P<date>(?<![\w.])\d{1,2}(?P<divider>[./])\ ?\d{1,2}(?P=divider)\ ?(?:\d{4}|\d{2})(?!\w|[./]\d))
|(?P<short_date>(?<![\w.])\d{1,2}\.\ ?\d{1,2}\.(?![\w.]))
|(?P<time>(?<![\w:.])(?:[01]?\d|2[0-4])[:h][0-5]\d(?![:\w])LATE)
|(?P<phone>(?<![\w.,])(?:\+|\(?0)\d{0,14}\)?(?:[\ ()/-]{1,3}\d{1,10}){1,6}(?!\w|[.,:]\d))
|(?P<range>(?<![\w.,:/-])\d{1,4}\ ?[-–]\ ?\d{1,4}(?![\w:/-]|[.,]\d))
|(?P<money>(?<![\w.,])(?:(?P<before>CURRENCY)\ ?)?(?P<sum>-?NUMBER)
    (?:\ ?(?P<after>CURRENCY))?(?!\w))
|(?P<dotted>(?<![\w.])\d{1,5}(?:\.\d{1,5}){2,7}(?!\w|\.\d))
|(?P<code>\b(?=[A-Za-z-]{0,20}\d)(?:[A-Za-z0-9]-?){12,200})
|(?P<digits>(?<![\w.,])\d{3,40}(?!\w|[.,:]\d))
"""
"""Tried from the first to the last at each place, so that no text is read twice."""


def number_pattern(words: Wording | None) -> str:
    """A number as this language divides it: 1.234.567,89."""
    decimal, thousand = _dividers(words)
    whole = rf"(?:\d{{1,3}}(?:[{thousand}]\d{{3}}){{1,5}}|\d{{1,12}})"
    return rf"{whole}(?:{decimal}\d{{1,6}})?(?!\d|[.,:]\d)"


def date_in_words(found: re.Match[str], words: Wording | None) -> str:
    """12.3.2026; what is no date, or could be two, stays a row of numbers."""
    parts = [int(part) for part in re.split(r"\D+", found[0])]
    if found["iso"]:
        parts.reverse()
    day, month, year = parts
    if words and words.day_first is None and not found["iso"] and found["divider"] == "/":
        if day > 12 or month > 12:  # then only one order is possible
            day, month = (day, month) if day > 12 else (month, day)
        elif day != month:
            return f"{day}, {month}, {year}"
    if words is None or not (1 <= day <= 31 and 1 <= month <= 12):
        return found[0].replace("/", " ")
    ordinal = words.ordinals.get(day, words.ordinal)
    spoken = words.first_day if day == 1 and words.first_day else f"{day}{ordinal}"
    century = 2000 if year < 70 else 1900
    full = year if year >= 100 else century + year
    return words.day.format(day=spoken, month=words.months[month - 1], year=full)


def short_date_in_words(text: str, words: Wording | None) -> str:
    """5.12., in a language that writes dates so."""
    day, month = (int(part) for part in re.findall(r"\d+", text))
    if words is None or not words.day_month or not (1 <= day <= 31 and 1 <= month <= 12):
        return text
    return words.day_month.format(day=f"{day}{words.ordinal}", month=words.months[month - 1])


def time_in_words(text: str, words: Wording | None) -> str:
    """14:35, or 14h35."""
    hour, minute = (int(part) for part in re.findall(r"\d+", text)[:2])
    if words is None:
        return f"{hour}:{minute:02}"
    return (words.clock if minute else words.full_hour).format(hour=hour, minute=minute)


def money_in_words(found: re.Match[str], words: Wording | None) -> str:
    """1.234,50 €; a number without a currency only loses its dividers."""
    decimal, thousand = _dividers(words)
    text = re.sub(f"[{thousand}]", "", found["sum"])
    unit = found["before"] or found["after"]
    if words is None or (not unit and re.search(r"\d", text)):
        return _plain_number(found, text)
    whole, _, cents = text.partition(decimal.strip("\\"))
    sign = f"{words.minus} " if whole.startswith("-") else ""
    whole = whole.removeprefix("-")
    one, many = words.currencies.get(unit, (unit, unit))
    name = one if int(whole) == 1 else many
    rest = f" {int(cents)}" if len(cents) == 2 and int(cents) else ""
    return f"{sign}{int(whole)} {name}{rest}" if len(cents) in {0, 2} else found[0]


def _plain_number(found: re.Match[str], text: str) -> str:
    bare = text.removeprefix("-")
    undivided = bare.isdigit() and text == found["sum"]
    if undivided and (len(bare) >= DIGITS_FROM or (len(bare) > 2 and bare[0] == "0")):
        return spelled(bare)
    return found[0].replace(found["sum"], text)


def spelled(text: str, group: int = 3) -> str:
    """One by one, with a short pause after each group: 1 2 3, 4 5 6, 7."""
    signs = [sign for sign in text if sign.isalnum()]
    cuts = [*range(0, len(signs), group), len(signs)]
    if len(cuts) > 2 and cuts[-1] - cuts[-2] == 1:
        del cuts[-2]  # a single last one joins the group before
    return ", ".join(" ".join(signs[here:there]) for here, there in pairwise(cuts))


def phone_in_words(text: str, words: Wording | None) -> str:
    """In the groups that it is written in, where these are short."""
    if sum(sign.isdigit() for sign in text) < SHORTEST_PHONE:
        return text
    plus = f"{words.plus if words else '+'} " if text.startswith("+") else ""
    return plus + ", ".join(spelled(group) for group in re.findall(r"\d+", text))


def code_in_words(text: str, words: Wording | None) -> str:
    """An order number, a key: spelled; words that only look like one stay words."""
    digits = sum(sign.isdigit() for sign in text)
    if digits < 4 or text.isdigit():
        return spelled(text) if text.isdigit() and len(text) <= LONGEST_CODE else text
    if len(text) > LONGEST_CODE:
        return words.long_code if words else ""
    return ", ".join(_code_groups(text))


def _code_groups(text: str) -> Iterator[str]:
    for part in re.findall(r"[A-Za-z]+|\d+", text):
        yield spelled(part)


def range_in_words(text: str, words: Wording | None) -> str:
    """9-17, or 2024-2026; 2-1 is a result, and 555-1234 a telephone number."""
    first, second = re.split(r"\s*[-–]\s*", text)
    likely = len(second) < 4 or (len(first) == 4 and first[:2] in {"19", "20"})
    if words is None or not likely or int(first) >= int(second):
        return text
    return f"{first} {words.to} {second}"


def dotted_in_words(text: str, words: Wording | None) -> str:
    """A version, an address in a network, a chapter."""
    return text.replace(".", f" {words.dot} ") if words else text


def _dividers(words: Wording | None) -> tuple[str, str]:
    """The decimal sign, and what may stand between thousands; both for a pattern."""
    if words is not None and words.decimal == ",":
        return ",", r".'\ "
    return r"\.", ",'"
