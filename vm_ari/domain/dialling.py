"""Dialling rules: which numbers transfers, callbacks and recording calls may reach (SITE-03).

A rule is a line such as ``deny +49900``, ``allow AT``, ``deny mobile`` or ``allow all``. The first
rule that matches decides, so the most specific ones come first (`never_reached` finds those that
do not). Where none matches, the kind of the number decides: internal numbers and the own country's
landline and mobile ones are allowed, everything else is denied.

`may_dial` is asked when a number is stored, and again when it is dialled, as rules change. What it
allows carries the only text that may be sent to the telephone system.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import phonenumbers
from phonenumbers import PhoneNumberType as Plan
from phonenumbers import shortnumberinfo

from vm_ari.domain.callers import printable
from vm_ari.domain.numbers import Site, dialable, is_internal, normalise, readable, seems_outside


class Kind(Enum):
    """What a call to the number costs, roughly; the value is its name in rules."""

    INTERNAL = "internal"
    LANDLINE = "landline"
    MOBILE = "mobile"
    FOREIGN = "foreign"
    """Landline and mobile numbers of other countries."""
    FREEPHONE = "freephone"
    SHARED_COST = "shared-cost"
    PREMIUM = "premium"
    CALL_BY_CALL = "call-by-call"
    """Begins with the choice of a carrier, such as 010xy in Germany."""
    SPECIAL = "special"
    """Emergency, directory enquiries, satellite, personal and company-wide numbers."""
    UNKNOWN = "unknown"
    """The numbering plan does not know such a number."""


DEFAULT_KINDS = frozenset({Kind.INTERNAL, Kind.LANDLINE, Kind.MOBILE})
_EXPENSIVE = frozenset({Kind.PREMIUM, Kind.SHARED_COST, Kind.CALL_BY_CALL})
_CARRIER_CHOICE = ("+4910",)
_KIND_OF_PLAN = {
    Plan.FIXED_LINE: Kind.LANDLINE,
    Plan.FIXED_LINE_OR_MOBILE: Kind.LANDLINE,
    Plan.MOBILE: Kind.MOBILE,
    Plan.TOLL_FREE: Kind.FREEPHONE,
    Plan.SHARED_COST: Kind.SHARED_COST,
    Plan.PREMIUM_RATE: Kind.PREMIUM,
    Plan.UNKNOWN: Kind.UNKNOWN,
}
_NAMES = {
    Kind.INTERNAL: "an internal number",
    Kind.LANDLINE: "a landline number",
    Kind.MOBILE: "a mobile number",
    Kind.FOREIGN: "a number abroad",
    Kind.FREEPHONE: "a freephone number",
    Kind.SHARED_COST: "a shared-cost number",
    Kind.PREMIUM: "a premium-rate number",
    Kind.CALL_BY_CALL: "a call by another carrier",
    Kind.SPECIAL: "a special or service number",
    Kind.UNKNOWN: "not a number that the numbering plan knows",
}


class BadRule(ValueError):
    """A line is not a dialling rule. The text says what a rule looks like."""


@dataclass(frozen=True)
class Prefix:
    """Numbers that begin so; E.164 with its ``+``, or empty for every number."""

    digits: str


@dataclass(frozen=True)
class Country:
    """An ISO 3166 country: denied with everything in it, allowed without its service numbers."""

    region: str


@dataclass(frozen=True)
class Rule:
    """One line of the rules."""

    allow: bool
    what: Prefix | Country | Kind

    def __str__(self) -> str:
        match self.what:
            case Prefix(digits):
                name = digits or "all"
            case Country(region):
                name = region
            case kind:
                name = kind.value
        return f"{'allow' if self.allow else 'deny'} {name}"


@dataclass(frozen=True)
class DiallingRules:
    """What the site allows; the defaults without a rule are those of a careful one."""

    rules: tuple[Rule, ...] = ()
    kinds: frozenset[Kind] = DEFAULT_KINDS


class Why(Enum):
    """Why a number may not be dialled."""

    NOT_A_NUMBER = "not a number"
    AMBIGUOUS = "ambiguous"
    """The telephone system, or the reader, could understand another and dearer number."""
    RULE = "rule"
    KIND = "kind"


@dataclass(frozen=True)
class Allowed:
    """The number may be dialled: by *dial*, and by nothing else."""

    number: str
    """E.164 or an extension: what to store."""
    kind: Kind
    dial: str
    """What a telephone of the home site dials; digits, perhaps with a leading ``+``."""


@dataclass(frozen=True)
class Denied:
    """The number may not be dialled."""

    why: Why
    number: str
    """As a person writes it."""
    kind: Kind = Kind.UNKNOWN
    rule: Rule | None = None

    @property
    def reason(self) -> str:
        """A sentence for the person who wanted it."""
        match self.why:
            case Why.NOT_A_NUMBER:
                return f"“{self.number}” is not a telephone number."
            case Why.AMBIGUOUS:
                return f"{self.number} can be read in two ways; write it with + and country code."
            case Why.RULE:
                return f"{self.number} may not be dialled: the rule “{self.rule}” forbids it."
            case Why.KIND:
                return f"{self.number} is {_NAMES[self.kind]}; the dialling rules do not allow it."


def may_dial(
    number: str, rules: DiallingRules, sites: Sequence[Site], *, dialled: bool = False
) -> Allowed | Denied:
    """Judge a number in any spelling; the first of the *sites* is where the call would start.

    *dialled*: it was typed on a telephone, perhaps with the outside-line prefix.
    """
    home = sites[0]
    clean = normalise(number, home, dialled=dialled)
    if clean is None:
        return Denied(Why.NOT_A_NUMBER, printable(number, 40))
    written = normalise(number, home)
    if written and written != clean and _is_costly(written, rules, sites):
        return Denied(Why.AMBIGUOUS, printable(number, 40))
    return _judge(clean, rules, sites)


def kind_of(number: str, sites: Sequence[Site]) -> Kind:
    """What kind a clean number is, seen from the first of the *sites*."""
    home = sites[0]
    if is_internal(number, sites):
        return Kind.SPECIAL if _is_service(dialable(number, home), home) else Kind.INTERNAL
    if number.startswith(_CARRIER_CHOICE):
        return Kind.CALL_BY_CALL
    if not number.startswith("+"):
        return Kind.UNKNOWN
    parsed = phonenumbers.parse(number)
    kind = _KIND_OF_PLAN.get(phonenumbers.number_type(parsed), Kind.SPECIAL)
    region = phonenumbers.region_code_for_number(parsed)
    if kind not in {Kind.LANDLINE, Kind.MOBILE} or region == home.region:
        return kind
    return Kind.SPECIAL if region == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY else Kind.FOREIGN


def parse_rule(text: str, site: Site) -> Rule:
    """Read ``allow`` or ``deny`` with a kind, a country, a prefix or ``all``. Raises `BadRule`.

    A prefix may be written as in the country of the site (``0900``); it is kept as E.164.
    """
    verb, _, what = text.strip().partition(" ")
    if verb not in {"allow", "deny"}:
        raise BadRule(f"“{printable(text)}” must begin with “allow” or “deny”.")
    return Rule(verb == "allow", _what(what.strip(), site))


def never_reached(rules: DiallingRules) -> tuple[Rule, ...]:
    """Rules that an earlier, wider one hides: probably not what the admin meant."""
    return tuple(
        rule
        for position, rule in enumerate(rules.rules)
        if any(_covers(earlier.what, rule.what) for earlier in rules.rules[:position])
    )


def _judge(clean: str, rules: DiallingRules, sites: Sequence[Site]) -> Allowed | Denied:
    home = sites[0]
    kind, dial, shown = kind_of(clean, sites), dialable(clean, home), readable(clean, home)
    if not clean.startswith("+") and seems_outside(dial, home):
        return Denied(Why.AMBIGUOUS, shown, kind)
    for rule in rules.rules:
        if _matches(rule, clean, kind):
            return Allowed(clean, kind, dial) if rule.allow else Denied(Why.RULE, shown, kind, rule)
    return Allowed(clean, kind, dial) if kind in rules.kinds else Denied(Why.KIND, shown, kind)


def _matches(rule: Rule, number: str, kind: Kind) -> bool:
    match rule.what:
        case Prefix(digits):
            return number.startswith(digits)
        case Country(region) if rule.allow:
            ordinary = kind in {Kind.INTERNAL, Kind.LANDLINE, Kind.MOBILE, Kind.FOREIGN}
            return ordinary and region in _regions(number)
        case Country(region):
            return region in _regions(number)
        case wanted:
            return kind is wanted


def _regions(number: str) -> tuple[str, ...]:
    """The number's country; where the plan does not know it, every one of that country code."""
    if not number.startswith("+"):
        return ()
    parsed = phonenumbers.parse(number)
    region = phonenumbers.region_code_for_number(parsed)
    every: tuple[str, ...] = phonenumbers.region_codes_for_country_code(parsed.country_code or 0)
    return (region,) if region else every


