"""Office hours: what can be written, and what it is time for, also while clocks are changed."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.office_hours import (
    ALWAYS_OPEN,
    DAYS,
    MIDNIGHT,
    Day,
    OfficeHours,
    Phase,
    Span,
    format_hours,
    parse_hours,
    phase,
)

BERLIN = ZoneInfo("Europe/Berlin")
USUAL = parse_hours("mon-thu 09:00-17:00 12:00-13:00; fri 09:00-15:00")
NIGHT = parse_hours("mon-sun 22:00-06:00 02:00-02:30")
MONDAY = date(2026, 11, 23)


def at(text: str, hours: OfficeHours = USUAL, holidays: tuple[str, ...] = ()) -> Phase:
    """The phase at a weekday and time of an ordinary week."""
    day, time = text.split()
    clock = datetime.fromisoformat(f"{MONDAY + timedelta(days=DAYS.index(day))}T{time}")
    off = {MONDAY + timedelta(days=DAYS.index(name)) for name in holidays}
    return phase(hours, clock.replace(tzinfo=BERLIN), off.__contains__)


@st.composite
def spans(draw: st.DrawFn, first: int = 0, last: int = 2 * MIDNIGHT) -> Span:
    start = draw(st.integers(first, min(last, MIDNIGHT) - 1))
    return Span(start, draw(st.integers(start + 1, min(last, start + MIDNIGHT))))


@st.composite
def days(draw: st.DrawFn) -> Day:
    work = draw(spans())
    if work.end - work.start < 2 or draw(st.booleans()):
        return Day(work)
    begin = draw(st.integers(work.start, work.end - 1))
    return Day(work, Span(begin, draw(st.integers(begin + 1, work.end))))


weeks = st.lists(st.none() | days(), min_size=7, max_size=7).map(
    lambda week: OfficeHours(tuple(week))
)


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("mon-thu 09:00-17:00 12:00-13:00; fri 09:00-15:00",) * 2,
        ("Mon-Thu 9:00-17:00 ;FRI 9:00-15:00;", "mon-thu 09:00-17:00; fri 09:00-15:00"),
        ("fri 8:00-12:00; mon,tue,wed 8:00-12:00", "mon-wed,fri 08:00-12:00"),
        ("sat-mon 22:00-06:00 2:00-2:30", "mon,sat-sun 22:00-06:00 02:00-02:30"),
        ("wed 00:00-24:00", "wed 00:00-24:00"),
        ("wed 00:00-00:00", "wed 00:00-24:00"),
        ("wed 09:00-09:00", "wed 09:00-09:00"),
        ("mon-sun 12:00-24:00", "mon-sun 12:00-24:00"),
        ("Always", "always"),
    ],
)
def test_what_people_write_is_kept_in_one_way(written: str, stored: str) -> None:
    assert format_hours(parse_hours(written)) == stored
    assert parse_hours(stored) == parse_hours(written)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ";",
        "mon",
        "mon 9-17",
        "mon 09:00-17:00 12:00-13:00 15:00-15:30",
        "mon 09:00-17:00; mon 18:00-19:00",
        "mon-wed 09:00-17:00; tue 09:00-12:00",
        "mon 24:00-06:00",
        "mon 09:00-24:30",
        "mon 09:60-17:00",
        "mon 25:00-26:00",
        "mon 09:00-17:00 08:00-08:30",
        "mon 09:00-17:00 16:00-18:00",
        "mon, 09:00-17:00",
        "mon- 09:00-17:00",
        "funday 09:00-17:00",
        "٣mon 09:00-17:00",
        "mon 09:00-17:0٣",
        "mon\x0009:00-17:00",
    ],
)
def test_what_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_hours(text)


@given(weeks)
def test_every_week_can_be_written_and_read(hours: OfficeHours) -> None:
    assert parse_hours(format_hours(hours)) == hours


@given(st.text(max_size=200))
def test_no_text_does_worse_than_to_be_refused(text: str) -> None:
    try:
        hours = parse_hours(text)
    except ValueError:
        return
    assert parse_hours(format_hours(hours)) == hours


@pytest.mark.feature_part("HOURS-01", "per weekday on or off, from and to, a break")
@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("mon 08:59", Phase.OFF),
        ("mon 09:00", Phase.WORK),
        ("mon 11:59", Phase.WORK),
        ("mon 12:00", Phase.BREAK),
        ("mon 12:59", Phase.BREAK),
        ("mon 13:00", Phase.WORK),
        ("mon 16:59", Phase.WORK),
        ("mon 17:00", Phase.OFF),
        ("fri 12:30", Phase.WORK),
        ("fri 15:00", Phase.OFF),
        ("sat 12:30", Phase.OFF),
        ("sun 09:00", Phase.OFF),
    ],
)
def test_a_usual_week(moment: str, expected: Phase) -> None:
    assert at(moment) is expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("fri 21:59", Phase.OFF),
        ("fri 22:00", Phase.WORK),
        ("sat 00:00", Phase.WORK),
        ("sat 02:00", Phase.BREAK),
        ("sat 05:59", Phase.WORK),
        ("sat 06:00", Phase.OFF),
        ("mon 03:00", Phase.OFF),
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_begins(moment: str, expected: Phase) -> None:
    assert at(moment, parse_hours("fri 22:00-06:00 2:00-2:30")) is expected


@pytest.mark.feature_part("HOURS-03", "holidays are off-hours")
def test_a_holiday_cancels_what_begins_on_it() -> None:
    assert at("tue 10:00", holidays=("tue",)) is Phase.OFF
    assert at("tue 12:30", holidays=("tue",)) is Phase.OFF
    assert at("wed 10:00", holidays=("tue",)) is Phase.WORK
    assert at("tue 03:00", NIGHT, holidays=("tue",)) is Phase.WORK, "Monday's night goes on"
    assert at("wed 03:00", NIGHT, holidays=("tue",)) is Phase.OFF
    assert at("wed 22:00", NIGHT, holidays=("tue",)) is Phase.WORK


def test_without_hours_it_is_always_working_time() -> None:
    assert at("sun 03:00", ALWAYS_OPEN, holidays=("sun",)) is Phase.WORK
    assert not ALWAYS_OPEN
    assert USUAL


def test_who_works_at_all_of_two_overlapping_shifts_works() -> None:
    hours = parse_hours("mon 20:00-10:00 08:00-09:30; tue 09:00-17:00")
    assert at("tue 08:30", hours) is Phase.BREAK
    assert at("tue 09:15", hours) is Phase.WORK
    assert at("tue 09:45", hours) is Phase.WORK


# --- Weeks in which clocks are changed

CHANGES = {
    "Europe/Berlin": (date(2026, 3, 29), date(2026, 10, 25)),
    "Australia/Lord_Howe": (date(2026, 4, 5), date(2026, 10, 4)),
}
"""The second one changes by half an hour, and its summer is our winter."""
HOURS = (
    "mon-thu 09:00-17:00 12:00-13:00; fri 09:00-15:00",
    "mon-sun 22:00-06:00 02:00-02:30",
    "sat 20:00-02:20; sun 01:45-12:00 02:10-02:50",
    "sat 02:30-02:30; sun 02:15-03:05 02:20-02:40",
    "mon-sun 00:00-24:00 01:30-03:00",
    "sun 02:10-02:50 02:20-02:40",
    "sun 01:40-01:55 01:45-01:50",
)


def minutes_around(change: date, zone: ZoneInfo) -> Iterator[datetime]:
    """Every minute of nine days, as the clock on the wall shows it."""
    start = datetime.combine(change - timedelta(days=5), datetime.min.time(), UTC)
    for minute in range(9 * 24 * 60):
        yield (start + timedelta(minutes=minute)).astimezone(zone)


def covered(span: tuple[datetime, datetime], clocks: list[datetime]) -> range:
    """Positions from the first time that a clock shows the start, or more, until the last time
    that it shows less than the end."""
    begin = next((n for n, clock in enumerate(clocks) if clock >= span[0]), len(clocks))
    end = max((n for n, clock in enumerate(clocks) if clock < span[1]), default=-1) + 1
    return range(begin, end)


def painted(text: str, clocks: list[datetime]) -> list[Phase]:
    """The phases minute by minute: each period painted over a line of minutes."""
    line = [Phase.OFF] * len(clocks)
    first, last = clocks[0].date(), clocks[-1].date()
    for offset in range((last - first).days):
        day = first + timedelta(days=offset)
        for work, pause in periods(text, day):
            resting = covered(pause, clocks) if pause else range(0)
            for n in covered(work, clocks):
                if n not in resting:
                    line[n] = Phase.WORK
                elif line[n] is Phase.OFF:
                    line[n] = Phase.BREAK
    return line


def periods(
    text: str, day: date
) -> Iterator[tuple[tuple[datetime, datetime], tuple[datetime, datetime] | None]]:
    """The work and the break that begin on a day, as naive times; the texts above only."""
    for group in text.split("; "):
        names, *times = group.split()
        first, _, last = names.partition("-")
        if not DAYS.index(first) <= day.weekday() <= DAYS.index(last or first):
            continue
        spans: list[tuple[datetime, datetime]] = []
        for start, end in (time.split("-") for time in times):
            begin = at_time(day, start)
            if spans and begin < spans[0][0]:
                begin += timedelta(days=1)
            finish = at_time(begin.date(), end)
            spans.append((begin, finish if finish > begin else finish + timedelta(days=1)))
        yield spans[0], spans[1] if len(spans) > 1 else None


def at_time(day: date, text: str) -> datetime:
    hour, minute = map(int, text.split(":"))
    return datetime.combine(day, datetime.min.time()) + timedelta(hours=hour, minutes=minute)


@pytest.mark.feature_part("HOURS-01", "daylight-saving changes are right")
@pytest.mark.parametrize("text", HOURS)
@pytest.mark.parametrize(
    ("zone", "change"), [(zone, change) for zone, both in CHANGES.items() for change in both]
)
def test_a_week_with_a_clock_change_minute_by_minute(zone: str, change: date, text: str) -> None:
    moments = list(minutes_around(change, ZoneInfo(zone)))
    changed = [m for m in moments if m.utcoffset() != moments[0].utcoffset()]
    assert changed, "the clock is changed in that week"
    assert changed[0].date() == change
    clocks = [moment.replace(tzinfo=None, fold=0) for moment in moments]
    hours, line = parse_hours(text), painted(text, clocks)
    week = range(24 * 60, 8 * 24 * 60)  # the first and the last day are painted in part only
    wrong = [(moments[n], line[n]) for n in week if phase(hours, moments[n]) is not line[n]]
    assert not wrong, wrong[:3]
    assert {Phase.OFF, Phase.WORK} & {line[n] for n in week}
