"""The welcome mail: is it due, what may be in it, and which number does it name (WELCOME-01 to 05)?

Whether one was sent is remembered with the login (`LoginState.welcome`). Whoever has written a mail
changes that from *due* to the time of the mail, and only the one who did so lets his mail go: two
calls at once, or two nodes, send one.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from vm_ari.domain.callers import printable
from vm_ari.domain.login_phones import LoginFrom, PhoneLogin
from vm_ari.domain.login_state import (
    LoginState,
    read_stamp,
    stamp,
    unlocked,
    with_pin,
    with_welcome_due,
)
from vm_ari.domain.numbers import Site, normalise
from vm_ari.domain.preferences import Access
from vm_ari.domain.users import User

NEW_PIN = "new-pin"
"""In `LoginState.welcome_wish`: the mail brings a PIN of its own."""
FAX_ATTRIBUTE = "facsimileTelephoneNumber"
PROXY_ATTRIBUTE = "proxyAddresses"
PROXY_TYPE = "IXI:"
_ATTRIBUTE = re.compile("[A-Za-z][A-Za-z0-9.;-]{0,100}")


class BadNumberSource(ValueError):
    """Nothing says which number that would be. The text says what is possible."""


class Link(StrEnum):
    """Where the mail leads to."""

    PORTAL = "portal"
    IMAP_PASSWORD = "imap-password"  # noqa: S105 - the name of a page
    NONE = "none"


@dataclass(frozen=True)
class NumberSource:
    """Which number the mail names: the first of the attributes that has one, or a fixed one."""

    attributes: tuple[str, ...] = (FAX_ATTRIBUTE, PROXY_ATTRIBUTE)
    fixed: str = ""

    @classmethod
    def parse(cls, text: str) -> "NumberSource":
        """``fax-or-proxy``, ``fax``, ``proxy``, ``attribute NAME`` or a number.

        Raises `BadNumberSource`.
        """
        match text.split():
            case ["fax-or-proxy"]:
                return cls()
            case ["fax"]:
                return cls((FAX_ATTRIBUTE,))
            case ["proxy"]:
                return cls((PROXY_ATTRIBUTE,))
            case ["attribute", name] if _ATTRIBUTE.fullmatch(name):
                return cls((name,))
            case _ if re.fullmatch(r"\+?[0-9][0-9 /().-]{0,40}", text.strip()):
                return cls((), text.strip())
        raise BadNumberSource(
            f"“{printable(text)}” is not possible; write fax-or-proxy, fax, proxy, "
            "attribute NAME, or a number"
        )


@dataclass(frozen=True)
class WelcomeRules:
    """What the site has decided about the welcome mail."""

    enabled: bool = False
    number: NumberSource = field(default_factory=NumberSource)
    one_time_pin: bool = False
    """A PIN that the mail brings must be changed at the first login."""
    login_number: str = ""
    """Where users dial in; empty: they call their own mailbox."""
    login_key: str = "*"
    """What they press there during the greeting."""
    link: Link = Link.NONE
    address: str = ""
    """Of the page behind the link."""
    guide: bool = True
    closing: Mapping[str, str] = field(default_factory=dict, hash=False)
    """The site's own words at the end, by language."""


@dataclass(frozen=True)
class Rights:
    """What the mail may speak of (WELCOME-02)."""

    telephone: bool
    """May the user log in by telephone? If not: neither a PIN, nor how to log in."""
    messages: bool
    """May messages be heard by telephone, or only settings be changed?"""


class Standing(StrEnum):
    """How it is with a user's welcome mail."""

    NEVER = "never sent"
    DUE = "due"
    SENT = "sent"


def rights_of(user: User) -> Rights:
    """By the user's access mode (LOGIN-01), and the telephones that may log in (LOGIN-06)."""
    telephone = user.may_log_in and _has_telephone(user)
    return Rights(telephone=telephone, messages=telephone and user.access is Access.FULL)


def _has_telephone(user: User) -> bool:
    """Is there one that may log in?"""
    listed = (user.login_office, *(phone.login for phone in user.login_numbers))
    logins = (*listed, user.login_mobile) if user.mobile else listed
    anywhere = user.login_from is LoginFrom.ANYWHERE
    return anywhere or any(login is not PhoneLogin.DEFAULT for login in logins)


def standing(state: LoginState) -> Standing:
    """What is remembered; a text that is no time counts as due: better one mail more than none."""
    if not state.welcome:
        return Standing.NEVER
    return Standing.DUE if read_stamp(state.welcome) is None else Standing.SENT


def is_due(state: LoginState) -> bool:
    """Does the next call send it?"""
    return standing(state) is not Standing.SENT


def needs_new_pin(state: LoginState) -> bool:
    """Is there none that could be sent, or was another one asked for?"""
    return not state.has_pin or state.welcome_wish == NEW_PIN


def with_mail(
    state: LoginState, basis: LoginState, new_pin: str, now: datetime, *, one_time: bool
) -> LoginState:
    """After a mail that was written from *basis*; unchanged where that is out of date.

    *new_pin* is empty where the mail holds the present PIN, or none.
    """
    if not is_due(state) or _told(state) != _told(basis):
        return state
    if new_pin:
        state = with_pin(state, new_pin, now, one_time=one_time)
    return replace(state, welcome=stamp(now), welcome_wish="")


def is_ours(state: LoginState, written: datetime) -> bool:
    """Is it remembered that a mail of that time goes out?"""
    return state.welcome == stamp(written)


def asked_again(state: LoginState, *, new_pin: bool = False, unlock: bool = False) -> LoginState:
    """An admin wants the mail to leave with the next call (WELCOME-05).

    A new PIN that somebody has asked for already is never taken back.
    """
    if unlock:
        state = unlocked(state)
    waits = is_due(state) and state.welcome_wish == NEW_PIN
    return with_welcome_due(state, NEW_PIN if new_pin or waits else "")


def named_number(
    source: NumberSource, attributes: Mapping[str, Sequence[str]], site: Site, otherwise: str
) -> str:
    """The number that the mail names, E.164 where possible (WELCOME-04).

    *otherwise* is the number dialled.
    """
    for name in source.attributes:
        for value in attributes.get(name, ()):
            if number := _number_in(name, value, site):
                return number
    return (normalise(source.fixed, site) or source.fixed) if source.fixed else otherwise


def _number_in(attribute: str, value: str, site: Site) -> str:
    """Of proxy addresses those of our type; whatever is no number is passed over."""
    if attribute.lower() == PROXY_ATTRIBUTE.lower():
        if value[: len(PROXY_TYPE)].upper() != PROXY_TYPE:
            return ""
        value = value[len(PROXY_TYPE) :]
    return normalise(value.strip(), site) or ""


def _told(state: LoginState) -> tuple[object, ...]:
    """What decides about the content of a mail."""
    return state.pin, state.unopened, state.welcome, state.welcome_wish
