"""What faxes that leave and messages that are spoken have in common: an order for one number.

A person orders something, and calls are made until it has arrived or is given up. The states of
each kind are its own; here counts only at which stage of its way an order is.

    waiting ──► on the line ──► arrived
       ▲             │
       └── again ◄───┴────────► failed, cancelled

A call is written down before it is made, so that an order which died with its controller is found
where it was.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import datetime
from enum import Enum, StrEnum
from hashlib import sha256
from typing import Any, Generic, Self, TypeVar

from vm_ari.domain.callers import printable
from vm_ari.domain.dialling import Denied
from vm_ari.domain.retries import Retries
from vm_ari.domain.rights import Refused

LONGEST_REASON = 200


class Stage(Enum):
    """How far an order has come."""

    WAITING = "waiting"
    ON_THE_LINE = "on-the-line"
    """There is a call, or one was just about to begin."""
    ARRIVED = "arrived"
    FAILED = "failed"
    CANCELLED = "cancelled"


class OrderState(StrEnum):
    """Where an order is, in the words of its kind: the base of those enums."""

    @property
    def stage(self) -> Stage:
        """What that means."""
        raise NotImplementedError

    @property
    def is_over(self) -> bool:
        """Will nothing more happen by itself?"""
        return self.stage not in {Stage.WAITING, Stage.ON_THE_LINE}

    def at(self, stage: Stage) -> Self:
        """The first state of the same kind that means that."""
        return next(one for one in type(self) if one.stage is stage)


class Way(StrEnum):
    """How an order came in."""

    PORTAL = "portal"
    API = "api"
    MAIL = "mail"
    PHONE = "phone"
    COMMAND = "command"


Cause = TypeVar("Cause", bound=StrEnum)
"""Why an order, or one call of it, came to nothing."""


@dataclass(frozen=True)
class Order(ABC, Generic[Cause]):
    """One thing for one number: enough to finish it after a crash."""

    id: str
    """Lower-case letters and digits; the same for the same occasion (`order_id`)."""
    user_id: str
    number: str
    """E.164 or an extension, as the dialling rules have made it."""
    made: datetime
    """UTC."""
    way: Way
    _: KW_ONLY
    state: OrderState
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
    """That the other side was connected."""
    ended: datetime | None = None
    """UTC; None: it goes on."""

    @property
    @abstractmethod
    def call_id(self) -> str:
        """Of the present call, or the last one."""

    @property
    @abstractmethod
    def occasion(self) -> str:
        """By which it counts for the limits of a day: once, however many calls it takes."""

    @property
    def since(self) -> datetime:
        """From when on it is counted how long it takes."""
        return self.made

    @property
    def rank(self) -> int:
        """The lower goes first."""
        return 0

    @abstractmethod
    def is_due(self, now: datetime) -> bool:
        """May it be tried now?"""


Kept = TypeVar("Kept", bound=Order[Any])
"""An order of one kind."""


def order_id(user_id: str, occasion: str) -> str:
    """The same for the same occasion, so that nothing is sent twice."""
    return sha256("\0".join((user_id, occasion)).encode("utf-8", "replace")).hexdigest()[:24]


def over(order: Kept, stage: Stage, now: datetime) -> Kept:
    """Nothing more happens by itself."""
    return replace(order, state=order.state.at(stage), ended=now, not_before=None)


def failed(order: Kept, cause: StrEnum, reason: str, now: datetime) -> Kept:
    """It is given up, whatever a further call would bring."""
    order = replace(order, cause=cause, reason=printable(reason, LONGEST_REASON))
    return over(order, Stage.FAILED, now)


def cancelled(order: Kept, now: datetime) -> Kept:
    """How our own hang-up looked to the network is no cause."""
    return over(replace(order, cause=None, reason=""), Stage.CANCELLED, now)


def again(order: Kept, cause: StrEnum, rules: Retries[Any], now: datetime) -> Kept:
    """A call has come to nothing: to be tried again, or given up."""
    failures = {**order.failures, cause: order.failures.get(cause, 0) + 1}
    order = replace(order, failures=failures, cause=cause)
    next_try = rules.next_try(cause, failures[cause], since=order.since, now=now)
    if next_try is None:
        return over(order, Stage.FAILED, now)
    return replace(order, state=order.state.at(Stage.WAITING), not_before=next_try)


@dataclass(frozen=True)
class NotAllowed:
    """A rule forbids it."""

    reason: str
    """A sentence for the person who wanted it."""
    denied: Denied | None = None
    """Of the number, where that is why."""
    refused: Refused | None = None
    """By the rights of the user, where they are why."""


def no_right(refused: Refused) -> NotAllowed:
    """The same in these words."""
    return NotAllowed(refused.reason, refused=refused)
