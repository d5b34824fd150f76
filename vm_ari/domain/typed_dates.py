"""A day as it is typed on a telephone: two digits for the day, two for the month."""

import re
from datetime import date


def coming_day(typed: str, today: date) -> date | None:
    """``2412`` as the next 24 December, which may be today; None for a day that does not exist.

    29 February must be one of this or the next year.
    """
    if not re.fullmatch("[0-9]{4}", typed):
        return None
    days = (_day(year, typed) for year in (today.year, today.year + 1))
    return next((day for day in days if day and day >= today), None)


def _day(year: int, typed: str) -> date | None:
    try:
        return date(year, int(typed[2:]), int(typed[:2]))
    except ValueError:
        return None
