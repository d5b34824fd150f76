"""What an admin does with users: shared by the command line and the portal (DIR-07, UM-01)."""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

from vm_ari.domain.access import LoginRules
from vm_ari.domain.callers import printable
from vm_ari.domain.entries import (
    PIN,
    SEALED_KEYS,
    BadNumber,
    Entry,
    Organisation,
    address_key,
    clean_numbers,
    layers_of,
    problems_of,
)
from vm_ari.domain.name_templates import NoAddress, address, display_name, free_address, parse
from vm_ari.domain.numbers import Site, extension_of, normalise
from vm_ari.domain.packages import numbers_fault
from vm_ari.domain.pin import FAILURES_BEFORE_LOCK
from vm_ari.domain.preferences import (
    SETTINGS,
    VOICE_MAIL_ENABLED,
    Effective,
    Layers,
    all_effective,
    checked,
)
from vm_ari.domain.user_fields import Surroundings
from vm_ari.ports import UnknownUser, UserRegister
from vm_ari.services.user_selection import Selection

DETAILS = ("name", "given", "surname", "mail", "organisation")
PIN_DIGITS = 6
_SENTENCES = {
    "id": "There is a user {0} already.",
    "number": "{0} belongs to user {1}.",
    "mail": "{0} is the address of user {1}.",
}


class Refused(ValueError):
    """A change is not possible. The text says what, and what to do."""


@dataclass(frozen=True)
class Change:
    """One thing about a user that becomes different."""

    field: str
    old: str
    new: str
    """Empty: nothing of its own any more."""


@dataclass(frozen=True)
class House:
    """What the site has decided about its users."""

    site: Site = field(default_factory=Site)
    defaults: Mapping[str, str] = field(default_factory=dict)
    """Settings as texts by key."""
    name_template: str = "${given} ${surname}"
    address_template: str = ""
    """Empty: new users get no address by themselves."""
    allowed_failures: int = FAILURES_BEFORE_LOCK
    """Wrong PINs before the telephone login is locked; 0: never."""
    logins: LoginRules = field(default_factory=LoginRules)


