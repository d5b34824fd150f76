"""Calls that are made up: a user, recordings and a moment, for the tests of decisions."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.domain.telephone_sites import BERLIN, GRAZ
from vm_ari.domain.callers import Caller
from vm_ari.domain.greetings import SITE, Greeting, GreetingKey, Slot, Source
from vm_ari.domain.office_hours import parse_hours
from vm_ari.domain.settings import Rules
from vm_ari.domain.situation import Situation
from vm_ari.domain.users import User

ZONE = ZoneInfo("Europe/Berlin")
HOURS = parse_hours("mon-fri 09:00-17:00 12:00-13:00")
WORKING = datetime(2026, 11, 24, 10, 0, tzinfo=ZONE)
"""A Tuesday."""
PAUSING = datetime(2026, 11, 24, 12, 30, tzinfo=ZONE)
RESTING = datetime(2026, 11, 24, 20, 0, tzinfo=ZONE)
ANNA = User("anna", "Anna Berg", "101", ("+4930555101",), "anna@example.org", "de")
OUTSIDE, COLLEAGUE, FOREIGNER = (
    Caller("+4366412345678"),
    Caller("+43316877102"),
    Caller("+33142681234"),
)
RULES = Rules(site=BERLIN, further_sites=(GRAZ,), language="de")


def recording(slot: Slot, language: str = "de", *, expires: datetime | None = None) -> Greeting:
    """Its file is called by slot and language."""
    key = GreetingKey(SITE if slot is Slot.GLOBAL else ANNA.id, slot, language)
    recorded = datetime(2026, 1, 1, tzinfo=UTC)
    path = Path(f"{slot.value}-{language}")
    return Greeting(key, path, 5.0, recorded, Source.PHONE, expires)


def recordings(
    slots: Iterable[Slot], languages: Iterable[str] = ("de",)
) -> dict[GreetingKey, Greeting]:
    """One for each of the slots in each of the languages."""
    made = (recording(slot, language) for slot in slots for language in languages)
    return {one.key: one for one in made}


def call(user: User | None = ANNA, at: datetime = WORKING, **more: Any) -> Situation:
    """Somebody from outside calls; *more* are fields of the situation."""
    fields: dict[str, Any] = {"dialled": "+4930555199", "caller": OUTSIDE, "rules": RULES}
    return Situation(user=user, at=at, **{**fields, "spoken": ("de", "en"), **more})
