"""Which profile answers a call (GREET-01, GREET-02, HOURS-02), and when it ends (GREET-10)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from vm_ari.domain.holidays import Calendar, holiday_on, no_calendar
from vm_ari.domain.office_hours import Phase, phase
from vm_ari.domain.preferences import (
    BREAK_PROFILE,
    OFF_HOURS_PROFILE,
    OFFICE_HOURS,
    PROFILE,
    PROFILE_AFTER,
)
from vm_ari.domain.profiles import CHOOSABLE, ProfileName
from vm_ari.domain.settings import Rules
from vm_ari.domain.users import User

Whose = Callable[[str], str]
"""Who decided a setting, by its key: such as `` (the user's setting)``; empty: nobody asks."""


class Turn(Enum):
    """What can give a profile its turn, in precedence (GREET-08)."""

    INTERNAL = "internal caller"
    VACATION = "vacation"
    HOURS = "office hours"
    CHOSEN = "active profile"


@dataclass(frozen=True)
class Candidate:
    """One of the turns, judged."""

    turn: Turn
    profile: ProfileName | None
    """None: it is not its turn."""
    reason: str


@dataclass(frozen=True)
class Active:
    """The profile that answers."""

    profile: ProfileName
    turn: Turn
    reason: str


@dataclass(frozen=True)
class HoursNow:
    """Office hours at a moment."""

    phase: Phase
    reason: str


def nobody_asks(_key: str) -> str:
    """Leaves out who decided."""
    return ""


def active_profile(
    user: User,
    rules: Rules,
    now: datetime,
    *,
    internal_call: bool = False,
    calendar: Calendar = no_calendar,
    whose: Whose = nobody_asks,
) -> Active:
    """The first of the `candidates` whose turn it is; *now* has the user's time zone."""
    judged = candidates(
        user, rules, now, internal_call=internal_call, calendar=calendar, whose=whose
    )
    return next(
        Active(one.profile, one.turn, one.reason) for one in judged if one.profile is not None
    )


def candidates(
    user: User,
    rules: Rules,
    now: datetime,
    *,
    internal_call: bool = False,
    calendar: Calendar = no_calendar,
    whose: Whose = nobody_asks,
) -> tuple[Candidate, ...]:
    """Every turn in precedence; the last one always has a profile.

    Those after the first tell what plays where the first profile has no greeting of its own.
    """
    chosen = chosen_profile(user, rules, now, whose=whose)
    on_vacation = chosen.profile is ProfileName.VACATION
    return (
        _internal(rules, internal_call=internal_call),
        _vacation(chosen),
        _hours(user, rules, now, calendar, whose, on_vacation=on_vacation),
        chosen,
    )


def chosen_profile(
    user: User, rules: Rules, now: datetime, *, whose: Whose = nobody_asks
) -> Candidate:
    """The profile that the user has activated, as far as it still counts."""
    profile, why = user.profile, f"{user.profile.value} was activated{whose(PROFILE.key)}"
    if profile_has_ended(user, now):
        profile = user.profile_after
        why += (
            f"; until {user.profile_until:%Y-%m-%d %H:%M},"
            f" then {profile.value}{whose(PROFILE_AFTER.key)}"
        )
    if not rules.offers(profile):
        instead = _standard(rules)
        why += f"; the site does not offer {profile.value}, so it is {instead.value}"
        profile = instead
    return Candidate(Turn.CHOSEN, profile, f"{_sentence(why)}.")


def profile_has_ended(user: User, now: datetime) -> bool:
    """Is the end date of the activated profile over at *now*, in the user's zone?"""
    return user.profile_until is not None and now.replace(tzinfo=None) >= user.profile_until


def hours_now(
    user: User, now: datetime, calendar: Calendar = no_calendar, whose: Whose = nobody_asks
) -> HoursNow:
    """What the user's office hours and holidays say; *now* has the user's time zone."""
    if not user.office_hours:
        return HoursNow(Phase.WORK, f"There are no office hours{whose(OFFICE_HOURS.key)}.")

    found = phase(
        user.office_hours,
        now,
        lambda day: bool(holiday_on(day, user.holiday_region, user.holidays, calendar)),
    )
    today = holiday_on(now.date(), user.holiday_region, user.holidays, calendar)
    if today and found is Phase.OFF:
        return HoursNow(found, f"It is a holiday: {today}.")
    return HoursNow(found, f"It is {found.value}{whose(OFFICE_HOURS.key)}.")


def _internal(rules: Rules, *, internal_call: bool) -> Candidate:
    if not internal_call:
        return Candidate(Turn.INTERNAL, None, "The caller is not internal.")
    if not rules.internal_profile:
        return Candidate(Turn.INTERNAL, None, "The site has no profile for internal callers.")
    return Candidate(Turn.INTERNAL, ProfileName.INTERNAL, "The caller is internal.")


def _vacation(chosen: Candidate) -> Candidate:
    if chosen.profile is not ProfileName.VACATION:
        return Candidate(Turn.VACATION, None, "Vacation is not active.")
    return Candidate(Turn.VACATION, ProfileName.VACATION, chosen.reason)


def _hours(
    user: User,
    rules: Rules,
    now: datetime,
    calendar: Calendar,
    whose: Whose,
    *,
    on_vacation: bool,
) -> Candidate:
    if on_vacation:
        return Candidate(Turn.HOURS, None, "Office hours do not count on vacation.")
    hours = hours_now(user, now, calendar, whose)
    match hours.phase:
        case Phase.WORK:
            return Candidate(Turn.HOURS, None, hours.reason)
        case Phase.OFF:
            profile, key = user.off_hours_profile, OFF_HOURS_PROFILE.key
        case Phase.BREAK:
            profile, key = user.break_profile, BREAK_PROFILE.key
    if profile is None:
        return Candidate(Turn.HOURS, None, f"{hours.reason} No profile is set for that.")
    if not rules.offers(profile):
        reason = f"{hours.reason} The site does not offer {profile.value}{whose(key)}."
        return Candidate(Turn.HOURS, None, reason)
    return Candidate(
        Turn.HOURS, profile, f"{hours.reason} Then {profile.value} is used{whose(key)}."
    )


def _standard(rules: Rules) -> ProfileName:
    """What counts where the user's choice does not: Work, or the first that is offered."""
    offered = [profile for profile in CHOOSABLE if rules.offers(profile)]
    return offered[0] if offered else ProfileName.WORK


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
