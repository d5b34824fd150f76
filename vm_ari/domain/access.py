"""May this call log in, and must it type the PIN? (LOGIN-01, LOGIN-04, LOGIN-06)

What a caller's network says about the number is a claim: anybody can make it. Only a telephone of
the own network that has proven to be that telephone counts, or a number for which the site itself
vouches. Whatever else is claimed, the PIN is asked.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, StrEnum

from vm_ari.domain.login_phones import LoginFrom, PhoneLogin
from vm_ari.domain.login_state import LoginState
from vm_ari.domain.numbers import Site, is_internal, normalise
from vm_ari.domain.pin import FAILURES_BEFORE_LOCK
from vm_ari.domain.preferences import Access
from vm_ari.domain.users import User


class AfterExpiry(StrEnum):
    """What comes when a PIN has ended (LOGIN-04)."""

    CHANGE = "change"
    """It must be changed at the login."""
    PREVENT = "prevent"
    """No login, until an admin gives another PIN."""


@dataclass(frozen=True)
class LoginRules:
    """What the site has decided about logins by telephone."""

    failures_before_lock: int = FAILURES_BEFORE_LOCK
    """0: never."""
    shortest_pin: int = 6
    pin_days: int = 0
    """So many days a PIN holds; 0: for ever."""
    reminder_days: int = 7
    """So many days before, the user is told."""
    after_expiry: AfterExpiry = AfterExpiry.CHANGE
    default_pin: str = field(default="", repr=False)
    """Of users who have none; empty where welcome mails bring PINs (LOGIN-07)."""
    lock_notice: bool = True
    """Users are told by mail that their login is locked."""
    outside_numbers_verified: bool = False
    """The site vouches for the numbers of calls from outside: its provider verifies them."""
    pinless_from_outside: bool = False
    """Such a number can log in without a PIN, where its user has set that."""
    sites: tuple[Site, ...] = (Site(),)


@dataclass(frozen=True)
class Origin:
    """Where a call comes from, as far as somebody knows it."""

    phone: str = ""
    """The telephone of the own network that has proven to be it; empty: none has."""
    caller: str = ""
    """What the network says, E.164 or an extension; empty: suppressed or malformed."""


class Verdict(Enum):
    """What happens to somebody who wants to log in."""

    ADMIT = "admit"
    ASK_PIN = "ask PIN"
    REFUSE = "refuse"


@dataclass(frozen=True)
class Decision:
    """A verdict, and why; the reason is for logs and admins."""

    verdict: Verdict
    reason: str


class Proof(Enum):
    """How somebody has shown to be the user: not everything is open to everybody (INBOX-09)."""

    PIN = "PIN"
    TELEPHONE = "telephone"
    """By calling from one that needs no PIN, and that somebody else may be using."""


class Standing(Enum):
    """What somebody may do who has typed the right PIN."""

    OPEN = "open"
    MUST_CHANGE = "must change the PIN"
    EXPIRED = "expired"


@dataclass(frozen=True)
class _Known:
    """A number that counts, and whether it is one of the own network."""

    number: str
    inside: bool


def decide(user: User, origin: Origin, rules: LoginRules) -> Decision:
    """May that telephone log in to the user's mailbox? A lock is somebody else's question."""
    if user.access is Access.NONE:
        return Decision(Verdict.REFUSE, "The user has no telephone login.")
    known = _known(origin, rules)
    exception = _exception(user, known, rules.sites) if known else None
    match exception:
        case (PhoneLogin.NO_PIN, why) if known and (known.inside or rules.pinless_from_outside):
            return Decision(Verdict.ADMIT, f"It is {why}, which needs no PIN.")
        case (PhoneLogin.NO_PIN, why):
            return Decision(Verdict.ASK_PIN, f"It is {why}, but a call from outside needs the PIN.")
        case (_, why):
            return Decision(Verdict.ASK_PIN, f"It is {why}.")
    if user.login_from is LoginFrom.NOWHERE:
        return Decision(Verdict.REFUSE, "Only certain telephones may log in; this is none of them.")
    return Decision(Verdict.ASK_PIN, "Every telephone may log in with the PIN.")


def decide_called(user: User, phone: str, rules: LoginRules) -> Verdict:
    """May the user hear messages on a telephone that we have called, and with the PIN? (INBOX-14)

    Nobody can claim to be it, so the user's own needs no PIN where none is demanded of it.
    """
    number = _clean(phone, rules.sites)
    exception = _exception(user, _Known(number, inside=True), rules.sites)
    verdict = decide(user, Origin(phone=phone), rules).verdict
    demanded = exception is not None and exception[0] is PhoneLogin.PIN
    own = {_clean(one, rules.sites) for one in (*user.numbers, user.mailbox, user.mobile)}
    if verdict is Verdict.ASK_PIN and number and number in own and not demanded:
        return Verdict.ADMIT
    return verdict


def known_number(origin: Origin, rules: LoginRules) -> str:
    """The number of the caller where it can be relied on; else empty."""
    known = _known(origin, rules)
    return known.number if known else ""


def standing(state: LoginState, rules: LoginRules, now: datetime) -> Standing:
    """After the right PIN. The default PIN is everybody's, so it must be changed."""
    if has_expired(state, rules, now):
        prevent = rules.after_expiry is AfterExpiry.PREVENT
        return Standing.EXPIRED if prevent else Standing.MUST_CHANGE
    return Standing.MUST_CHANGE if state.must_change or not state.has_pin else Standing.OPEN


def expires(state: LoginState, rules: LoginRules) -> datetime | None:
    """When the PIN ends; None: never, or nobody knows how old it is."""
    if not (rules.pin_days and state.pin_set and state.has_pin):
        return None
    return state.pin_set + timedelta(days=rules.pin_days)


def has_expired(state: LoginState, rules: LoginRules, now: datetime) -> bool:
    """Is the PIN too old?"""
    end = expires(state, rules)
    return end is not None and now >= end


def needs_reminder(state: LoginState, rules: LoginRules, now: datetime) -> bool:
    """Must the user be told today that the PIN ends? Once for each PIN."""
    end = expires(state, rules)
    if end is None or state.pin_told or not rules.reminder_days:
        return False
    return end - timedelta(days=rules.reminder_days) <= now < end


def _known(origin: Origin, rules: LoginRules) -> _Known | None:
    """The number that counts; an inside number that comes from outside is a lie."""
    if number := _clean(origin.phone, rules.sites):
        return _Known(number, inside=True)
    number = _clean(origin.caller, rules.sites)
    outside = number.startswith("+") and not is_internal(number, rules.sites)
    return _Known(number, inside=False) if outside and rules.outside_numbers_verified else None


def _exception(user: User, known: _Known, sites: Sequence[Site]) -> tuple[PhoneLogin, str] | None:
    """What the user's settings say of a number; the number that is written out wins."""
    for listed, login, why in _exceptions(user):
        if login is not PhoneLogin.DEFAULT and _clean(listed, sites) == known.number:
            return login, why
    return None


def _exceptions(user: User) -> Iterator[tuple[str, PhoneLogin, str]]:
    for phone in user.login_numbers:
        yield phone.number, phone.login, "a number that the user has listed"
    if user.mobile:
        yield user.mobile, user.login_mobile, "the user's mobile phone"
    for number in (*user.numbers, user.mailbox):
        yield number, user.login_office, "the user's office phone"


def _clean(number: str, sites: Sequence[Site]) -> str:
    return (normalise(number, sites[0]) or "") if number else ""
