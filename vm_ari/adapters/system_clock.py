"""The machine's clock."""

from datetime import UTC, datetime


class SystemClock:
    """The machine's time: `ports.Clock` outside of tests."""

    def now(self) -> datetime:
        """See `Clock`."""
        return datetime.now(UTC)