@dataclass(frozen=True)
class Users:
    """The users of a directory. Every method raises `DirectoryUnavailable`."""

    register: UserRegister
    house: House

    async def find(self, asked: str) -> Entry:
        """The user of that id, number (in any spelling) or mailbox. Raises `UnknownUser`."""
        entry = await self.register.entry_by_id(asked)
        for number in (asked, normalise(asked, self.house.site)):
            if entry is None and number:
                entry = await self.register.entry_by_number(number)
        if entry is None:
            raise UnknownUser(await self._nobody(asked))
        return entry

    async def select(self, wanted: Selection) -> list[Entry]:
        """Everybody whom an admin means. Raises `UnknownUser` for a name that nobody has."""
        if wanted.named:
            found = {entry.id: entry for entry in [await self.find(one) for one in wanted.named]}
        else:
            found = {entry.id: entry for entry in await self.register.all_entries()}
        around = await self.surroundings(found.values())
        pairs = zip(found.values(), around, strict=True)
        return [entry for entry, theirs in pairs if wanted.fits(entry, theirs)]

    async def search(self, words: Sequence[str]) -> list[Entry]:
        """Who has all those words somewhere in name, id, address, organisation or numbers."""
        wanted = [word.casefold() for word in words]
        everybody = await self.register.all_entries()
        return [entry for entry in everybody if all(word in _haystack(entry) for word in wanted)]

    async def prepare(self, entry: Entry) -> Entry:
        """A new user with what follows from the rest: name, address, mailbox. Raises `Refused`."""
        taken = {address_key(e.mail) for e in await self.register.all_entries() if e.mail}
        return completed(entry, self.house, taken)

    async def layers(self, entry: Entry) -> Layers:
        """The settings that apply to a user."""
        return next(iter(await self.surroundings([entry]))).layers

    async def surroundings(self, entries: Iterable[Entry]) -> list[Surroundings]:
        """What else decides about each of them."""
        there = {one.id: one for one in await self.register.organisations()}
        house = self.house
        return [
            Surroundings(
                layers_of(entry, there.get(entry.organisation), house.defaults),
                house.allowed_failures,
            )
            for entry in entries
        ]

    async def effective(self, entry: Entry) -> dict[str, Effective[Any]]:
        """Every setting with its origin."""
        return all_effective(await self.layers(entry))

    async def organisation(self, organisation_id: str) -> Organisation | None:
        """The organisation of that id."""
        found = await self.register.organisations()
        return next((one for one in found if one.id == organisation_id), None)

    async def apply(self, entry: Entry, changes: Sequence[Change]) -> None:
        """Make the changes that `plan` found. Raises `Taken`, `UnknownUser`, `Unstorable`."""
        new = {change.field: change.new for change in changes}
        if details := {key: text for key, text in new.items() if key in DETAILS}:
            await self.register.change_details(entry.id, details)
        if settings := {key: text or None for key, text in new.items() if key in SETTINGS}:
            await self.register.change_settings(entry.id, settings)
        if "mailbox" in new:
            await self.register.set_numbers(entry.id, entry.numbers, new["mailbox"])

    def clean(self, numbers: Sequence[str]) -> tuple[str, ...]:
        """Numbers in any spelling as E.164. Raises `Refused`."""
        try:
            return clean_numbers(numbers, self.house.site)
        except BadNumber as error:
            raise Refused(str(error)) from None

    def with_pin(self, entry: Entry, pin: str | None) -> Entry:
        """A new user with a sealed PIN."""
        if pin is None:
            return entry
        return replace(entry, sealed={**entry.sealed, PIN: self.register.seal_pin(entry.id, pin)})

    async def renumber(self, entry: Entry, numbers: Sequence[str]) -> Entry:
        """Give a user these numbers and no others; returns it as it is now.

        A mailbox that was the extension of a number that goes, goes with it. Raises `Refused`,
        `NumberTaken`, `UnknownUser`.
        """
        new = renumbered(entry, numbers, self.house.site)
        await self.register.set_numbers(entry.id, new.numbers, new.mailbox)
        return new

    async def _nobody(self, asked: str) -> str:
        ids = [entry.id for entry in await self.register.all_entries()]
        near = get_close_matches(asked[:60], ids, n=1)
        hint = f"did you mean {near[0]}?" if near else "“vm-ari users list” shows all."
        return f"There is no user “{printable(asked, 40)}”; {hint}"


def plan(entry: Entry, wanted: Mapping[str, str]) -> tuple[Change, ...]:
    """What setting those fields and settings would change; an empty text removes one's own.

    Raises `Refused`, `BadSetting`.
    """
    new = {key: _wanted(key, text.strip()) for key, text in wanted.items()}
    details: dict[str, Any] = {key: text for key, text in new.items() if key not in SETTINGS}
    must_be_storable(replace(entry, **details))
    changes = (Change(key, _present(entry, key), text) for key, text in new.items())
    return tuple(change for change in changes if change.old != change.new)


def with_fields(entry: Entry, new: Mapping[str, str]) -> Entry:
    """An entry with the fields and settings that `plan` found."""
    details: dict[str, Any] = {key: text for key, text in new.items() if key not in SETTINGS}
    settings = {key: text for key, text in new.items() if key in SETTINGS}
    return replace(entry, **details, settings={**entry.settings, **settings})


def without(own: Sequence[str], gone: Sequence[str]) -> tuple[str, ...]:
    """Numbers that are left; raises `Refused` for one that is not there."""
    for number in gone:
        if number not in own:
            raise Refused(f"{number} is not among the numbers: {', '.join(own) or 'none'}.")
    return tuple(number for number in own if number not in gone)


def switched(entry: Entry, *, on: bool) -> tuple[Change, ...]:
    """What enabling or disabling voice mail would change."""
    return plan(entry, {VOICE_MAIL_ENABLED.key: "yes" if on else "no"})


