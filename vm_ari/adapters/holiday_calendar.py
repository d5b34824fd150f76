"""Public holidays of countries and their parts, from the library ``holidays`` (HOURS-03)."""

from datetime import date
from functools import lru_cache

import holidays
import structlog

log = structlog.get_logger("vm_ari.calls")

_REGIONS_REMEMBERED = 64


def public_holiday(region: str, day: date) -> str | None:
    """The holiday's name in the country's own language; None for a working day.

    A region that the library does not know has no holidays, and the log says so once.
    """
    found = _calendar(region)
    return None if found is None else found.get(day)


@lru_cache(_REGIONS_REMEMBERED)
def _calendar(region: str) -> holidays.HolidayBase | None:
    """Fills by itself, a year at a time, when it is asked."""
    country, _, part = region.partition("-")
    try:
        plain = holidays.country_holidays(country, subdiv=part or None)
        # else names would follow the language of the process
        return holidays.country_holidays(
            country, subdiv=part or None, language=plain.default_language
        )
    except NotImplementedError as error:
        log.warning("no public holidays are known", region=region, reason=str(error))
        return None
