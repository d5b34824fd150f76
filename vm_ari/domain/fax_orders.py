"""A fax on its way out as a machine: what to do next with it, and when to give up (UM-04).

    waiting ──► rendering ──► dialling ──► sending ──► sent
       ▲            │             │            │
       └────────────┴── again ◄───┴────────────┴──► failed, cancelled

How a call ended is told by the telephone system itself. Pages that the other machine has confirmed
are not sent again: the next call goes on with the one after them, and says so.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from vm_ari.domain.callers import printable
from vm_ari.domain.orders import LONGEST_REASON, Order, OrderState, Stage, again, over
from vm_ari.domain.retries import Retries
from vm_ari.domain.rights import sender_choices
from vm_ari.domain.rights_settings import Priority
from vm_ari.domain.users import User

LONGEST_PAUSE = timedelta(days=1)


class FaxState(OrderState):
    """Where an order is."""

    WAITING = "waiting"
    RENDERING = "rendering"
    DIALLING = "dialling"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def stage(self) -> Stage:
        """What that means."""
        match self:
            case FaxState.WAITING | FaxState.RENDERING:
                return Stage.WAITING
            case FaxState.DIALLING | FaxState.SENDING:
                return Stage.ON_THE_LINE
            case FaxState.SENT:
                return Stage.ARRIVED
            case FaxState.FAILED:
                return Stage.FAILED
            case FaxState.CANCELLED:
                return Stage.CANCELLED


class Cause(StrEnum):
    """Why a fax, or one call of it, came to nothing."""

    BUSY = "busy"
    NO_ANSWER = "no-answer"
    DROPPED = "dropped"
    """The line was lost, or the transfer failed, after the machines had found each other."""
    NO_FAX = "no-fax"
    """Somebody answered, but no fax machine."""
    NO_NUMBER = "no-number"
    """Nobody has that number."""
    REFUSED = "refused"
    """A rule of ours forbids it."""
    DECLINED = "declined"
    """The other side does not take the call."""
    UNPRINTABLE = "unprintable"
    """There is nothing in it that can be sent."""
    TROUBLE = "trouble"
    """No line of ours was free, or something of ours is out of order."""


@dataclass(frozen=True)
class Cover:
    """What a person has written for the first page; texts of any kind."""

    to: str = ""
    subject: str = ""
    text: str = ""

    def __bool__(self) -> bool:
        return bool(self.to or self.subject or self.text)


@dataclass(frozen=True)
class FaxOrder(Order[Cause]):
    """One fax for one number."""

    cover: Cover = field(default_factory=Cover)
    state: FaxState = field(default=FaxState.WAITING, kw_only=True)
    pages: int = 0
    """Of the whole fax, with its cover page; 0: not rendered yet."""
    confirmed: int = 0
    """Pages that the other machine has, over all calls."""
    station: str = ""
    """How the other machine calls itself: anybody's text, made harmless."""
    round: int = 1
    """How often a person has begun it: each has its own report."""
    priority: Priority = Priority.NORMAL
    """Of its sender, when it was ordered."""

    @property
    def call_id(self) -> str:
        """See `Order`."""
        return f"{self.id}-{self.round}-{self.calls}"

    @property
    def occasion(self) -> str:
        """See `Order`; each round counts."""
        return f"fax {self.id} {self.round}"

    @property
    def rank(self) -> int:
        """See `Order`."""
        return self.priority.rank

    def is_due(self, now: datetime) -> bool:
        """May it be tried now? A clock that was set back does not make a pause longer."""
        if self.not_before is None:
            return True
        return now >= self.not_before or self.not_before - now > LONGEST_PAUSE


@dataclass(frozen=True)
class Ending:
    """How one call ended."""

    cause: Cause | None
    """None: everything was sent."""
    pages: int = 0
    """That the other machine has confirmed in this call, a note before them included."""
    seconds: float = 0.0
    station: str = ""
    reason: str = ""


@dataclass(frozen=True)
class FaxLimits:
    """What one fax may be."""

    pages: int = 100
    octets: int = 20_000_000
    """Of all its documents together."""
    papers: int = 10
    """Documents."""


def begun(order: FaxOrder) -> FaxOrder:
    """The next call is about to be made."""
    return replace(order, state=FaxState.DIALLING, calls=order.calls + 1, not_before=None)


def rendered(order: FaxOrder, pages: int) -> FaxOrder:
    """It is known how many pages there are."""
    return replace(order, pages=pages, state=FaxState.WAITING)


def after(order: FaxOrder, ending: Ending, rules: Retries[Cause], now: datetime) -> FaxOrder:
    """The order after one call: sent, to be tried again, or given up."""
    confirmed = _confirmed(order, ending)
    order = replace(
        order,
        confirmed=confirmed,
        seconds=order.seconds + ending.seconds,
        station=printable(ending.station, 40) or order.station,
        reason=printable(ending.reason, LONGEST_REASON),
    )
    if ending.cause is None or (order.pages and confirmed >= order.pages):
        order = replace(order, confirmed=order.pages, cause=None, reason="")
        return over(order, Stage.ARRIVED, now)
    return again(order, ending.cause, rules, now)


def once_more(order: FaxOrder, now: datetime) -> FaxOrder:
    """A person begins it anew: what was confirmed stays confirmed, unless all of it was."""
    return replace(
        order,
        state=FaxState.WAITING,
        made=now,
        confirmed=0 if order.confirmed >= order.pages else order.confirmed,
        calls=0,
        failures={},
        cause=None,
        reason="",
        not_before=None,
        ended=None,
        round=order.round + 1,
    )


def continues(order: FaxOrder) -> bool:
    """Does the next call begin with a note, for the pages before are there already?"""
    return 0 < order.confirmed < order.pages


def sender_number(user: User) -> str:
    """The number that a fax comes from; empty where the user has none."""
    allowed = sender_choices(user)
    if user.fax_sender and user.fax_sender in allowed:
        return user.fax_sender
    own = (number for number in allowed if number in user.numbers)
    return next(own, next(iter(user.sender_numbers), ""))


def headline_name(user: User) -> str:
    """Whom the first line of each page names."""
    return printable(user.fax_headline or user.name, 50)


def _confirmed(order: FaxOrder, ending: Ending) -> int:
    """The note before a continuation is no page of the fax."""
    new = max(0, ending.pages - (1 if continues(order) else 0))
    return min(order.confirmed + new, order.pages)
