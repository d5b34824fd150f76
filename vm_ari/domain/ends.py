"""Until when something counts, as a person writes it."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo

NEVER = "never"


FORMS = f"write the last day as 2026-12-31, a moment as 2026-12-31T18:00, or {NEVER}"


class BadEnd(ValueError):
    """Nothing can end then; the text says what to write."""

    def __init__(self, text: str, problem: str = "is no date") -> None:
        super().__init__(f"“{text[:40]}” {problem}; {FORMS}.")


def end_of(text: str, zone: tzinfo) -> datetime | None:
    """The first moment (UTC) at which it does not count any more; None: it never ends.

    A day counts to its end, in that *zone*. Raises `BadEnd`.
    """
    plain = text.strip()
    if plain == NEVER:
        return None
    try:
        if len(plain) == len("2026-12-31"):
            after = date.fromisoformat(plain) + timedelta(days=1)
            return datetime.combine(after, time(), zone).astimezone(UTC)
        moment = datetime.fromisoformat(plain)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadEnd(text) from None


def coming_end(text: str, zone: tzinfo, now: datetime) -> datetime | None:
    """The same for something that begins *now*. Raises `BadEnd` for what is over already, too."""
    end = end_of(text, zone)
    if end is not None and end <= now:
        raise BadEnd(text, "is over already")
    return end
