"""Telephone numbers: any spelling in, E.164 inside, extension or international form out.

Inside the program a number is E.164 (``+4930555101``), or, where a site has no base number, a bare
extension (``101``): that is then its only name. Nothing but `normalise` makes one from a text.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import CountryCodeSource, PhoneNumberFormat, ValidationResult, shortnumberinfo

LONGEST_TEXT = 100
"""Characters; longer texts are not examined."""
_WRITTEN = re.compile(r"[0-9+().\-/ ]{1,40}")
_SEPARATORS = re.compile(r"[().\-/ ]")
_DIGITS = re.compile(r"\+?[0-9]{1,20}")
_TEL = re.compile(r"tel:(?P<number>[^;]+)(?P<parameters>(?:;[^;]*)*)", re.IGNORECASE)
_TYPOGRAPHY = str.maketrans(
    dict.fromkeys("\t\u00a0\u2007\u2008\u2009\u200a\u202f", " ")
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-")
)
_INTERNATIONAL = {
    CountryCodeSource.FROM_NUMBER_WITH_PLUS_SIGN,
    CountryCodeSource.FROM_NUMBER_WITH_IDD,
    CountryCodeSource.FROM_NUMBER_WITHOUT_PLUS_SIGN,
}


@dataclass(frozen=True)
class Site:
    """A location (SITE-01): how numbers are written, spoken and dialled there."""

    region: str = "DE"
    """ISO 3166 country, for national spellings."""
    base_number: str = ""
    """E.164 without the extension, such as ``+4930555``; empty: extensions are whole numbers."""
    longest_extension: int = 5
    shortest_extension: int = 1
    area: str = ""
    """Area code without national prefix, such as ``30``; completes numbers written without one."""
    outside_prefix: str = ""
    """What is dialled before an outside number, such as ``0``; empty: nothing."""
    name: str = ""

    @property
    def country_code(self) -> str:
        """Such as ``49``; empty for an unknown region."""
        code = phonenumbers.country_code_for_region(self.region)
        return str(code) if code else ""

    @property
    def subscriber(self) -> str:
        """The base number without country and area, such as ``555``."""
        return self.base_number.removeprefix(f"+{self.country_code}").removeprefix(self.area)


@dataclass(frozen=True)
class _Reading:
    """One way to understand digits."""

    number: str
    valid: bool
    """The numbering plan knows such numbers; else only the length is right."""
    prefixed: bool
    """Written with a national or international prefix, so it cannot be a local number."""
    outside: bool
    """After the outside-line prefix was taken off."""


def base_number(region: str, area: str, subscriber: str) -> str:
    """The base number of a site that is given in parts, such as ``DE``, ``30``, ``555``."""
    return f"+{phonenumbers.country_code_for_region(region)}{area}{subscriber}"


def problems_of(site: Site) -> tuple[str, ...]:
    """What is wrong with a site's data, in sentences for an admin."""
    code = site.country_code
    if not code:
        return (f"{site.region!r} is no country; write its two letters, such as DE.",)
    checks = (
        (re.fullmatch(r"(\+[0-9]{2,14})?", site.base_number), "base number: + and digits"),
        (re.fullmatch("[0-9]{0,6}", site.area), "area code: digits only"),
        (re.fullmatch("[0-9]{0,3}", site.outside_prefix), "outside-line prefix: up to 3 digits"),
        (not site.area.startswith(_national_prefix(site) or "-"), "area code: without the first 0"),
        (site.base_number.startswith(f"+{code}{site.area}") or not site.base_number,
         f"base number: must begin with +{code}{site.area} as country and area do"),
        (1 <= site.shortest_extension <= site.longest_extension <= 10,
         "extensions: from 1 to 10 digits, the shortest first"),
    )  # fmt: skip
    return tuple(f"Site {site.name or site.region}, {text}." for good, text in checks if not good)


def normalise(raw: str, site: Site, *, dialled: bool = False) -> str | None:
    """The E.164 form of a number in any spelling; None for what is not a number.

    Brackets, blanks, slashes, ``00``, the national ``0``, ``+49 (0)30…`` and ``tel:`` URIs
    (RFC 3966) are understood. A short number is an extension of the site. *dialled* tells that
    the number was typed on a telephone of the site: then the outside-line prefix is expected,
    and wins where both readings are good; else it is only tried last.
    """
    return None if len(raw) > LONGEST_TEXT else _normalised(raw, site, dialled)


