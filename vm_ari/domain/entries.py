"""What a directory holds of a person, and the user that the rest of the program sees in it."""

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from vm_ari.domain.callers import printable
from vm_ari.domain.numbers import Site, normalise
from vm_ari.domain.preferences import (
    LANGUAGE,
    NUMBER_STYLE,
    OPERATOR,
    READ_FAXES,
    READ_MAILS,
    SETTINGS,
    TAKES_MESSAGES_IN,
    TRANSFERS,
    Layers,
    Origin,
    Setting,
    effective,
)
from vm_ari.domain.profiles import ProfileName
from vm_ari.domain.settings import Rules
from vm_ari.domain.users import User

T = TypeVar("T")

PIN = "pin"
IMAP_PASSWORD = "imap_password"  # noqa: S105 - the name of a key, not a password
PIN_HISTORY = "pin_history"
"""The PINs before the present one."""
CONFERENCE_PIN = "conference_pin"
"""Opens the user's conference room."""
MODERATOR_PIN = "moderator_pin"
"""The same, as its moderator."""
SEALED_KEYS = frozenset({PIN, IMAP_PASSWORD, PIN_HISTORY, CONFERENCE_PIN, MODERATOR_PIN})
PIN_FAILURES = "pin_failures"
PIN_SET = "pin_set"
"""When the PIN was set: a UTC date-time, as all that follow."""
PIN_CHANGE = "pin_change"
"""``yes``: it must be changed at the next login."""
PIN_TOLD = "pin_told"
"""When the user was reminded that it ends."""
LOCK_TOLD = "lock_told"
"""When the user was told that the login is locked."""
WELCOME = "welcome"
"""``due``, or when the welcome mail was handed over."""
WELCOME_WISH = "welcome_wish"
"""What a reset asked for."""
CALLED_BACK = "called_back"
"""A day and how many outside numbers the user has had called back on it."""
SENT = "sent"
"""A day and how often the user has sent something by telephone on it."""
CONFERENCE_FAILURES = "conference_failures"
"""Wrong PINs at the conference room since the last right one."""
BOOKKEEPING = frozenset(
    {
        PIN_SET,
        PIN_CHANGE,
        PIN_TOLD,
        LOCK_TOLD,
        WELCOME,
        WELCOME_WISH,
        CALLED_BACK,
        SENT,
        CONFERENCE_FAILURES,
    }
)
"""What is remembered of a user's login in plain text beside the settings (`login_state`)."""
NO_SETTINGS = SEALED_KEYS | BOOKKEEPING | {PIN_FAILURES}
"""Keys that lie among the settings and are none; each has a way of its own to be changed."""
MOST_NUMBERS = 3
"""Direct numbers of one user package (UM-01)."""
_ADDRESS = re.compile(r"[^\s@<>()\[\]\\,;:\"]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")


class BadNumber(ValueError):
    """A text in the directory is not a telephone number. It is quoted."""


@dataclass(frozen=True)
class Organisation:
    """People who share settings."""

    id: str
    name: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Texts by key, as those of a user."""


@dataclass(frozen=True)
class Entry:
    """A person as the directory knows one; nothing here is made up from site defaults."""

    id: str
    """The directory's own, stable name of the entry."""
    name: str
    mailbox: str = ""
    """The extension or number under which lamp and login know the mailbox."""
    numbers: tuple[str, ...] = ()
    """Clean ones (`clean_numbers`)."""
    mail: str = ""
    given: str = ""
    surname: str = ""
    organisation: str = ""
    """Id of the organisation; empty for none."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """The user's own settings: texts by key, also those that nobody understands."""
    sealed: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Sealed secrets by key (`SEALED_KEYS`)."""
    pin_failures: int = 0
    """Wrong PINs since the last right one."""
    bookkeeping: Mapping[str, str] = field(default_factory=dict)
    """What else is remembered of the login (`BOOKKEEPING`); `login_state.state_of` reads it."""
    units: tuple[str, ...] = field(default=(), compare=False)
    """LDAP: the organisational units that the entry lies in, the nearest first; never stored."""


@dataclass(frozen=True)
class StoredValues:
    """What lies beside the settings in the same attribute, sorted apart."""

    settings: Mapping[str, str]
    sealed: Mapping[str, str] = field(repr=False)
    pin_failures: int = 0
    bookkeeping: Mapping[str, str] = field(default_factory=dict)


def sort_apart(values: Mapping[str, str]) -> StoredValues:
    """Tell settings from secrets and counters.

    A failure counter that cannot be read counts as none: the PIN still protects, and a hand-made
    slip must not lock the owner out.
    """
    failures = values.get(PIN_FAILURES, "")
    return StoredValues(
        settings={key: text for key, text in values.items() if key not in NO_SETTINGS},
        sealed={key: text for key, text in values.items() if key in SEALED_KEYS},
        pin_failures=int(failures) if re.fullmatch("[0-9]{1,6}", failures) else 0,
        bookkeeping={key: text for key, text in values.items() if key in BOOKKEEPING},
    )


def layers_of(entry: Entry, organisation: Organisation | None, site: Mapping[str, str]) -> Layers:
    """The settings that apply to a person; *site* are the site's texts by key."""
    return Layers(entry.settings, organisation.settings if organisation else {}, site)


