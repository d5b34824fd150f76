"""Which profile answers: internal callers, vacation, office hours, and what was activated."""

from dataclasses import replace
from datetime import date, datetime

import pytest

from tests.domain.calls import ANNA, HOURS, PAUSING, RESTING, RULES, WORKING, ZONE
from vm_ari.domain.active_profile import (
    Active,
    Turn,
    active_profile,
    candidates,
    chosen_profile,
    profile_has_ended,
)
from vm_ari.domain.holidays import parse_own
from vm_ari.domain.profiles import CHOOSABLE, ProfileName

P = ProfileName
BUSY = replace(ANNA, office_hours=HOURS, off_hours_profile=P.HOME, break_profile=P.MOBILE)
AWAY = replace(BUSY, profile=P.VACATION)


def active(
    user: object = BUSY, now: datetime = WORKING, *, internal: bool = False, rules: object = RULES
) -> tuple[ProfileName, Turn]:
    found: Active = active_profile(user, rules, now, internal_call=internal)  # type: ignore[arg-type]
    assert found.reason
    return found.profile, found.turn


@pytest.mark.feature_part("GREET-02", "the internal profile wins over office hours and vacation")
def test_internal_callers_come_first_unless_the_site_says_no() -> None:
    off = replace(RULES, internal_profile=False)
    for user, now in ((BUSY, RESTING), (BUSY, PAUSING), (AWAY, WORKING), (ANNA, WORKING)):
        assert active(user, now, internal=True) == (P.INTERNAL, Turn.INTERNAL)
        assert active(user, now, internal=True, rules=off) == active(user, now)
        assert active(user, now)[0] is not P.INTERNAL


@pytest.mark.feature_part("HOURS-02", "profiles outside hours and in breaks, not on vacation")
def test_office_hours_switch_unless_vacation_is_active() -> None:
    assert active(BUSY, WORKING) == (P.WORK, Turn.CHOSEN)
    assert active(BUSY, PAUSING) == (P.MOBILE, Turn.HOURS)
    assert active(BUSY, RESTING) == (P.HOME, Turn.HOURS)
    for now in (WORKING, PAUSING, RESTING):
        assert active(AWAY, now) == (P.VACATION, Turn.VACATION)
    nothing = replace(BUSY, off_hours_profile=None, break_profile=None)
    for now in (WORKING, PAUSING, RESTING):
        assert active(nothing, now) == (P.WORK, Turn.CHOSEN)


def test_without_office_hours_what_was_activated_counts_day_and_night() -> None:
    for profile in CHOOSABLE:
        for now in (WORKING, RESTING):
            assert active(replace(ANNA, profile=profile), now)[0] is profile


@pytest.mark.feature_part("HOURS-03", "on a holiday the off-hours profile answers")
def test_a_holiday_is_outside_office_hours() -> None:
    def calendar(region: str, day: date) -> str | None:
        return "Bettag" if (region, day) == ("DE-SN", WORKING.date()) else None

    saxon = replace(BUSY, holiday_region="DE-SN")
    found = active_profile(saxon, RULES, WORKING, calendar=calendar)
    assert (found.profile, found.turn) == (P.HOME, Turn.HOURS)
    assert "It is a holiday: Bettag." in found.reason
    assert active_profile(BUSY, RULES, WORKING, calendar=calendar).profile is P.WORK
    own = replace(BUSY, holidays=parse_own("11-24"))
    assert "an own holiday" in active_profile(own, RULES, WORKING).reason


@pytest.mark.feature_part("GREET-10", "vacation ends by itself, in the user's time")
def test_a_profile_ends_and_another_one_follows() -> None:
    until = datetime(2026, 11, 25)
    user = replace(ANNA, profile=P.VACATION, profile_until=until, profile_after=P.CUSTOM_2)
    before = datetime(2026, 11, 24, 23, 59, tzinfo=ZONE)
    after = datetime(2026, 11, 25, 0, 0, tzinfo=ZONE)
    assert (active(user, before)[0], active(user, after)[0]) == (P.VACATION, P.CUSTOM_2)
    assert not profile_has_ended(user, before)
    assert profile_has_ended(user, after)
    assert not profile_has_ended(ANNA, after)
    reason = chosen_profile(user, RULES, after).reason
    assert reason == "Vacation was activated; until 2026-11-25 00:00, then custom-2."
    again = replace(user, office_hours=HOURS, off_hours_profile=P.HOME)
    assert active(again, after)[0] is P.HOME, "office hours count again"


@pytest.mark.feature_part("GREET-01", "a profile that the site does not offer is not active")
def test_what_the_site_does_not_offer_counts_as_not_chosen() -> None:
    few = replace(RULES, profiles=(P.WORK, P.MOBILE))
    assert active(AWAY, WORKING, rules=few) == (P.WORK, Turn.CHOSEN)
    assert active(AWAY, PAUSING, rules=few) == (P.MOBILE, Turn.HOURS)
    assert active(BUSY, RESTING, rules=few) == (P.WORK, Turn.CHOSEN)
    judged = candidates(BUSY, few, RESTING)
    assert any("The site does not offer home" in one.reason for one in judged)
    odd = replace(RULES, profiles=(P.CUSTOM_2, P.HOME))
    assert active(ANNA, WORKING, rules=odd) == (P.HOME, Turn.CHOSEN)
    assert active(ANNA, WORKING, rules=replace(RULES, profiles=())) == (P.WORK, Turn.CHOSEN)


def test_every_turn_is_judged_with_a_reason_and_whose_decision_it_is() -> None:
    judged = candidates(
        replace(BUSY, profile=P.CUSTOM_1), RULES, RESTING, whose=lambda key: f" ({key})"
    )
    assert [one.turn for one in judged] == list(Turn)
    assert [one.profile for one in judged] == [None, None, P.HOME, P.CUSTOM_1]
    assert [one.reason for one in judged] == [
        "The caller is not internal.",
        "Vacation is not active.",
        "It is off-hours (office_hours). Then home is used (off_hours_profile).",
        "Custom-1 was activated (profile).",
    ]
