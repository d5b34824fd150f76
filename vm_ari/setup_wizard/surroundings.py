"""What this machine says of itself: its name, where it is, which language is spoken there."""

import os
import pwd
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import phonenumbers

from vm_ari.domain.language import COUNTRY_LANGUAGES
from vm_ari.speech.language import languages

SERVICE = "vm-ari"
"""The account as which the service runs, where a package has made one."""


@dataclass(frozen=True)
class Surroundings:
    """Facts of the machine."""

    host: str
    """Its whole name."""
    domain: str
    """Of mail addresses; empty if nobody knows."""
    zone: str
    """Time zone, such as ``Europe/Berlin``; empty if nobody knows."""
    region: str
    """Country as two letters; empty if nobody knows."""


def look_around(environ: Mapping[str, str], root: Path = Path("/")) -> Surroundings:
    """Look at host name, time zone and locale; *root* is where the machine's files are."""
    host = socket.getfqdn().lower().rstrip(".")
    domain = host.partition(".")[2] if "." in host else ""
    if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", domain) and domain != "localdomain":
        domain = domain if re.fullmatch(r"[a-z0-9-]{2,}", domain) else ""
    zone = _zone(root)
    region = _region_of_zone(zone, root) or _region_of_locale(environ)
    return Surroundings(host, domain, zone, region)


def language_for(region: str, environ: Mapping[str, str]) -> str:
    """That of the locale, else that of the country, if we speak it."""
    spoken = languages()
    locale = environ.get("LC_ALL") or environ.get("LANG") or ""
    if "_" in locale and locale[:2] in spoken:
        return locale[:2]
    code = phonenumbers.country_code_for_region(region) if region else 0
    by_country = COUNTRY_LANGUAGES.get(str(code), "")
    return by_country if by_country in spoken else "en"


def region_of_number(number: str, here: str) -> str:
    """Country of a number in international form; *here* where several share its code."""
    code = next(
        (int(number[1:end]) for end in (2, 3, 4)
         if phonenumbers.region_code_for_country_code(int(number[1:end] or 0)) != "ZZ"), 0
    )  # fmt: skip
    regions = phonenumbers.region_codes_for_country_code(code) if code else ()
    if here in regions:
        return here
    return regions[0] if regions and regions[0] != "001" else ""


def service_account() -> pwd.struct_passwd | None:
    """Who will read the configuration; None: whoever runs this."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(SERVICE)
    except KeyError:
        return None


def _zone(root: Path) -> str:
    try:
        named = (root / "etc/timezone").read_text(encoding="ascii").strip()
        if re.fullmatch(r"[A-Za-z_]+/[A-Za-z_/+-]+", named):
            return named
    except (OSError, UnicodeDecodeError):
        pass
    link = root / "etc/localtime"
    target = str(link.readlink()) if link.is_symlink() else ""
    return target.partition("/zoneinfo/")[2]


def _region_of_zone(zone: str, root: Path) -> str:
    """By the table that comes with the zones: country, coordinates, zone."""
    try:
        table = (root / "usr/share/zoneinfo/zone.tab").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return next((row[0] for row in rows if len(row) > 2 and row[2] == zone), "")


def _region_of_locale(environ: Mapping[str, str]) -> str:
    locale = environ.get("LC_ALL") or environ.get("LANG") or ""
    found = re.match(r"[a-z]{2}_([A-Z]{2})", locale)
    return found[1] if found else ""
