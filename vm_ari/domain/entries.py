"""What a directory holds of a person, and the user that the rest of the program sees in it."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from vm_ari.domain.callers import printable
from vm_ari.domain.numbers import Site, normalise
from vm_ari.domain.preferences import (
    ACCESS,
    LANGUAGE,
    NUMBER_STYLE,
    SETTINGS,
    TAKES_MESSAGES,
    TIME_ZONE,
    VOICE_MAIL_ENABLED,
    Access,
    Layers,
    effective,
)
from vm_ari.domain.settings import Rules
from vm_ari.domain.users import User

PIN = "pin"
IMAP_PASSWORD = "imap_password"  # noqa: S105 - the name of a key, not a password
SEALED_KEYS = frozenset({PIN, IMAP_PASSWORD})
PIN_FAILURES = "pin_failures"
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


@dataclass(frozen=True)
class StoredValues:
    """What lies beside the settings in the same attribute, sorted apart."""

    settings: Mapping[str, str]
    sealed: Mapping[str, str] = field(repr=False)
    pin_failures: int = 0


def sort_apart(values: Mapping[str, str]) -> StoredValues:
    """Tell settings from secrets and counters.

    A failure counter that cannot be read counts as none: the PIN still protects, and a hand-made
    slip must not lock the owner out.
    """
    failures = values.get(PIN_FAILURES, "")
    apart = SEALED_KEYS | {PIN_FAILURES}
    return StoredValues(
        settings={key: text for key, text in values.items() if key not in apart},
        sealed={key: text for key, text in values.items() if key in SEALED_KEYS},
        pin_failures=int(failures) if re.fullmatch("[0-9]{1,6}", failures) else 0,
    )


def layers_of(entry: Entry, organisation: Organisation | None, site: Mapping[str, str]) -> Layers:
    """The settings that apply to a person; *site* are the site's texts by key."""
    return Layers(entry.settings, organisation.settings if organisation else {}, site)


def effective_user(
    entry: Entry, organisation: Organisation | None, site: Mapping[str, str]
) -> User:
    """The person as calls see one, every setting decided."""
    layers = layers_of(entry, organisation, site)
    return User(
        id=entry.id,
        name=entry.name or f"{entry.given} {entry.surname}".strip(),
        mailbox=entry.mailbox,
        numbers=entry.numbers,
        mail=entry.mail,
        language=effective(LANGUAGE, layers).value,
        time_zone=effective(TIME_ZONE, layers).value,
        voice_mail_enabled=effective(VOICE_MAIL_ENABLED, layers).value,
        takes_messages=effective(TAKES_MESSAGES, layers).value,
        # a login opens the messages, too, so who may only change profiles must not have it
        may_log_in=effective(ACCESS, layers).value is Access.FULL,
    )


def site_texts(rules: Rules) -> dict[str, str]:
    """The settings that the site's rules decide, as its layer."""
    return {
        LANGUAGE.key: rules.language,
        NUMBER_STYLE.key: NUMBER_STYLE.format(rules.number_style),
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
    if len(entry.numbers) > MOST_NUMBERS:
        problems.append(f"{len(entry.numbers)} numbers are too many; {MOST_NUMBERS} are possible.")
    layers = Layers(user=entry.settings)
    for setting in SETTINGS.values():
        problems += effective(setting, layers).problems
    return tuple(problems)
