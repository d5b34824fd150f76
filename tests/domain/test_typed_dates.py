"""A day that is typed on a telephone."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.typed_dates import coming_day

TODAY = date(2026, 3, 4)


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("2412", date(2026, 12, 24)),
        ("0403", TODAY),
        ("0303", date(2027, 3, 3)),
        ("3112", date(2026, 12, 31)),
        ("0101", date(2027, 1, 1)),
        *(
            (text, None)
            for text in ("3102", "2902", "0000", "1313", "", "1", "24122", "24*2", "²⁴12")
        ),
    ],
)
def test_a_day_is_the_next_one_of_that_date(typed: str, day: date | None) -> None:
    assert coming_day(typed, TODAY) == day


def test_the_29th_of_february_must_come_soon() -> None:
    assert coming_day("2902", date(2027, 3, 1)) == date(2028, 2, 29)
    assert coming_day("2902", date(2028, 3, 1)) is None


@given(st.dates(date(2000, 1, 1), date(2900, 1, 1)), st.dates(date(2000, 1, 1), date(2900, 1, 1)))
def test_every_day_but_leap_days_is_found_within_a_year(today: date, wanted: date) -> None:
    found = coming_day(f"{wanted:%d%m}", today)
    if found is None:
        assert (wanted.month, wanted.day) == (2, 29)
    else:
        assert 0 <= (found - today).days <= 366
        assert (found.month, found.day) == (wanted.month, wanted.day)


@given(st.text(max_size=6), st.dates(date(2000, 1, 1), date(2900, 1, 1)))
def test_no_text_is_an_error(typed: str, today: date) -> None:
    day = coming_day(typed, today)
    assert day is None or f"{day:%d%m}" == typed
