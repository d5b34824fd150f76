"""May the sender of a message be called back, and by which number? (INBOX-09)

A number that leaves a message is a claim, and whoever makes the claim may earn by the call. So the
user must have typed the PIN, our own signature must vouch for the message, and the dialling rules
decide at the very moment of the call. Whatever they allow, only numbers that people call from are
called: a premium or emergency number, or one of a satellite, is nobody's honest caller number.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum

from vm_ari.domain.access import Proof
from vm_ari.domain.callers import Caller, printable
from vm_ari.domain.dialling import Allowed, Denied, DiallingRules, Kind, may_dial
from vm_ari.domain.messages import StoredMessage
from vm_ari.domain.numbers import Site, extension_of, site_of
from vm_ari.domain.rights import Caps, Outgoing, may_send, shown_number
from vm_ari.domain.transfer import own_numbers
from vm_ari.domain.users import User

CALLERS = frozenset({Kind.INTERNAL, Kind.LANDLINE, Kind.MOBILE, Kind.FOREIGN, Kind.FREEPHONE})
"""Kinds of numbers that a person can have called from."""


class Shown(StrEnum):
    """Whose number the display of who is called back shows."""

    USER = "user"
    NOBODY = "nobody"
    """The telephone system decides."""


@dataclass(frozen=True)
class CallBackRules:
    """What the site has decided."""

    dialling: DiallingRules = field(default_factory=DiallingRules)
    outside: bool = False
    """Also numbers that are none of the house."""
    per_day: int = 20
    """Calls to the outside that one user can make in a day; 0: no limit."""
    shown: Shown = Shown.USER
    caps: Caps = field(default_factory=Caps)


class NoCallBack(Enum):
    """Why the sender of a message cannot be called back."""

    NO_PIN = "login without PIN"
    NOT_VOUCHED_FOR = "not vouched for"
    WITHHELD = "withheld"
    OUTSIDE = "outside"
    NOT_ALLOWED = "not allowed"
    """By the dialling rules, or it is no number that anybody calls from."""
    OWN = "own number"
    NO_RIGHT = "no right"
    """The dialling rules allow it, but not to this user."""


def judge_call_back(
    message: StoredMessage,
    owner: User,
    proof: Proof | None,
    rules: CallBackRules,
    sites: Sequence[Site],
) -> Allowed | NoCallBack:
    """Whom to dial, or why nobody; *proof*: how the user has logged in."""
    if proof is not Proof.PIN:
        return NoCallBack.NO_PIN
    if not message.genuine:
        return NoCallBack.NOT_VOUCHED_FOR
    if not (number := message.caller.number):
        return NoCallBack.WITHHELD
    return _judge_number(number, owner, rules, sites)


def shown(owner: User, destination: Allowed, rules: CallBackRules, sites: Sequence[Site]) -> Caller:
    """For the display of who is called: in the house the extension, outside the whole number."""
    number, name = shown_number(owner), printable(owner.name)
    if rules.shown is Shown.NOBODY or not number:
        return Caller()
    inside = destination.kind is Kind.INTERNAL
    return Caller((inside and extension_of(number, sites[0])) or number, name)


def _judge_number(
    number: str, owner: User, rules: CallBackRules, sites: Sequence[Site]
) -> Allowed | NoCallBack:
    """Of the rules, those of the site come first."""
    judged = may_dial(number, rules.dialling, _from_home(owner, number, sites))
    if isinstance(judged, Denied) or judged.kind not in CALLERS:
        return NoCallBack.NOT_ALLOWED
    if judged.number in own_numbers((*owner.numbers, owner.mailbox), sites[0]):
        return NoCallBack.OWN
    if judged.kind is not Kind.INTERNAL and not rules.outside:
        return NoCallBack.OUTSIDE
    if may_send(owner, Outgoing.VOICE, judged, rules.caps, sites):
        return NoCallBack.NO_RIGHT
    return judged


def _from_home(owner: User, number: str, sites: Sequence[Site]) -> Sequence[Site]:
    """The sites, the user's own first: it is dialled as from there (SITE-03).

    A bare extension means one of the main site, whoever calls it back.
    """
    home = next((site for one in owner.numbers if (site := site_of(one, sites))), sites[0])
    if not number.startswith("+"):
        return sites
    return (home, *(site for site in sites if site is not home))
