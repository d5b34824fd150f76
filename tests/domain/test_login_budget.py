"""One PIN on many mailboxes: what one caller, and all together, may try."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.login_budget import UNKNOWN, Attempt, Budget, Pace, pace

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
BUDGET = Budget(per_caller=3, for_all=6, window=timedelta(minutes=15))


def failures(*callers: str, minutes_ago: float = 1) -> list[Attempt]:
    return [Attempt(NOW - timedelta(minutes=minutes_ago), caller) for caller in callers]


@pytest.mark.feature_part("LOGIN-03", "a budget for each caller")
def test_a_caller_with_too_many_failures_is_refused_and_nobody_else() -> None:
    many = failures("a", "a", "a")
    assert pace(many[:2], "a", NOW, BUDGET) is Pace.FREE
    assert pace(many, "a", NOW, BUDGET) is Pace.REFUSED
    assert pace(many, "b", NOW, BUDGET) is Pace.FREE


@pytest.mark.feature_part("LOGIN-03", "a budget for the whole system")
def test_too_many_failures_of_all_slow_everybody_down_and_lock_nobody_out() -> None:
    many = failures("a", "a", "b", "b", "c", "c")
    assert {pace(many, caller, NOW, BUDGET) for caller in ("a", "d")} == {Pace.SLOW}


def test_callers_who_withhold_their_numbers_slow_each_other_down_only() -> None:
    assert pace(failures(*[UNKNOWN] * 5), UNKNOWN, NOW, BUDGET) is Pace.SLOW


def test_failures_are_forgotten_in_time() -> None:
    old = failures("a", "a", "a", minutes_ago=15)
    assert pace(old, "a", NOW, BUDGET) is Pace.FREE
    assert pace([*old, *failures("a", "a", "a")], "a", NOW, BUDGET) is Pace.REFUSED


def test_budgets_can_be_switched_off() -> None:
    many = failures(*"aaaaaaaaaa")
    assert pace(many, "a", NOW, Budget(0, 0)) is Pace.FREE
    assert pace(many, "a", NOW, Budget(0, 6)) is Pace.SLOW


@given(st.lists(st.sampled_from(["a", "b", UNKNOWN]), max_size=12))
def test_more_failures_never_make_it_easier(callers: list[str]) -> None:
    order = [Pace.FREE, Pace.SLOW, Pace.REFUSED]
    paces = [
        order.index(pace(failures(*callers[:count]), "a", NOW, BUDGET))
        for count in range(len(callers) + 1)
    ]
    assert paces == sorted(paces)