@lru_cache(maxsize=2000)
def _normalised(raw: str, site: Site, dialled: bool) -> str | None:
    digits = _digits(raw)
    if digits is None or digits.startswith("+"):
        return digits and _own_or_international(digits, site)
    readings = _readings(digits, site, dialled=dialled)
    likely = min(readings, key=_dialled_first if dialled else _written_first, default=None)
    if _is_extension(digits, site, dialled=dialled) and not (
        likely and likely.valid and likely.prefixed
    ):
        return site.base_number + digits
    if not likely or not (likely.valid or likely.prefixed or not _national_prefix(site)):
        return None
    return _own_or_international(likely.number, site)


def extension_of(number: str, site: Site) -> str | None:
    """The extension of one of the site's own numbers, else None."""
    rest = number.removeprefix(site.base_number)
    own = bool(site.base_number) and rest != number
    if own or (not site.base_number and not number.startswith("+")):
        return rest if site.shortest_extension <= len(rest) <= site.longest_extension else None
    return None


def site_of(number: str, sites: Iterable[Site]) -> Site | None:
    """The site whose number it is; of nested number blocks the narrower one."""
    owners = [site for site in sites if extension_of(number, site) is not None]
    return max(owners, key=lambda site: len(site.base_number), default=None)


def is_internal(number: str, sites: Iterable[Site]) -> bool:
    """Is it a number of the house (GREET-02)?

    Of a caller's number this is as true as the network: good for a greeting, never for a login.
    """
    return bool(number) and site_of(number, sites) is not None


def readable(number: str, site: Site) -> str:
    """How a person writes it: the extension if it is internal, else the international format."""
    extension = extension_of(number, site)
    return international(number) if extension is None else extension


def international(number: str) -> str:
    """With blanks, such as ``+49 30 555101``; an extension stays as it is."""
    return _formatted(number, PhoneNumberFormat.INTERNATIONAL)


def national(number: str, site: Site) -> str:
    """As written in the site's country, such as ``030 555101``; foreign ones internationally."""
    if number.startswith(f"+{site.country_code}"):
        return _formatted(number, PhoneNumberFormat.NATIONAL)
    return international(number)


def dialable(number: str, site: Site) -> str:
    """What a telephone of the site dials to reach it: digits only, perhaps with a leading ``+``.

    An extension that begins like an outside call is dialled as one, by its full number.
    """
    extension = extension_of(number, site)
    if extension is not None and not (site.base_number and seems_outside(extension, site)):
        return extension
    if not number.startswith("+"):
        return number
    parsed = phonenumbers.parse(number)
    outside = phonenumbers.format_out_of_country_calling_number(parsed, site.region)
    digits = re.sub("[^0-9]", "", outside)
    # some countries have no single prefix for calls abroad
    plus = "+" if outside.startswith("+") else ""
    return f"{plus}{digits}" if plus else site.outside_prefix + digits


def seems_outside(dialled: str, site: Site) -> bool:
    """May the telephone system take it for an outside call, whatever we mean by it?"""
    prefix = site.outside_prefix or _national_prefix(site)
    starts = bool(prefix) and dialled.startswith(prefix)
    return starts and (bool(site.outside_prefix) or dialled != prefix)


def _digits(raw: str) -> str | None:
    """The bare digits, perhaps with ``+``; None for what no telephone number looks like."""
    if len(raw) > LONGEST_TEXT:
        return None
    text = raw.translate(_TYPOGRAPHY).strip(" \r\n")
    if text[:4].lower() == "tel:":
        text = _from_uri(text) or ""
    if not _WRITTEN.fullmatch(text) or _is_a_list(text):
        return None
    digits = _SEPARATORS.sub("", text)
    return digits if _DIGITS.fullmatch(digits) else None


