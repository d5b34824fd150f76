"""How directories may have written a number: what a search must ask for to find it.

Servers compare differently. OpenLDAP's ``telephoneNumberMatch`` ignores blanks and hyphens, but
not brackets and slashes (RFC 4517 section 4.2.29); Active Directory compares texts.
"""

import re
from collections.abc import Iterator

import phonenumbers

from vm_ari.domain.numbers import Site, extension_of, international, national


def spellings(
    number: str, site: Site, *, blanks_matter: bool = True, with_extension: bool = False
) -> tuple[str, ...]:
    """The usual spellings of an E.164 number, the most common first, none twice.

    *blanks_matter*: the server tells ``+49 30 5`` from ``+49305``. *with_extension* adds the bare
    extension, which is the wrong thing to ask for where several sites share the directory.
    A number that is an extension only has no other spelling.
    """
    written = list(_spellings(number, site)) if number.startswith("+") else [number]
    extension = extension_of(number, site)
    if with_extension and extension:
        written.append(extension)
    if not blanks_matter:
        written = [re.sub("[ -]", "", text) for text in written]
    return tuple(dict.fromkeys(written))


def _spellings(number: str, site: Site) -> Iterator[str]:
    code, area, rest = _parts(number)
    whole = rest.replace(" ", "").replace("-", "")
    abroad, at_home = _trunk_prefix(code), _area_at_home(number, whole, site)
    usual = [f"+{code} {area} ", f"+{code}{area}", f"+{code} ({area}) "]
    usual += [f"+{code} ({abroad}){area} "] if abroad else []
    usual += [f"{at_home} ", f"{at_home}/", f"({at_home}) "] if at_home else []
    rare = [f"+{code}-{area}-", f"+{code} {area}/", f"+{code} {area} / "]
    rare += [f"+{code} ({abroad}) {area} "] if abroad else []
    rare += [at_home, f"{at_home}-", f"{at_home} / "] if at_home else []
    exit_code = _exit_code(site)
    rare += [f"{exit_code}{code} {area} ", f"{exit_code}{code}{area}"] if exit_code else []
    yield number
    yield international(number)
    yield from (f"{head}{end}" for head in usual for end in _divided(number, whole, site))
    yield from (f"{head}{end}" for head in usual + rare for end in (whole, rest))


def _parts(number: str) -> tuple[str, str, str]:
    """Country code, area code (or what the country writes in its place) and the rest."""
    code, _, rest = international(number).removeprefix("+").partition(" ")
    first, *others = re.split("[ -]", rest, maxsplit=1)
    return (code, first, others[0]) if others else (code, "", first)


def _trunk_prefix(code: str) -> str:
    """The national prefix that people put in brackets after a country code: only ever a 0."""
    region = phonenumbers.region_code_for_country_code(int(code))
    prefix = phonenumbers.ndd_prefix_for_region(region, True) or ""
    return prefix if prefix == "0" else ""


def _exit_code(site: Site) -> str:
    """What begins a call abroad, such as ``00``; empty where that depends on the carrier."""
    plan = phonenumbers.PhoneMetadata.metadata_for_region(site.region)
    prefix = plan.international_prefix if plan else None
    return prefix if prefix and prefix.isdecimal() else ""


def _area_at_home(number: str, local: str, site: Site) -> str:
    """The area code as written inside the country, such as ``030``; empty for foreign numbers."""
    if not number.startswith(f"+{site.country_code}"):
        return ""
    digits = re.sub("[^0-9]", "", national(number, site))
    return digits.removesuffix(local) if digits.endswith(local) else ""


def _divided(number: str, local: str, site: Site) -> list[str]:
    """An own number's end, divided before the extension."""
    extension = extension_of(number, site) if site.base_number else None
    if not extension or extension == local or not local.endswith(extension):
        return []
    head = local.removesuffix(extension)
    return [f"{head} {extension}", f"{head}-{extension}"]
