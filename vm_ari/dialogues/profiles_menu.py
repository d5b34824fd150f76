"""Which profile is active, and why; another one is activated at once (GREET-01)."""

from datetime import date, datetime, timedelta
from typing import Literal

from vm_ari.dialogues.choosing import choose_profile, done, name_of
from vm_ari.dialogues.desk import Desk
from vm_ari.domain.active_profile import Turn, active_profile, profile_has_ended
from vm_ari.domain.profiles import ProfileName
from vm_ari.domain.typed_dates import coming_day
from vm_ari.domain.users import User
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Day, Sentence
from vm_ari.telephony.call import TRIES, Call, NoAnswer
from vm_ari.telephony.dtmf import Back, number_until_hash


async def profiles_menu(call: Call, desk: Desk, owner: User) -> User:
    """Say what is active, and activate what is chosen. The owner as he is then."""
    said = _what_is_active(desk, owner)
    profile = await choose_profile(call, desk, desk.rules.profiles, *said)
    if profile is Back.BACK:
        return owner
    last_day = None
    if profile is ProfileName.VACATION:
        last_day = await _last_day(call, desk, owner)
    if last_day is Back.BACK:
        return owner
    new = await done(call, desk.own_settings.activate(owner, profile, last_day))
    if new:
        end = _end(new, desk.local_time(new))
        await call.say(name_of(profile), P.PROFILE_ACTIVATED, *end)
    return new or owner


async def _last_day(call: Call, desk: Desk, owner: User) -> date | Literal[Back.BACK] | None:
    """Until when; None for no end. Raises `NoAnswer` after three days that do not exist."""
    for _ in range(TRIES):
        typed = await call.collect((P.ENTER_LAST_DAY,), number_until_hash(or_none=True))
        if typed is Back.BACK:
            return Back.BACK
        if not typed:
            return None
        if day := coming_day(typed, desk.local_time(owner).date()):
            return day
        await call.forget_keys()
        await call.say(P.NO_SUCH_DATE)
    raise NoAnswer


def _what_is_active(desk: Desk, owner: User) -> Sentence:
    now = desk.local_time(owner)
    active = active_profile(owner, desk.rules, now, calendar=desk.calendar)
    by_hours = active.turn is Turn.HOURS
    why = (P.BY_OFFICE_HOURS,) if by_hours else _end(owner, now)
    return (name_of(active.profile), P.PROFILE_IS_ACTIVE, *why)


def _end(owner: User, now: datetime) -> Sentence:
    """The last day of what was activated, if there is one to come."""
    if owner.profile_until is None or profile_has_ended(owner, now):
        return ()
    last = owner.profile_until - timedelta(minutes=1)  # a day ends at the midnight after it
    return (P.IT_ENDS, Day(last.date(), now.date()))
