"""Holidays: a region's and one's own."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.holidays import (
    OwnHoliday,
    format_own,
    holiday_on,
    no_calendar,
    parse_own,
    parse_region,
)

CHRISTMAS_EVE = date(2026, 12, 24)


def bavarian(region: str, day: date) -> str | None:
    return "Heilige Drei Könige" if (region, day.month, day.day) == ("DE-BY", 1, 6) else None


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("12-24", "12-24"),
        ("2026-12-28,12-24", "2026-12-28, 12-24"),
        ("12-24; 12-31 12-24", "12-24, 12-31"),
        ("02-29, 2028-02-29", "02-29, 2028-02-29"),
    ],
)
def test_own_dates_are_kept_in_one_way(written: str, stored: str) -> None:
    assert format_own(parse_own(written)) == stored
    assert parse_own(stored) == parse_own(written)


@pytest.mark.parametrize(
    "text",
    ["", "24.12.", "13-01", "02-30", "2026-02-29", "12-24,,x", "1-1", ",".join(["01-01"] * 17)],
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_own(text)


@given(st.text(max_size=200))
def test_no_text_does_worse_than_to_be_refused(text: str) -> None:
    for read in (parse_own, parse_region):
        try:
            read(text)
        except ValueError:
            continue


@pytest.mark.feature_part("HOURS-03", "own dates, in one year or in all, beside a region's")
def test_why_nobody_works() -> None:
    own = parse_own("12-24, 2026-12-28")
    assert holiday_on(CHRISTMAS_EVE, "", own) == "an own holiday"
    assert holiday_on(date(2031, 12, 24), "", own) == "an own holiday"
    assert holiday_on(date(2026, 12, 28), "", own) == "an own holiday"
    assert holiday_on(date(2027, 12, 28), "", own) is None
    assert holiday_on(date(2027, 1, 6), "DE-BY", own, bavarian) == "Heilige Drei Könige"
    assert holiday_on(date(2027, 1, 6), "DE-BE", own, bavarian) is None
    assert holiday_on(date(2027, 1, 6), "", own, bavarian) is None
    assert holiday_on(CHRISTMAS_EVE, "DE", (), no_calendar) is None


def test_regions() -> None:
    assert parse_region("de-by") == "DE-BY"
    assert parse_region("AT") == "AT"
    assert str(OwnHoliday(1, 2)) == "01-02"
    for text in ("Bavaria", "D", "DE-", "DE-BAYERN", "DE_BY"):
        with pytest.raises(ValueError, match="region"):
            parse_region(text)
