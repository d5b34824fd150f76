"""The outbox item as a machine: what to do next with a message that waits to be delivered."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)
FAULT_PAUSE = timedelta(seconds=1)
LOCAL_FAULTS_BEFORE_PLAIN = 3
LOOKS_BEFORE_RISKING_A_COPY = 6
"""So often (about an hour) a message waits for a mailbox that cannot be asked whether it is there
already; then a second copy is the smaller evil."""


class Verdict(Enum):
    """What one delivery attempt came to."""

    DELIVERED = "delivered"
    LATER = "later"
    """Server away, busy, quota: try again for ever."""
    UNSURE = "unsure"
    """An earlier attempt may have arrived, and the mailbox could not be asked."""
    REFUSED = "refused"
    """A permanent answer: an admin has to look."""
    FAULT = "fault"
    """Our own code failed on this message."""


class Step(Enum):
    """Where the item goes."""

    DONE = "done"
    WAIT = "wait"
    HOLD = "hold"


@dataclass(frozen=True)
class Attempts:
    """The history of one item."""

    failed: int = 0
    faults: int = 0
    unsure: int = 0
    """Of the failed ones: those that ended at the question whether it is there already."""
    not_before: datetime | None = None
    last_error: str = ""
    hurried: bool = False
    """An administrator wants it to be tried now; the next attempt ends that."""

    def seen_again(self, on_disk: "Attempts") -> "Attempts":
        """What is known counts, but for a pause that an administrator has ended *on_disk*."""
        return on_disk if on_disk.hurried and not self.hurried else self

    @property
    def plain_envelope(self) -> bool:
        """Send with the most harmless headers: something in this message breaks our composer."""
        return self.faults >= LOCAL_FAULTS_BEFORE_PLAIN

    @property
    def may_risk_a_copy(self) -> bool:
        """Deliver even if nobody can tell whether an earlier attempt arrived."""
        return self.unsure >= LOOKS_BEFORE_RISKING_A_COPY

    def may_be_there(self, *, begun: bool) -> bool:
        """Has an earlier attempt perhaps arrived, though we did not see its end?

        *begun*: an attempt is marked as begun. A failed one counts as well: a server's "yes" can
        be lost after it has stored the message.
        """
        return begun or self.failed > 0

    def is_due(self, now: datetime) -> bool:
        """May it be tried now? A clock that was set back does not make a pause longer."""
        if self.not_before is None:
            return True
        return now >= self.not_before or self.not_before - now > LONGEST_PAUSE


@dataclass(frozen=True)
class FallbackFile:
    """A recording that the dialplan made by itself while no controller was there."""

    name: str
    """File name with its suffix, without directory."""
    size: int
    """Bytes."""
    modified: datetime
    """UTC."""


def after(
    attempts: Attempts, verdict: Verdict, reason: str, now: datetime
) -> tuple[Step, Attempts]:
    """The next step and the new history after one attempt."""
    failed = replace(attempts, failed=attempts.failed + 1, last_error=reason, hurried=False)
    match verdict:
        case Verdict.DELIVERED:
            return Step.DONE, attempts
        case Verdict.REFUSED:
            return Step.HOLD, failed
        case Verdict.LATER:
            return Step.WAIT, _paused(failed, now)
        case Verdict.UNSURE:
            return Step.WAIT, _paused(replace(failed, unsure=failed.unsure + 1), now)
        case Verdict.FAULT:
            return Step.WAIT, _paused_after_fault(replace(failed, faults=failed.faults + 1), now)


def _paused(attempts: Attempts, now: datetime) -> Attempts:
    """Wait twice as long after each failure, up to the longest pause."""
    pause = min(FIRST_PAUSE * 2 ** min(attempts.failed - 1, 10), LONGEST_PAUSE)
    return replace(attempts, not_before=now + pause)


def _paused_after_fault(attempts: Attempts, now: datetime) -> Attempts:
    """The first faults cost no time: the plain envelope they lead to will probably do."""
    if attempts.faults <= LOCAL_FAULTS_BEFORE_PLAIN:
        return replace(attempts, not_before=now + FAULT_PAUSE)
    return _paused(attempts, now)
