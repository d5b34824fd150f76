"""What time it is."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The only place that knows what time it is."""

    def now(self) -> datetime:
        """The time in UTC, with its zone."""
        ...
