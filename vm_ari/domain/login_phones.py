"""From which telephones a user may log in, as settings say it (LOGIN-06)."""

import re
from dataclasses import dataclass
from enum import StrEnum

from vm_ari.domain.setting_forms import Form

MOST_LISTED = 8
_LISTED = re.compile(r"(?P<number>\+[1-9][0-9]{3,18}|[0-9]{1,10})(?::(?P<how>no-pin|pin))?")


class LoginFrom(StrEnum):
    """Telephones for which nothing else is said."""

    ANYWHERE = "anywhere"
    """All of them, with the PIN."""
    NOWHERE = "nowhere"


class PhoneLogin(StrEnum):
    """What is said of one telephone."""

    PIN = "pin"
    NO_PIN = "no-pin"
    """Straight to the main menu."""
    DEFAULT = "default"
    """It is no exception."""


@dataclass(frozen=True)
class ListedPhone:
    """Another telephone that is an exception."""

    number: str
    """E.164, or an extension."""
    login: PhoneLogin = PhoneLogin.PIN


def _read(text: str) -> tuple[ListedPhone, ...]:
    listed = []
    for word in filter(None, re.split("[, ]+", text)):
        found = _LISTED.fullmatch(word.lower())
        if found is None:
            raise ValueError
        listed.append(ListedPhone(found["number"], PhoneLogin(found["how"] or PhoneLogin.PIN)))
    numbers = {phone.number for phone in listed}
    if not listed or len(listed) > MOST_LISTED or len(numbers) < len(listed):
        raise ValueError
    return tuple(listed)


def _write(phones: tuple[ListedPhone, ...]) -> str:
    return ", ".join(
        f"{phone.number}{':no-pin' if phone.login is PhoneLogin.NO_PIN else ''}" for phone in phones
    )


LISTED_PHONES = Form(
    f"at most {MOST_LISTED} numbers such as +4915112345678, or +4915112345678:no-pin", _read, _write
)
