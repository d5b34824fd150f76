"""Telephone numbers: any spelling in, E.164 inside, extension or international form out."""

import re
from dataclasses import dataclass

import phonenumbers

_CALLER_DATA = re.compile(r"[0-9+().\-/ ]{1,40}")
_SEPARATORS = re.compile(r"[().\-/ ]")


@dataclass(frozen=True)
class Site:
    """A location: its ISO 3166 region for national spellings, its number before extensions."""

    region: str = "DE"
    base_number: str = ""
    """E.164 without the extension, such as ``+4930555``; empty: extensions are whole numbers."""
    longest_extension: int = 5


def normalise(raw: str, site: Site) -> str | None:
    """The E.164 form of a number as dialled or received; None for what is not a number.

    A short number is an extension of the site. Where the site has no base number, an
    extension stays as it is: it is then the number's only name.
    """
    text = raw.strip()
    if not _CALLER_DATA.fullmatch(text):
        return None
    digits = _SEPARATORS.sub("", text)
    if not re.fullmatch(r"\+?[0-9]{1,20}", digits):
        return None
    if not digits.startswith("+") and len(digits) <= site.longest_extension:
        return site.base_number + digits
    return _international(digits, site.region)


def _international(digits: str, region: str) -> str | None:
    try:
        number = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def extension_of(number: str, site: Site) -> str | None:
    """The extension of one of the site's own numbers, else None."""
    rest = number.removeprefix(site.base_number)
    own = bool(site.base_number) and rest != number
    if own or (not site.base_number and not number.startswith("+")):
        return rest if 0 < len(rest) <= site.longest_extension else None
    return None


def readable(number: str, site: Site) -> str:
    """How a person writes it: the extension if it is internal, else the international format."""
    if (extension := extension_of(number, site)) is not None:
        return extension
    try:
        parsed = phonenumbers.parse(number, site.region)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
