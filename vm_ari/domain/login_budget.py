"""How many wrong PINs one caller, and all together, may try in a time (LOGIN-03).

The lock of a mailbox does not see one PIN that is tried on many mailboxes: this does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

UNKNOWN = ""
"""All callers of whom nobody knows who they are."""


@dataclass(frozen=True)
class Budget:
    """Failures within the window; 0: as many as you like."""

    per_caller: int = 10
    for_all: int = 100
    window: timedelta = timedelta(minutes=15)


@dataclass(frozen=True)
class Attempt:
    """One that has failed, or whose end is not known yet."""

    at: datetime
    caller: str
    """`UNKNOWN`, or whatever tells callers apart."""


class Pace(Enum):
    """How the next attempt is treated."""

    FREE = "free"
    SLOW = "slow"
    REFUSED = "refused"
    """It is not even looked at, and the answer is the same as to a wrong PIN."""


def pace(attempts: Sequence[Attempt], caller: str, now: datetime, budget: Budget) -> Pace:
    """What those attempts mean for that caller.

    Callers who withhold their numbers share one budget, and everybody shares that of the whole
    system: these only slow down, for nobody should be able to keep all others out.
    """
    recent = [attempt for attempt in attempts if now - attempt.at < budget.window]
    own = sum(attempt.caller == caller for attempt in recent)
    if 0 < budget.per_caller <= own:
        return Pace.SLOW if caller == UNKNOWN else Pace.REFUSED
    return Pace.SLOW if 0 < budget.for_all <= len(recent) else Pace.FREE
