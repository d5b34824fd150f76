"""A call that offers somebody his new messages: when it may be made, and what came of it.

Which user and telephone it is for travels as arguments of the ARI application, which Asterisk
splits at commas.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from vm_ari.domain.callers import Caller, printable
from vm_ari.domain.dialling import Allowed, DiallingRules, Kind
from vm_ari.domain.holidays import Calendar, holiday_on, no_calendar
from vm_ari.domain.messages import Counts
from vm_ari.domain.notice_forms import COMMON
from vm_ari.domain.notifications import Topic, new_by_topic
from vm_ari.domain.numbers import Site, extension_of, normalise
from vm_ari.domain.office_hours import OfficeHours, Phase, phase
from vm_ari.domain.users import User

PURPOSE = "notice"
LONGEST = 1000
"""Characters of an argument: more is no id."""
DAYS_AHEAD = 8


class BadNoticeCall(ValueError):
    """The arguments do not tell whom the call is for."""


@dataclass(frozen=True)
class NoticeCall:
    """Who is called, and where."""

    owner: str
    """User id."""
    phone: str
    """The number that is called, E.164 or an extension."""


class Report(StrEnum):
    """What came of it, for who has made the call."""

    HEARD = "heard"
    """The user is in the menu of messages."""
    LATER = "later"
    NOT_TODAY = "not today"
    CLOSED = "closed"
    """The user may not hear messages there."""
    NO_PIN = "no PIN"
    NOTHING_NEW = "nothing new"
    UNAVAILABLE = "unavailable"
    """The message store."""


@dataclass(frozen=True)
class NoticeCallRules:
    """What the site has decided about such calls."""

    dialling: DiallingRules = field(default_factory=DiallingRules)
    tries: int = 3
    interval: timedelta = timedelta(minutes=10)
    hours: OfficeHours = field(default_factory=OfficeHours)
    """In the user's time."""
    within_office_hours: bool = False
    """Only then; users without office hours are called at *hours*."""
    name: str = ""
    """On the display, beside the number."""
    common: str = ""
    """Number that everybody calls to log in, for users who want that one to be shown."""
    at_once: int = 2


def arguments_for(wanted: NoticeCall) -> str:
    """The arguments of such a call; the texts may be anything."""
    coded = (urlsafe_b64encode(text.encode()).decode() for text in (wanted.owner, wanted.phone))
    return ",".join((PURPOSE, *coded))


def wanted_in(arguments: Sequence[str]) -> NoticeCall:
    """Whom it is for. Raises `BadNoticeCall`."""
    try:
        purpose, owner, phone = arguments
        if purpose != PURPOSE or max(len(owner), len(phone)) > LONGEST:
            raise BadNoticeCall(f"not a notice call but {purpose[:40]!r}")
        texts = (urlsafe_b64decode(text.encode("ascii")).decode() for text in (owner, phone))
        return NoticeCall(*texts)
    except ValueError as error:
        raise BadNoticeCall(f"these arguments name nobody: {error}") from None


def may_ring(
    user: User, now: datetime, rules: NoticeCallRules, calendar: Calendar = no_calendar
) -> bool:
    """Is this a time for calls? *now* has the user's time zone."""
    if not (rules.within_office_hours and user.office_hours):
        return phase(rules.hours, now) is Phase.WORK

    def day_off(day: date) -> bool:
        return bool(holiday_on(day, user.holiday_region, user.holidays, calendar))

    return phase(user.office_hours, now, day_off) is Phase.WORK


def next_time(
    user: User, now: datetime, rules: NoticeCallRules, calendar: Calendar = no_calendar
) -> datetime:
    """When calls may be made again, in UTC; a day later where that is not within a week."""
    hours = user.office_hours if rules.within_office_hours and user.office_hours else rules.hours
    for moment in sorted(_beginnings(hours, now)):
        if moment > now and may_ring(user, moment, rules, calendar):
            return moment.astimezone(UTC)
    return (now + timedelta(days=1)).astimezone(UTC)


def shown(user: User, destination: Allowed, rules: NoticeCallRules, site: Site) -> Caller:
    """For the display of who is called; in the house the extension (NOTIFY-05)."""
    own = next(iter(user.numbers), user.mailbox)
    number = rules.common if user.notice_caller == COMMON else user.notice_caller
    clean = normalise(number or own, site) or ""
    inside = destination.kind is Kind.INTERNAL
    return Caller((inside and extension_of(clean, site)) or clean, printable(rules.name))


def still_new(topics: Sequence[Topic], counts: Counts) -> bool:
    """Is there anything left of what the call was to tell?"""
    now = new_by_topic(counts)
    return any(now[topic] for topic in topics)


def _beginnings(hours: OfficeHours, now: datetime) -> Iterator[datetime]:
    """Moments at which working time begins, or goes on after a break."""
    for ahead in range(-1, DAYS_AHEAD):
        day = now.date() + timedelta(days=ahead)
        if today := hours.week[day.weekday()]:
            midnight = datetime.combine(day, time(), now.tzinfo)
            yield midnight + timedelta(minutes=today.work.start)
            if today.pause:
                yield midnight + timedelta(minutes=today.pause.end)
