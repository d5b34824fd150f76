"""May this user send this to that number now? The one place that decides it (UM-05).

The dialling rules come first (`dialling.may_dial`); what they allow, a user's rights narrow: how
far it may go, how much of it in one day, how many pages a fax may have. What the site sets as the
most (`Caps`) counts for everybody, whatever an organisation gives to its users.

Calls inside the house cost nothing: they count for no limit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum

import phonenumbers

from vm_ari.domain.dialling import Allowed, Kind
from vm_ari.domain.numbers import Site, readable, site_of
from vm_ari.domain.rights_settings import Scope
from vm_ari.domain.users import User


class Outgoing(StrEnum):
    """What leaves; the value is its name in tables."""

    FAX = "fax"
    SMS = "sms"
    VOICE = "voice"
    """Calls that are made for a user: forwards of callers, call-backs, spoken messages."""


class Why(Enum):
    """Why something does not leave; the value is a key of the portal's words."""

    SCOPE = "scope"
    PER_DAY = "per-day"
    """So many faxes, messages or calls there were today."""
    PAGES_PER_DAY = "pages-per-day"
    PAGES = "pages"
    """Of this one fax."""
    UNCOUNTED = "uncounted"
    """There is a limit, and nobody can count just now."""

    @property
    def passes(self) -> bool:
        """Can the same be possible another day, or soon?"""
        return self in {Why.PER_DAY, Why.PAGES_PER_DAY, Why.UNCOUNTED}


@dataclass(frozen=True)
class Used:
    """What left today."""

    items: int = 0
    pages: int = 0
    """Of faxes."""

    def __add__(self, more: "Used") -> "Used":
        return Used(self.items + more.items, self.pages + more.pages)


@dataclass(frozen=True)
class Caps:
    """The most that the site allows to anybody; 0: no limit."""

    fax_scope: Scope = Scope.INTERNATIONAL
    sms_scope: Scope = Scope.INTERNATIONAL
    voice_scope: Scope = Scope.INTERNATIONAL
    fax_per_day: int = 0
    fax_pages_per_day: int = 0
    fax_most_pages: int = 0
    sms_per_day: int = 0
    voice_per_day: int = 0


@dataclass(frozen=True)
class Limits:
    """What counts for one user and one kind of thing; 0: no limit."""

    scope: Scope
    per_day: int = 0
    pages_per_day: int = 0
    most_pages: int = 0

    @property
    def counts(self) -> bool:
        """Is there a limit of a day?"""
        return bool(self.per_day or self.pages_per_day)


@dataclass(frozen=True)
class Refused:
    """It does not leave."""

    why: Why
    what: Outgoing
    number: str = ""
    """As a person writes it."""
    most: int = 0
    left: int = 0
    """Of the limit, where there is one of a day."""
    scope: Scope | None = None

    @property
    def reason(self) -> str:
        """A sentence for the person who wanted it."""
        match self.why:
            case Why.SCOPE:
                return f"{self.number} is too far: {_PLURALS[self.what]} {_REACH[self.scope]}."
            case Why.PER_DAY:
                return f"There were enough {_PLURALS[self.what]} today: {self.most} are allowed."
            case Why.PAGES_PER_DAY:
                return (
                    f"There are not enough fax pages left today: {self.left} of the {self.most} "
                    "that are allowed."
                )
            case Why.PAGES:
                return f"The fax has too many pages: {self.most} are allowed."
            case Why.UNCOUNTED:
                return f"Nobody can count the {_PLURALS[self.what]} of today just now."


_PLURALS = {Outgoing.FAX: "faxes", Outgoing.SMS: "short messages", Outgoing.VOICE: "calls"}
_REACH = {
    Scope.NOBODY: "are not allowed",
    Scope.INTERNAL: "are allowed inside the house only",
    Scope.NATIONAL: "are allowed inside the country only",
    Scope.INTERNATIONAL: "are allowed everywhere",
    None: "are not allowed",
}


def limits_of(user: User, what: Outgoing, caps: Caps) -> Limits:
    """The user's own, and no more than the site allows to anybody."""
    match what:
        case Outgoing.FAX:
            return Limits(
                user.fax_scope.narrowed(caps.fax_scope),
                _least(user.fax_per_day, caps.fax_per_day),
                _least(user.fax_pages_per_day, caps.fax_pages_per_day),
                _least(user.fax_most_pages, caps.fax_most_pages),
            )
        case Outgoing.SMS:
            return Limits(
                user.sms_scope.narrowed(caps.sms_scope), _least(user.sms_per_day, caps.sms_per_day)
            )
        case Outgoing.VOICE:
            return Limits(
                user.voice_scope.narrowed(caps.voice_scope),
                _least(user.voice_per_day, caps.voice_per_day),
            )


def may_send(
    user: User,
    what: Outgoing,
    to: Allowed,
    caps: Caps,
    sites: Sequence[Site],
    *,
    pages: int = 0,
    used: Used | None = None,
) -> Refused | None:
    """None: it may leave. *pages* of a fax, 0 while nobody knows; *used*: None does not look."""
    limits = limits_of(user, what, caps)
    scope = scope_of(user, to, sites)
    if scope.width > limits.scope.width:
        shown = readable(to.number, _home(user, sites))
        return Refused(Why.SCOPE, what, shown, scope=limits.scope)
    if limits.most_pages and pages > limits.most_pages:
        return Refused(Why.PAGES, what, most=limits.most_pages)
    if used is None or scope is Scope.INTERNAL:
        return None
    return _enough(what, limits, used, max(pages, 1))


def scope_of(user: User, to: Allowed, sites: Sequence[Site]) -> Scope:
    """How far that number is from the user."""
    if to.kind is Kind.INTERNAL:
        return Scope.INTERNAL
    if not to.number.startswith("+"):  # a service number of the house's own network
        return Scope.NATIONAL
    if to.kind in {Kind.CALL_BY_CALL, Kind.UNKNOWN}:
        return Scope.INTERNATIONAL
    region = phonenumbers.region_code_for_number(phonenumbers.parse(to.number))
    return Scope.NATIONAL if region == _home(user, sites).region else Scope.INTERNATIONAL


def sender_choices(user: User) -> tuple[str, ...]:
    """Numbers that may be shown for the user: those that were listed, else all the own ones."""
    return user.sender_numbers or tuple(dict.fromkeys((*user.fax_numbers, *user.numbers)))


def shown_number(user: User) -> str:
    """The number that calls for the user show; empty: none."""
    allowed = user.sender_numbers or user.numbers
    return next((one for one in user.numbers if one in allowed), next(iter(allowed), ""))


def may_sign(user: User, sender: str) -> bool:
    """May short messages come from that name or number? Only listed numbers, once there are any."""
    digits = sender.removeprefix("+").isdecimal()
    return not (digits and user.sender_numbers) or sender in user.sender_numbers


def _enough(what: Outgoing, limits: Limits, used: Used, pages: int) -> Refused | None:
    if limits.per_day and used.items >= limits.per_day:
        return Refused(Why.PER_DAY, what, most=limits.per_day)
    most = limits.pages_per_day
    if most and used.pages + pages > most:
        return Refused(Why.PAGES_PER_DAY, what, most=most, left=max(0, most - used.pages))
    return None


def _least(one: int, other: int) -> int:
    """Of two limits, of which 0 is none."""
    return min(filter(None, (one, other)), default=0)


def _home(user: User, sites: Sequence[Site]) -> Site:
    found = (site_of(number, sites) for number in user.numbers)
    return next((site for site in found if site), sites[0])
