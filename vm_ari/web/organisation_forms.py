"""The form of an organisation: what was typed, what is wrong, and the record that it makes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from vm_ari.domain.organisations import (
    BadOrganisation,
    OrganisationRecord,
    parsed_agreement,
    parsed_packages,
)
from vm_ari.services.organisations import agreed, appointed
from vm_ari.web.visit import Visit

FIELDS = ("id", "name", "packages", "agreement", "administrators")
_LONGEST = 10_000


@dataclass(frozen=True)
class OrganisationForm:
    """What the fields show; *faults* are words for the operator, by field."""

    typed: Mapping[str, str]
    faults: Mapping[str, str]


def form_of(record: OrganisationRecord) -> OrganisationForm:
    """As it is kept."""
    typed = {
        "id": record.id,
        "name": record.name,
        "packages": str(record.packages or ""),
        "agreement": record.agreement.since.isoformat() if record.agreement else "",
        "administrators": "\n".join(record.administrators),
    }
    return OrganisationForm(typed, {})


def form_sent(visit: Visit) -> OrganisationForm:
    """As it was sent."""
    return OrganisationForm({key: visit.typed(key)[:_LONGEST].strip() for key in FIELDS}, {})


def with_fault(visit: Visit, form: OrganisationForm, error: BadOrganisation) -> OrganisationForm:
    """And what is wrong."""
    text = visit.words(f"organisations.fault.{error.fault.value}", what=error.what)
    return replace(form, faults={**form.faults, error.fault.field: text})


async def edited(
    visit: Visit, old: OrganisationRecord, form: OrganisationForm
) -> OrganisationRecord:
    """The record as the form wants it. Raises `BadOrganisation`, `DirectoryUnavailable`."""
    typed = form.typed
    since = parsed_agreement(typed["agreement"]) if typed["agreement"] else None
    now = visit.parts.clock.now()
    record = agreed(old, since, by=visit.me.entry.id, now=now)
    record = replace(record, name=typed["name"], packages=parsed_packages(typed["packages"]))
    wanted = re.split(r"[\s,;]*[\n,;][\s,;]*", typed["administrators"])
    find = visit.parts.users.register.entry_by_id
    return await appointed(record, wanted, find, visit.parts.rights.operators)
