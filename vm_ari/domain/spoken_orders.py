"""A text on its way to somebody's ear as a machine: what to do next, when to give up (SPEECH-04).

    waiting ──► calling ──► heard
       ▲           │
       └─ again ◄──┴──────► failed, cancelled

A call is written down before it is made, and what was heard of it before anybody is told. Only who
has heard everything, and has pressed the key where one is asked for, has got the message. Nobody
can tell a patient listener from an answering machine: where that matters, a key is asked for.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from vm_ari.domain import rights as all_rights
from vm_ari.domain.callers import Caller, printable
from vm_ari.domain.dialling import Allowed, Denied, DiallingRules, Kind, may_dial
from vm_ari.domain.fax_orders import LONGEST_REASON, Way
from vm_ari.domain.fax_rights import NotAllowed, no_right
from vm_ari.domain.mail_speech.recognition import unmistakable
from vm_ari.domain.mail_speech.speaking import utterances
from vm_ari.domain.mail_speech.utterances import Utterance
from vm_ari.domain.numbers import Site, extension_of
from vm_ari.domain.retries import Retries
from vm_ari.domain.rights import Caps, Outgoing, shown_number
from vm_ari.domain.users import User

PURPOSE = "spoken"
"""First argument of such a call; the second is its name."""
LATEST = timedelta(days=60)
"""So far ahead a message can be ordered."""


class SpokenState(StrEnum):
    """Where an order is."""

    WAITING = "waiting"
    CALLING = "calling"
    HEARD = "heard"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_over(self) -> bool:
        """Will nothing more happen by itself?"""
        return self in {SpokenState.HEARD, SpokenState.FAILED, SpokenState.CANCELLED}


class Cause(StrEnum):
    """Why a message, or one call of it, came to nothing."""

    BUSY = "busy"
    NO_ANSWER = "no-answer"
    DECLINED = "declined"
    """The other side does not take the call."""
    HUNG_UP = "hung-up"
    """Somebody answered, and did not listen to the end."""
    UNCONFIRMED = "unconfirmed"
    """It was played to the end, and nobody pressed the key."""
    REFUSED = "refused"
    """A rule of ours forbids it."""
    UNSPEAKABLE = "unspeakable"
    """There is nothing in it that a voice could say."""
    TROUBLE = "trouble"
    """The number could not be dialled, or something of ours is out of order."""


@dataclass(frozen=True)
class SpokenOrder:
    """One message for one number: enough to finish it after a crash."""

    id: str
    """Lower-case letters and digits; the same for the same occasion (`fax_orders.order_id`)."""
    user_id: str
    number: str
    """E.164 or an extension, as the dialling rules have made it."""
    made: datetime
    """UTC."""
    due: datetime
    """UTC: not before that, as the sender wishes."""
    way: Way
    text: str = field(repr=False)
    language: str
    """In which it is spoken."""
    confirm: bool = False
    """Has the listener to press a key?"""
    state: SpokenState = SpokenState.WAITING
    calls: int = 0
    """That were made so far."""
    failures: Mapping[Cause, int] = field(default_factory=dict)
    """Calls that came to nothing, by cause."""
    cause: Cause | None = None
    """Of the last one."""
    reason: str = ""
    """The same in the words of whoever told it, for an admin."""
    not_before: datetime | None = None
    seconds: float = 0.0
    """That somebody listened in the last call that was answered."""
    ended: datetime | None = None
    """UTC; None: it goes on."""

    @property
    def call_id(self) -> str:
        """Of the present call, or the last one."""
        return f"{self.id}-{self.calls}"

    @property
    def occasion(self) -> str:
        """By which it counts for the limits of a day: once, however many calls it takes."""
        return f"spoken {self.id}"

    def is_due(self, now: datetime) -> bool:
        """May it be tried now?"""
        return now >= max(self.due, self.not_before or self.due)


@dataclass(frozen=True)
class Hearing:
    """What the called person has heard, and done."""

    call_id: str
    whole: bool
    confirmed: bool = False
    seconds: float = 0.0


@dataclass(frozen=True)
class Ending:
    """How a call ended in which nobody has heard anything."""

    cause: Cause
    reason: str = ""


@dataclass(frozen=True)
class SpokenRights:
    """What the site allows."""

    dialling: DiallingRules = field(default_factory=DiallingRules)
    letters: int = 2000
    """Of one text."""
    caps: Caps = field(default_factory=Caps)
    connect: bool = True
    """May the listener be connected with the sender, inside the house?"""


def may_speak(
    user: User, number: str, rights: SpokenRights, sites: Sequence[Site]
) -> Allowed | NotAllowed:
    """May this user have a message spoken there? The one place that is asked (UM-05).

    It is asked when a message is ordered, and again before each call.
    """
    match may_dial(number, rights.dialling, sites):
        case Denied() as denied:
            return NotAllowed(denied.reason, denied)
        case allowed:
            refused = all_rights.may_send(user, Outgoing.VOICE, allowed, rights.caps, sites)
            return no_right(refused) if refused else allowed


def way_back(user: User, rights: SpokenRights, sites: Sequence[Site]) -> Allowed | None:
    """The sender's own telephone, where a listener may be connected with it."""
    if not rights.connect:
        return None
    judged = may_dial(next(iter(user.numbers), user.mailbox), rights.dialling, sites)
    return judged if isinstance(judged, Allowed) and judged.kind is Kind.INTERNAL else None


