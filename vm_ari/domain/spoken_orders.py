"""A text on its way to somebody's ear as a machine: what to do next, when to give up (SPEECH-04).

    waiting ──► calling ──► heard
       ▲           │
       └─ again ◄──┴──────► failed, cancelled

What was heard in a call is written down before anybody is told. Only who has heard everything, and
has pressed the key where one is asked for, has got the message. Nobody can tell a patient listener
from an answering machine: where that matters, a key is asked for.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from vm_ari.domain import rights as all_rights
from vm_ari.domain.callers import Caller, printable
from vm_ari.domain.dialling import Allowed, Denied, DiallingRules, Kind, may_dial
from vm_ari.domain.mail_speech.recognition import unmistakable
from vm_ari.domain.mail_speech.speaking import utterances
from vm_ari.domain.mail_speech.utterances import Utterance
from vm_ari.domain.numbers import Site, extension_of
from vm_ari.domain.orders import (
    LONGEST_REASON,
    NotAllowed,
    Order,
    OrderState,
    Stage,
    again,
    no_right,
    over,
)
from vm_ari.domain.retries import Retries
from vm_ari.domain.rights import Caps, Outgoing, shown_number
from vm_ari.domain.users import User

PURPOSE = "spoken"
"""First argument of such a call; the second is its name."""
LATEST = timedelta(days=60)
"""So far ahead a message can be ordered."""


class SpokenState(OrderState):
    """Where an order is."""

    WAITING = "waiting"
    CALLING = "calling"
    HEARD = "heard"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def stage(self) -> Stage:
        """What that means."""
        match self:
            case SpokenState.WAITING:
                return Stage.WAITING
            case SpokenState.CALLING:
                return Stage.ON_THE_LINE
            case SpokenState.HEARD:
                return Stage.ARRIVED
            case SpokenState.FAILED:
                return Stage.FAILED
            case SpokenState.CANCELLED:
                return Stage.CANCELLED


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
class SpokenOrder(Order[Cause]):
    """One message for one number; its *seconds* are those of the last call that was answered."""

    due: datetime
    """UTC: not before that, as the sender wishes."""
    text: str = field(repr=False)
    language: str
    """In which it is spoken."""
    confirm: bool = False
    """Has the listener to press a key?"""
    state: SpokenState = field(default=SpokenState.WAITING, kw_only=True)

    @property
    def call_id(self) -> str:
        """See `Order`."""
        return f"{self.id}-{self.calls}"

    @property
    def occasion(self) -> str:
        """See `Order`."""
        return f"spoken {self.id}"

    @property
    def since(self) -> datetime:
        """See `Order`: nobody tries before it is due."""
        return self.due

    def is_due(self, now: datetime) -> bool:
        """See `Order`."""
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
        return again(order, Cause.HUNG_UP, rules, now)
    if order.confirm and not hearing.confirmed:
        return again(order, Cause.UNCONFIRMED, rules, now)
    return over(replace(order, cause=None), Stage.ARRIVED, now)


def after(order: SpokenOrder, ending: Ending, rules: Retries[Cause], now: datetime) -> SpokenOrder:
    """The order after a call in which nobody has heard anything."""
    order = replace(order, reason=printable(ending.reason, LONGEST_REASON))
    return again(order, ending.cause, rules, now)