def effective_user(
    entry: Entry, organisation: Organisation | None, site: Mapping[str, str]
) -> User:
    """The person as calls see one, every setting decided."""
    layers = layers_of(entry, organisation, site)
    # of some forty settings most are nowhere set: a look-up must not pay for them
    written = {*layers.user, *layers.organisation, *layers.site}
    plain: dict[str, Any] = {
        key: effective(setting, layers).value
        for key, setting in _USER_SETTINGS.items()
        if key in written
    }
    return User(
        id=entry.id,
        name=entry.name or f"{entry.given} {entry.surname}".strip(),
        mailbox=entry.mailbox,
        numbers=entry.numbers,
        mail=entry.mail,
        transfers=tuple(_decided(TRANSFERS, layers, written)),
        takes_messages_in=tuple(
            (profile, takes)
            for profile, takes in _decided(TAKES_MESSAGES_IN, layers, written)
            if takes is not None
        ),
        **plain,
    )


def entry_of(user: User) -> Entry:
    """An entry that makes that user, where the site has decided nothing but a language.

    Only what differs from the defaults is written down.
    """
    own = {LANGUAGE.key: user.language}
    for key, setting in _USER_SETTINGS.items():
        value = getattr(user, key)
        if value != setting.default:
            own[key] = setting.format(value)
    for profile, number in user.transfers:
        own[TRANSFERS[profile].key] = TRANSFERS[profile].format(number)
    for profile, takes in user.takes_messages_in:
        own[TAKES_MESSAGES_IN[profile].key] = TAKES_MESSAGES_IN[profile].format(takes)
    return Entry(user.id, user.name, user.mailbox, user.numbers, user.mail, settings=own)


def _decided(
    settings: Mapping[ProfileName, Setting[T]], layers: Layers, written: Container[str]
) -> Iterator[tuple[ProfileName, T]]:
    """The values by profile that somebody has set."""
    for profile, setting in settings.items():
        if setting.key in written:
            found = effective(setting, layers)
            if found.origin is not Origin.DEFAULT:
                yield profile, found.value


_USER_SETTINGS = {
    field.name: SETTINGS[field.name] for field in fields(User) if field.name in SETTINGS
}
"""By the field of `User` that has the same name."""


def site_texts(rules: Rules) -> dict[str, str]:
    """The settings that the site's rules decide, as its layer."""
    return {
        LANGUAGE.key: rules.language,
        NUMBER_STYLE.key: NUMBER_STYLE.format(rules.number_style),
        **({OPERATOR.key: rules.operator} if rules.operator else {}),
        **({} if rules.read_mails else {READ_MAILS.key: READ_MAILS.format(False)}),
        **({} if rules.read_faxes else {READ_FAXES.key: READ_FAXES.format(False)}),
    }


def clean_numbers(texts: Iterable[str], site: Site) -> tuple[str, ...]:
    """Numbers in any spelling as E.164, none twice, in their order; raises `BadNumber`."""
    numbers = []
    for text in texts:
        number = normalise(text, site)
        if number is None:
            raise BadNumber(f"“{printable(text, 40)}” is not a telephone number.")
        numbers.append(number)
    return tuple(dict.fromkeys(numbers))


def surname_or_guess(entry: Entry) -> str:
    """For classes of persons, which demand a surname: the last word of the name, or the id."""
    return entry.surname or entry.name.split(" ")[-1] or entry.id


def address_key(mail: str) -> str:
    """What is compared to keep addresses unique: mail servers ignore case."""
    return mail.strip().casefold()


def problems_of(entry: Entry) -> tuple[str, ...]:
    """What keeps an entry from being stored, or should be mended; sentences for an admin."""
    problems = []
    if not entry.id or not entry.id.isprintable():
        problems.append("A user needs an id of visible characters.")
    if entry.mail and (len(entry.mail) > 254 or not _ADDRESS.fullmatch(entry.mail)):
        problems.append(f"“{printable(entry.mail)}” is not a mail address.")
    layers = Layers(user=entry.settings)
    for setting in SETTINGS.values():
        problems += effective(setting, layers).problems
    return tuple(problems)
