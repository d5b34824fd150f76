"""An organisation: its settings, administrators, agreement and packages, as kept (UM-02)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from vm_ari.domain.callers import printable
from vm_ari.domain.entries import Organisation
from vm_ari.domain.preferences import checked

LONGEST_ID = 64
LONGEST_NAME = 200
MOST_ADMINISTRATORS = 100
MOST_PACKAGES = 1_000_000
CONFIGURATION = "configuration"
"""Who has recorded an agreement that stands in the configuration file."""


class Fault(StrEnum):
    """Why an organisation cannot be kept; the value names its words in the portal."""

    ID = "id"
    THERE = "there"
    NAME = "name"
    PACKAGES = "packages"
    NO_DAY = "no-day"
    TO_COME = "to-come"
    TOO_MANY = "too-many"
    STRANGER = "stranger"
    OPERATOR = "operator"

    @property
    def field(self) -> str:
        """Of the form."""
        return _FIELDS[self]


_FIELDS = {
    Fault.ID: "id",
    Fault.THERE: "id",
    Fault.NAME: "name",
    Fault.PACKAGES: "packages",
    Fault.NO_DAY: "agreement",
    Fault.TO_COME: "agreement",
    Fault.TOO_MANY: "administrators",
    Fault.STRANGER: "administrators",
    Fault.OPERATOR: "administrators",
}


class BadOrganisation(ValueError):
    """An organisation cannot be kept like that. The text says why, and what to do.

    *what* is quoted in the words of *fault*.
    """

    def __init__(self, fault: Fault, text: str, what: str = "") -> None:
        super().__init__(text)
        self.fault = fault
        self.what = what


@dataclass(frozen=True)
class Agreement:
    """A data-processing agreement with an organisation."""

    since: date
    recorded_by: str
    """Id of the user, or another name for who it was."""
    recorded: datetime | None = None
    """UTC; None: it stands in the configuration file."""


@dataclass(frozen=True)
class OrganisationRecord:
    """What is kept of an organisation."""

    id: str
    name: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    """For all of its users who have none of their own."""
    administrators: tuple[str, ...] = ()
    """Ids of users."""
    agreement: Agreement | None = None
    """Without one, operators do not act inside the organisation."""
    packages: int = 0
    """How many users it may have; 0: no limit."""
    version: int = 0
    """Grows with each change; 0: as the configuration file has it."""

    def as_organisation(self) -> Organisation:
        """As directories know it."""
        return Organisation(self.id, self.name, self.settings)


def checked_record(record: OrganisationRecord, today: date) -> OrganisationRecord:
    """The record with tidy texts. Raises `BadOrganisation`, `BadSetting`."""
    organisation_id, name = record.id.strip(), record.name.strip()
    if not 0 < len(organisation_id) <= LONGEST_ID or not organisation_id.isprintable():
        text = f"An organisation needs an id of 1 to {LONGEST_ID} visible signs."
        raise BadOrganisation(Fault.ID, text, str(LONGEST_ID))
    if len(name) > LONGEST_NAME or not name.isprintable():
        text = f"The name may have {LONGEST_NAME} visible signs."
        raise BadOrganisation(Fault.NAME, text, str(LONGEST_NAME))
    if not 0 <= record.packages <= MOST_PACKAGES:
        raise _bad_packages(str(record.packages))
    if len(record.administrators) > MOST_ADMINISTRATORS:
        raise too_many_administrators()
    # time zones: where the operator is, it may be tomorrow already
    if record.agreement and record.agreement.since > today + timedelta(days=1):
        shown = record.agreement.since.isoformat()
        text = f"{shown} is still to come; record the agreement when it is signed."
        raise BadOrganisation(Fault.TO_COME, text, shown)
    return OrganisationRecord(
        organisation_id,
        name,
        {key: checked(key, text) for key, text in record.settings.items()},
        tuple(sorted(dict.fromkeys(record.administrators))),
        record.agreement,
        record.packages,
        record.version,
    )


def parsed_agreement(text: str) -> date:
    """A day as ISO 8601 writes it. Raises `BadOrganisation`."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        shown = printable(text, 40)
        text = f"“{shown}” is not a day; write one as 2026-01-31."
        raise BadOrganisation(Fault.NO_DAY, text, shown) from None


def parsed_packages(text: str) -> int:
    """Empty: no limit. Raises `BadOrganisation`."""
    given = text.strip() or "0"
    if not (given.isascii() and given.isdecimal() and len(given) <= len(str(MOST_PACKAGES))):
        raise _bad_packages(text)
    return int(given)


def too_many_administrators() -> BadOrganisation:
    """To be raised."""
    text = f"{MOST_ADMINISTRATORS} administrators are possible."
    return BadOrganisation(Fault.TOO_MANY, text, str(MOST_ADMINISTRATORS))


def _bad_packages(text: str) -> BadOrganisation:
    shown = printable(text, 40)
    told = f"“{shown}”: packages are a number up to {MOST_PACKAGES}; 0 is no limit."
    return BadOrganisation(Fault.PACKAGES, told, shown)
