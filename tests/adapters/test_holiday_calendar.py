"""Public holidays as the library knows them."""

from datetime import date

import pytest
from structlog.testing import capture_logs

from vm_ari.adapters.holiday_calendar import public_holiday


@pytest.mark.feature_part("HOURS-03", "by country and region from a maintained library")
@pytest.mark.parametrize(
    ("region", "day", "name"),
    [
        ("DE", date(2026, 4, 3), "Karfreitag"),
        ("DE-BY", date(2026, 1, 6), "Heilige Drei Könige"),
        ("DE-BE", date(2026, 1, 6), None),
        ("DE-BE", date(2031, 3, 8), "Frauentag"),
        ("AT", date(2026, 10, 26), "Nationalfeiertag"),
        ("FR", date(2026, 7, 14), "Fête nationale"),
        ("DE", date(2026, 4, 2), None),
    ],
)
def test_a_holiday_is_one_of_the_region(region: str, day: date, name: str | None) -> None:
    assert public_holiday(region, day) == name


def test_an_unknown_region_has_none_and_is_logged_once() -> None:
    with capture_logs() as lines:
        for _ in range(3):
            assert public_holiday("DE-QQ", date(2026, 4, 3)) is None
        assert public_holiday("QQ", date(2026, 4, 3)) is None
    assert [line["region"] for line in lines] == ["DE-QQ", "QQ"]
