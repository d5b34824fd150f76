"""When something that came to nothing is tried again, and when it is given up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Generic, TypeVar

Cause = TypeVar("Cause", bound=StrEnum)


@dataclass(frozen=True)
class Retries(Generic[Cause]):
    """The pauses after each failure of that cause.

    As many pauses, as many further tries; a cause without any is final.
    """

    pauses: Mapping[Cause, Sequence[timedelta]] = field(default_factory=dict)
    longest: timedelta = timedelta(days=1)
    """After that it is given up, whatever the cause."""

    def next_try(
        self, cause: Cause, failures: int, *, since: datetime, now: datetime
    ) -> datetime | None:
        """After so many *failures* of that cause, this one included; None: it is given up."""
        pauses = self.pauses.get(cause, ())
        if failures > len(pauses):
            return None
        again = now + pauses[failures - 1]
        return None if again - since > self.longest else again