def completed(entry: Entry, house: House, taken: Iterable[str] = ()) -> Entry:
    """Fill in what follows from the rest, and check it; *taken* are addresses (`address_key`).

    Raises `Refused`.
    """
    try:
        # a call comes in by number: to a mailbox without one, by its own
        given = entry.numbers or ((entry.mailbox,) if entry.mailbox else ())
        numbers = clean_numbers(given, house.site)
        name = entry.name or display_name(parse(house.name_template), entry) or entry.id
        mail = entry.mail
        if not mail and house.address_template:
            wanted = address(parse(house.address_template), entry)
            mail = free_address(wanted, set(taken).__contains__)
    except (BadNumber, NoAddress) as error:
        raise Refused(str(error)) from None
    mailbox = entry.mailbox or default_mailbox(numbers, house.site)
    complete = replace(entry, name=name, mail=mail.strip(), numbers=numbers, mailbox=mailbox)
    must_be_storable(complete)
    if fault := numbers_fault(complete):
        raise Refused(fault)
    return complete


def renumbered(entry: Entry, numbers: Sequence[str], site: Site) -> Entry:
    """The user with other numbers, in any spelling; not more than are possible. `Refused`."""
    try:
        clean = clean_numbers(numbers, site)
    except BadNumber as error:
        raise Refused(str(error)) from None
    if fault := numbers_fault(replace(entry, numbers=clean), entry):
        raise Refused(fault)
    gone = set(entry.numbers) - set(clean)
    stays = entry.mailbox and entry.mailbox not in {extension_of(n, site) or n for n in gone}
    mailbox = entry.mailbox if stays else default_mailbox(clean, site)
    return replace(entry, numbers=clean, mailbox=mailbox)


def default_mailbox(numbers: Sequence[str], site: Site) -> str:
    """The first number, as telephones of the site dial it."""
    first = next(iter(numbers), "")
    return extension_of(first, site) or first


def conflicts(new: Iterable[Entry], there: Iterable[Entry]) -> Iterator[tuple[Entry, str]]:
    """New users that cannot stand beside those that are there, or beside each other."""
    owners = {key: entry.id for entry in there for key in _unique(entry)}
    for entry in new:
        taken = next((key for key in _unique(entry) if key in owners), None)
        if taken:
            yield entry, _SENTENCES[taken[0]].format(taken[1], owners[taken])
        owners |= dict.fromkeys(_unique(entry), entry.id)


def new_pin(digits: int = PIN_DIGITS) -> str:
    """A random PIN that is none of the first ones that people try."""
    while True:
        pin = "".join(secrets.choice("0123456789") for _ in range(digits))
        steps = {(int(b) - int(a)) % 10 for a, b in pairwise(pin)}
        if len(steps) > 1:  # neither 444444 nor 456789
            return pin


def must_be_storable(entry: Entry) -> None:
    """Raises `Refused` for an entry that no directory should hold."""
    if entry.mailbox and not entry.mailbox.removeprefix("+").isdecimal():
        raise Refused(f"The mailbox “{printable(entry.mailbox, 40)}” must be digits, such as 101.")
    for key in DETAILS:
        if not str(getattr(entry, key)).isprintable():
            raise Refused(f"{key} may only hold visible characters.")
    if problems := problems_of(entry):
        raise Refused(" ".join(problems))


def _wanted(key: str, text: str) -> str:
    """The text to store for what was written."""
    if key in SETTINGS:
        return checked(key, text) if text else ""
    if key in SEALED_KEYS:
        raise Refused("Secrets are never given in a command line; --new-pin makes a PIN.")
    if key in {"number", "numbers"}:
        raise Refused("Numbers are given and taken with “assign” and “unassign”.")
    possible = (*DETAILS, "mailbox", *SETTINGS)
    if key not in possible:
        near = get_close_matches(key[:40], possible, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(possible)}."
        raise Refused(f"There is no field or setting “{printable(key, 40)}”; {hint}")
    return text


def _present(entry: Entry, key: str) -> str:
    return entry.settings.get(key, "") if key in SETTINGS else str(getattr(entry, key))


def _haystack(entry: Entry) -> str:
    names = (entry.id, entry.name, entry.given, entry.surname, entry.mail, entry.organisation)
    return "\n".join((*names, entry.mailbox, *entry.numbers)).casefold()


def _unique(entry: Entry) -> list[tuple[str, str]]:
    """What no two users may have, each as it is compared."""
    numbers = dict.fromkeys((entry.mailbox, *entry.numbers))
    keys = [("id", entry.id), *(("number", number) for number in numbers if number)]
    return [*keys, ("mail", address_key(entry.mail))] if entry.mail else keys