def shown_sender(user: User, destination: Allowed, site: Site) -> Caller:
    """For the display of who is called, and for the ear; in the house the extension."""
    number = shown_number(user)
    inside = destination.kind is Kind.INTERNAL
    return Caller((inside and extension_of(number, site)) or number, printable(user.name))


def language_for(text: str, told: str, own: str, languages: Collection[str]) -> str:
    """As *told*, else as the text shows, else the sender's *own*."""
    if told in languages:
        return told
    own = own if own in languages else next(iter(languages), own)
    return unmistakable(text, languages) or own


def words_of(order: SpokenOrder) -> Iterator[Utterance]:
    """What a voice is given, in portions; nothing where there is nothing to be said."""
    for paragraph in order.text.splitlines():
        yield from utterances(paragraph, order.language)


def begun(order: SpokenOrder) -> SpokenOrder:
    """The next call is about to be made."""
    return replace(order, state=SpokenState.CALLING, calls=order.calls + 1, not_before=None)


def put_off(order: SpokenOrder, until: datetime) -> SpokenOrder:
    """This is no time for a call."""
    return replace(order, not_before=until)


def after_hearing(
    order: SpokenOrder, hearing: Hearing, rules: Retries[Cause], now: datetime
) -> SpokenOrder:
    """The order after a call that somebody has answered."""
    order = replace(order, seconds=hearing.seconds, reason="")
    if not hearing.whole:
        return _again(order, Cause.HUNG_UP, rules, now)
    if order.confirm and not hearing.confirmed:
        return _again(order, Cause.UNCONFIRMED, rules, now)
    return over(replace(order, cause=None), SpokenState.HEARD, now)


def after(order: SpokenOrder, ending: Ending, rules: Retries[Cause], now: datetime) -> SpokenOrder:
    """The order after a call in which nobody has heard anything."""
    order = replace(order, reason=printable(ending.reason, LONGEST_REASON))
    return _again(order, ending.cause, rules, now)


def failed(order: SpokenOrder, cause: Cause, reason: str, now: datetime) -> SpokenOrder:
    """It is given up, whatever a further call would bring."""
    order = replace(order, cause=cause, reason=printable(reason, LONGEST_REASON))
    return over(order, SpokenState.FAILED, now)


def over(order: SpokenOrder, state: SpokenState, now: datetime) -> SpokenOrder:
    """Nothing more happens by itself."""
    return replace(order, state=state, ended=now, not_before=None)


def _again(order: SpokenOrder, cause: Cause, rules: Retries[Cause], now: datetime) -> SpokenOrder:
    failures = {**order.failures, cause: order.failures.get(cause, 0) + 1}
    order = replace(order, failures=failures, cause=cause)
    again = rules.next_try(cause, failures[cause], since=order.due, now=now)
    if again is None:
        return over(order, SpokenState.FAILED, now)
    return replace(order, state=SpokenState.WAITING, not_before=again)
