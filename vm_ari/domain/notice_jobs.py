"""What is to be sent to somebody who has new messages, and when it is tried again (NOTIFY-03)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from hashlib import sha256

from vm_ari.domain.delivery import Attempts
from vm_ari.domain.notifications import Channel

MOST_DOUBLINGS = 20
LONGEST_WAIT = timedelta(days=8)
"""A time that is further away was written before the clock was set back."""


class Lane(Enum):
    """What becomes of several jobs of one user that wait for one channel."""

    EACH = "each"
    """They go one after the other, in their order."""
    LATEST = "latest"
    """The newest takes the place of the others: what it tells is newer."""
    FIRST = "first"
    """The one that waits will tell how things are then; no other is kept beside it."""


@dataclass(frozen=True)
class Pace:
    """How one channel is tried."""

    lane: Lane
    first: timedelta = timedelta(minutes=1)
    """After the first failure; each further one doubles it."""
    longest: timedelta = timedelta(hours=1)
    give_up: timedelta = timedelta(hours=24)
    """After the job was made."""
    most_tries: int = 0
    """0: no limit."""
    at_once: int = 4
    """Jobs side by side, of different users."""
    counted_first: bool = False
    """A try counts before it is made: a crash in the middle does not repeat it at once."""
    kept_in_vain: bool = True
    """What is given up is held for the admin; else it is forgotten."""


@dataclass(frozen=True)
class NoticeJob:
    """Something to be sent; the same however often it is tried."""

    id: str
    """Hexadecimal; `job_id`."""
    channel: Channel
    user_id: str
    made: datetime
    """UTC."""
    content: Mapping[str, str] = field(repr=False)
    """What its channel needs."""


@dataclass(frozen=True)
class Over:
    """Nothing is left to do."""

    note: str = ""
    """Why, where it was not simply sent."""


@dataclass(frozen=True)
class Later:
    """Not now."""

    reason: str
    at: datetime | None = None
    """UTC; None: as the pace says. A time that is given is no failure of the other side."""


@dataclass(frozen=True)
class Refused:
    """Never, unless a person mends something."""

    reason: str


Fate = Over | Later | Refused
"""What came of one try."""


def job_id(channel: Channel, user_id: str, occasion: str) -> str:
    """The same for the same occasion, whichever node makes it."""
    text = "\0".join((channel, user_id, occasion))
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:32]


def is_due(history: Attempts, now: datetime) -> bool:
    """May it be tried now?"""
    at = history.not_before
    return at is None or not now < at <= now + LONGEST_WAIT


def begun(history: Attempts, pace: Pace, now: datetime) -> Attempts:
    """The history while a try is made that counts already."""
    return replace(history, failed=history.failed + 1, not_before=now + pace.first)


def after_failure(
    history: Attempts, fate: Later, pace: Pace, now: datetime, *, luck: float
) -> Attempts:
    """The history after a try that failed.

    *luck* from 0 to 1 spreads the next tries, so that many users do not come at once.
    """
    failed = history.failed if pace.counted_first else history.failed + 1
    pause = min(pace.first * 2 ** min(max(failed - 1, 0), MOST_DOUBLINGS), pace.longest)
    at = fate.at or now + pause * (0.75 + luck / 2)
    return replace(history, failed=failed, not_before=at, last_error=fate.reason)


def put_off(history: Attempts, fate: Later, pace: Pace, now: datetime) -> Attempts:
    """The history of one that was not even tried."""
    return replace(history, not_before=fate.at or now + pace.first, last_error=fate.reason)


def has_ended(job: NoticeJob, history: Attempts, pace: Pace, now: datetime) -> bool:
    """Is it not tried any more?"""
    tried_enough = 0 < pace.most_tries <= history.failed
    return tried_enough or now - job.made >= pace.give_up