def _is_costly(number: str, rules: DiallingRules, sites: Sequence[Site]) -> bool:
    match _judge(number, rules, sites):
        case Denied(rule=Rule(what=Prefix(digits))):
            return bool(digits)  # a last "deny all" says nothing about this number
        case Denied(kind=kind):
            return kind in _EXPENSIVE
    return False


def _is_service(dial: str, home: Site) -> bool:
    """Would the telephone system, or the exchange, take it for an emergency or service call?"""
    if shortnumberinfo.is_emergency_number(dial, home.region):
        return True
    if home.outside_prefix or not dial.isdecimal() or dial.startswith("0"):
        return False
    short = phonenumbers.PhoneNumber(int(home.country_code or 0), int(dial))
    return bool(shortnumberinfo.is_valid_short_number_for_region(short, home.region))


def _what(text: str, site: Site) -> Prefix | Country | Kind:
    if text == "all":
        return Prefix("")
    if text in {kind.value for kind in Kind}:
        return Kind(text)
    if text in phonenumbers.SUPPORTED_REGIONS:
        return Country(text)
    digits = re.sub("[-()/. ]", "", text)
    if re.fullmatch(r"\+[0-9]{1,15}", digits):
        return Prefix(digits)
    trunk = phonenumbers.ndd_prefix_for_region(site.region, True)
    if trunk and re.fullmatch(f"{trunk}[1-9][0-9]{{0,14}}", digits):
        return Prefix(f"+{site.country_code}{digits.removeprefix(trunk)}")
    kinds = ", ".join(kind.value for kind in Kind)
    raise BadRule(
        f"“{printable(text)}” is neither a prefix such as +49900, nor a country such as AT, "
        f"nor “all”, nor one of: {kinds}."
    )


def _covers(wide: Prefix | Country | Kind, narrow: Prefix | Country | Kind) -> bool:
    match wide, narrow:
        case Prefix(""), _:
            return True
        case Prefix(short), Prefix(long):
            return long.startswith(short)
    return wide == narrow