def _from_uri(text: str) -> str | None:
    """The number of a ``tel:`` URI; one with an ``ext`` is none that can simply be dialled."""
    found = _TEL.fullmatch(text)
    if found is None:
        return None
    pairs = (parameter.partition("=") for parameter in found["parameters"].lower().split(";"))
    parameters = {name: value for name, _, value in pairs}
    if "ext" in parameters:
        return None
    context = parameters.get("phone-context", "")
    local = not found["number"].strip().startswith("+")
    return context + found["number"] if local and context.startswith("+") else found["number"]


def _is_a_list(text: str) -> bool:
    """``030 555101 / 555102`` are two numbers; only an area code stands before a slash."""
    before, slash, after = text.partition("/")
    digits = len(_SEPARATORS.sub("", before))
    return bool(slash) and ("/" in after or digits > (9 if text.startswith(("+", "00")) else 6))


def _is_extension(digits: str, site: Site, *, dialled: bool) -> bool:
    if dialled and site.outside_prefix and digits.startswith(site.outside_prefix):
        return False
    return site.shortest_extension <= len(digits) <= site.longest_extension


def _readings(digits: str, site: Site, *, dialled: bool) -> Iterator[_Reading]:
    yield from _without_outside_prefix(digits, site, outside=False)
    if site.outside_prefix and digits.startswith(site.outside_prefix):
        rest = digits.removeprefix(site.outside_prefix)
        readings = _without_outside_prefix(rest, site, outside=True)
        # nobody writes an outside line before a local number, but people dial it
        yield from (reading for reading in readings if dialled or reading.prefixed)


def _without_outside_prefix(digits: str, site: Site, *, outside: bool) -> Iterator[_Reading]:
    number = _parsed(digits, site.region)
    if number is None:
        return
    prefix = _national_prefix(site)
    prefixed = number.country_code_source in _INTERNATIONAL or (
        bool(prefix) and digits.startswith(prefix)
    )
    if site.area and not prefixed and not _is_short_code(digits, site):
        local = _parsed(f"+{site.country_code}{site.area}{digits}", site.region)
        if local and (reading := _reading(local, prefixed=False, outside=outside)):
            yield reading
    if reading := _reading(number, prefixed=prefixed, outside=outside):
        yield reading


def _is_short_code(digits: str, site: Site) -> bool:
    """Such as 112 or 11833: never the rest of a number in the own area."""
    code = phonenumbers.PhoneNumber(int(site.country_code or 0), int(digits))
    return bool(shortnumberinfo.is_valid_short_number_for_region(code, site.region))


def _reading(number: phonenumbers.PhoneNumber, *, prefixed: bool, outside: bool) -> _Reading | None:
    reason = phonenumbers.is_possible_number_with_reason(number)
    if reason != ValidationResult.IS_POSSIBLE:
        return None
    valid = phonenumbers.is_valid_number(number)
    if number.italian_leading_zero and not valid:
        return None
    text = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return _Reading(text, valid, prefixed, outside)


def _written_first(reading: _Reading) -> tuple[bool, bool, bool]:
    return (not reading.valid, reading.outside, not reading.prefixed)


def _dialled_first(reading: _Reading) -> tuple[bool, bool, bool]:
    return (not reading.valid, not reading.prefixed, not reading.outside)


def _own_or_international(digits: str, site: Site) -> str | None:
    """An own number as it is, another one if a second look at it says the same."""
    if site.base_number and extension_of(digits, site) is not None:
        return digits
    number = _parsed(digits, site.region)
    reading = number and _reading(number, prefixed=True, outside=False)
    if not reading:
        return None
    again = _parsed(reading.number, site.region)
    stable = again and phonenumbers.format_number(again, PhoneNumberFormat.E164)
    return reading.number if stable == reading.number else None


def _parsed(digits: str, region: str) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(digits, region, keep_raw_input=True)
    except phonenumbers.NumberParseException:
        return None


def _formatted(number: str, style: int) -> str:
    parsed = _parsed(number, "ZZ")  # no region: only E.164 is understood
    return number if parsed is None else phonenumbers.format_number(parsed, style)


def _national_prefix(site: Site) -> str:
    """Such as ``0``; empty where the country has none."""
    return phonenumbers.ndd_prefix_for_region(site.region, True) or ""
