"""The form of a user: what was typed, what is wrong with it, and the entry that it makes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from vm_ari.domain.entries import (
    MOST_NUMBERS,
    BadNumber,
    Entry,
    clean_numbers,
    problems_of,
)
from vm_ari.domain.name_templates import NoAddress, display_name, free_address, parse
from vm_ari.domain.name_templates import address as made_address
from vm_ari.domain.numbers import normalise
from vm_ari.domain.preferences import VOICE_MAIL_ENABLED
from vm_ari.services.users import House, default_mailbox
from vm_ari.web.admin_parts import seen_organisations
from vm_ari.web.visit import Visit

NUMBERS = tuple(f"number{position}" for position in range(1, MOST_NUMBERS + 1))
TEXTS = ("given", "surname", "name", "mail", "mailbox")
FIELDS = ("id", *TEXTS, "organisation", *NUMBERS)
LONGEST = {"id": 64, "mail": 254}
_MOST = 200


@dataclass(frozen=True)
class PersonForm:
    """What the fields show; *faults* are words for the admin, by field."""

    typed: Mapping[str, str]
    faults: Mapping[str, str]

    @property
    def numbers(self) -> tuple[str, ...]:
        """Names of the fields for numbers: more than usual, where somebody has more."""
        return tuple(key for key in self.typed if key.startswith("number"))

    def with_fault(self, field: str, text: str) -> "PersonForm":
        """One more."""
        return PersonForm(self.typed, {**self.faults, field: text})


def form_of(entry: Entry) -> PersonForm:
    """As the directory has it."""
    numbers = dict(zip(number_fields(entry), (*entry.numbers, "", "", ""), strict=False))
    texts = {key: str(getattr(entry, key)) for key in ("id", *TEXTS, "organisation")}
    return PersonForm({**texts, **numbers}, {})


def number_fields(entry: Entry | None) -> tuple[str, ...]:
    """A field for each number that somebody may have; who has more from before, keeps them."""
    count = max(MOST_NUMBERS, len(entry.numbers) if entry else 0)
    return tuple(f"number{position}" for position in range(1, count + 1))


def form_sent(visit: Visit, old: Entry | None = None) -> PersonForm:
    """As it was sent, with what is wrong in itself; *old* is who is changed."""
    names = dict.fromkeys((*FIELDS, *number_fields(old)))
    typed = {key: visit.typed(key).strip() for key in names}
    return PersonForm(typed, dict(faults_of(visit, typed)))


def edited(old: Entry, form: PersonForm, house: House) -> Entry:
    """The entry as the form wants it; only of a form without faults."""
    typed, site = form.typed, house.site
    numbers = clean_numbers((typed[key] for key in form.numbers if typed[key]), site)
    texts: dict[str, Any] = {key: typed[key] for key in ("organisation", *TEXTS)}
    bare = replace(old, numbers=numbers, **texts)
    made = display_name(parse(house.name_template), bare) or old.id
    mailbox = bare.mailbox or default_mailbox(numbers, site)
    return replace(bare, name=bare.name or made, mailbox=mailbox)


def switched(entry: Entry, visit: Visit) -> Entry:
    """With voice mail on or off, where the box says something else than what counts."""
    key, wanted = VOICE_MAIL_ENABLED.key, "yes" if visit.typed("enabled") else "no"
    if wanted == visit.typed("was_enabled"):
        return entry
    return replace(entry, settings={**entry.settings, key: wanted})


def examples(typed: Mapping[str, str], house: House) -> tuple[str, str]:
    """Display name and address that the site's templates make of it; empty where they cannot."""
    entry = Entry(
        typed.get("id", "") or "id",
        "",
        given=typed.get("given", ""),
        surname=typed.get("surname", ""),
        organisation=typed.get("organisation", ""),
        mailbox=typed.get("mailbox", ""),
        numbers=tuple(filter(None, (normalise(typed.get(NUMBERS[0], ""), house.site),))),
    )
    name = display_name(parse(house.name_template), entry)
    if not house.address_template:
        return name, ""
    try:
        return name, made_address(parse(house.address_template), entry)
    except NoAddress:
        return name, ""


def with_address(entry: Entry, house: House, taken: set[str]) -> Entry:
    """A new user without an address gets the one that the template makes, if it makes any."""
    if entry.mail or not house.address_template:
        return entry
    try:
        wanted = made_address(parse(house.address_template), entry)
        return replace(entry, mail=free_address(wanted, taken.__contains__))
    except NoAddress:
        return entry


def faults_of_texts(visit: Visit, typed: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with any text, by field."""
    return {
        key: visit.words("account.fault.unreadable")
        for key, text in typed.items()
        if len(text) > LONGEST.get(key, _MOST) or not text.isprintable()
    }


def faults_of(visit: Visit, typed: Mapping[str, str]) -> Mapping[str, str]:
    """What is wrong with it in itself: words for the admin, by field."""
    words, found = visit.words, faults_of_texts(visit, typed)
    if typed["mail"] and problems_of(Entry("x", "", mail=typed["mail"])):
        found["mail"] = words("account.fault.mail")
    if typed["mailbox"] and not typed["mailbox"].removeprefix("+").isdecimal():
        found["mailbox"] = words("account.fault.mailbox")
    if typed["organisation"] not in seen_organisations(visit):
        found["organisation"] = words("account.fault.organisation")
    for key in PersonForm(typed, {}).numbers:
        if typed[key]:
            try:
                clean_numbers([typed[key]], visit.parts.users.house.site)
            except BadNumber:
                found[key] = words("account.fault.number")
    return found
