"""Packages: one is one user with an address, up to three services and three numbers (UM-01)."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from vm_ari.domain.entries import MOST_NUMBERS, Entry
from vm_ari.domain.preferences import (
    CONFERENCE_NUMBERS,
    FAX_NUMBERS,
    FAX_ON_VOICE_NUMBER,
    VOICE_MAIL_ENABLED,
    Layers,
    Setting,
    effective,
)


class Service(StrEnum):
    """What a package can hold; the value names its words in the portal."""

    VOICEMAIL = "voicemail"
    FAX = "fax"
    CONFERENCE = "conference"


SWITCHES: Mapping[Service, tuple[Setting[Any], ...]] = {
    Service.VOICEMAIL: (VOICE_MAIL_ENABLED,),
    Service.FAX: (FAX_NUMBERS, FAX_ON_VOICE_NUMBER),
    Service.CONFERENCE: (CONFERENCE_NUMBERS,),
}
"""The settings that give a user a service: one of them that is not empty and not off is enough."""


@dataclass(frozen=True)
class Package:
    """What one user has."""

    user_id: str
    mail: str
    services: tuple[Service, ...]
    numbers: tuple[str, ...]

    @property
    def has_too_many_numbers(self) -> bool:
        """An older directory may hold such users; they are reported, and stay as they are."""
        return len(self.numbers) > MOST_NUMBERS


@dataclass(frozen=True)
class PackageLimits:
    """How many packages there are; 0 and what is not named: no limit."""

    site: int = 0
    """For all users of the installation together."""
    organisations: Mapping[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.site) or any(self.organisations.values())


@dataclass(frozen=True)
class Stock:
    """Packages of one organisation, or of the whole site."""

    used: int
    total: int
    """0: no limit."""

    @property
    def free(self) -> int | None:
        """None: no limit. An organisation may have more than it should, from before."""
        return max(0, self.total - self.used) if self.total else None


@dataclass(frozen=True)
class Shortage:
    """Packages that are not there."""

    organisation: str | None
    """None: of the whole site."""
    stock: Stock

    def __str__(self) -> str:
        total = self.stock.total
        if self.organisation is None:
            return (
                f"All {total} packages of this installation are used ({self.stock.used}): remove "
                "users who have left, or raise “packages” in [users]."
            )
        return (
            f"All {total} packages of organisation {self.organisation or '(none)'} are used "
            f"({self.stock.used}): remove users who have left, or have an operator raise them: "
            f"vm-ari organisations set {self.organisation} packages={total + 1}"
        )


def package_of(entry: Entry, layers: Layers) -> Package:
    """What a user has, with the settings that count."""
    return Package(entry.id, entry.mail, services_of(layers), entry.numbers)


def services_of(layers: Layers) -> tuple[Service, ...]:
    """Those that are switched on."""
    return tuple(
        service
        for service, switches in SWITCHES.items()
        if any(effective(switch, layers).value for switch in switches)
    )


def site_stock(used: Mapping[str, int], limits: PackageLimits) -> Stock:
    """Of everybody; *used* are users by organisation."""
    return Stock(sum(used.values()), limits.site)


def stock_of(organisation: str, used: Mapping[str, int], limits: PackageLimits) -> Stock:
    """Of one organisation."""
    return Stock(used.get(organisation, 0), limits.organisations.get(organisation, 0))


def shortage(
    used: Mapping[str, int], limits: PackageLimits, more: Mapping[str, int]
) -> Shortage | None:
    """What is missing for so many users *more* by organisation (less, where it is negative).

    Who has too many from before may still lose some.
    """
    for organisation, count in more.items():
        stock = stock_of(organisation, used, limits)
        if count > 0 and stock.free is not None and count > stock.free:
            return Shortage(organisation, stock)
    stock, count = site_stock(used, limits), sum(more.values())
    if count > 0 and stock.free is not None and count > stock.free:
        return Shortage(None, stock)
    return None


def added_by(
    new: Iterable[Entry], changed: Iterable[tuple[Entry, Entry]] = ()
) -> Mapping[str, int]:
    """How many users each organisation gets by that; those that only change keep their package."""
    more = Counter(entry.organisation for entry in new)
    for old, now in changed:
        if old.organisation != now.organisation:
            more[now.organisation] += 1
            more[old.organisation] -= 1
    return more


def numbers_fault(entry: Entry, before: Entry | None = None) -> str:
    """Why a user cannot have these numbers; empty: they are possible.

    Who had more from before may keep them, or some of them.
    """
    allowed = max(MOST_NUMBERS, len(before.numbers) if before else 0)
    if len(entry.numbers) <= allowed:
        return ""
    return (
        f"{entry.id} would have {len(entry.numbers)} numbers; {MOST_NUMBERS} are possible: take "
        "one away first, or give the number to another user."
    )
