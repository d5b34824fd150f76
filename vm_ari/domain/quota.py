"""How full a mailbox is (MAIL-08)."""

from dataclasses import dataclass
from enum import Enum


class Measure(Enum):
    """What the server counts."""

    SIZE = "KiB"
    MESSAGES = "messages"


@dataclass(frozen=True)
class Quota:
    """What is used, and what is allowed."""

    used: int
    allowed: int
    measure: Measure = Measure.SIZE

    @property
    def share(self) -> float:
        """0 is empty, 1 full; a limit of 0 allows nothing."""
        return self.used / self.allowed if self.allowed else 1.0

    @property
    def percent(self) -> int:
        """Whole ones, rounded down: 100 is full."""
        return int(self.share * 100)

    def __str__(self) -> str:
        return f"{self.used} of {self.allowed} {self.measure.value}"


def is_nearly_full(quota: Quota | None, warning_percent: int) -> bool:
    """Shall the user be warned? Never with a *warning_percent* of 0."""
    return quota is not None and warning_percent > 0 and quota.percent >= warning_percent
