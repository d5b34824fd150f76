"""English sentences: the clips a listener hears, written as the words on them."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.speech import english
from vm_ari.speech.catalogue import Noun, P
from vm_ari.speech.parts import Counted, Digits, Duration, Moment, Number, Part, Recorded

NOW = datetime(2026, 3, 11, 17, 0)  # a Wednesday


def said(*sentence: Part) -> str:
    """The names of the clips, without the language, as one line."""
    return " ".join(clip.name.removeprefix("en/") for clip in english.clips(sentence))


@pytest.mark.parametrize(
    ("number", "clips"),
    [
        (0, "digits/0"),
        (1, "digits/1"),
        (21, "digits/21"),
        (99, "digits/99"),
        (100, "digits/100"),
        (105, "digits/100 digits/5"),
        (342, "digits/300 digits/42"),
        (1000, "digits/1000"),
        (2001, "digits/2000 digits/1"),
        (9999, "digits/9000 digits/900 digits/99"),
        (10_000, "digits/10 digits/thousand"),
        (21_500, "digits/21 digits/thousand digits/500"),
        (100_000, "digits/100 digits/thousand"),
        (999_999, "digits/900 digits/99 digits/thousand digits/900 digits/99"),
    ],
)
def test_numbers(number: int, clips: str) -> None:
    assert said(Number(number)) == clips


@pytest.mark.parametrize("number", [-1, 1_000_000])
def test_a_number_nobody_can_say_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match=str(number)):
        english.clips((Number(number),))


def test_digits_and_keys_are_spoken_one_by_one() -> None:
    assert said(Digits("+1*0#")) == "digits/plus digits/1 digits/star digits/0 digits/pound"


@pytest.mark.parametrize("text", ["12a", "1 2", "٣", "²", "-"])
def test_what_is_on_no_telephone_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="as a key"):
        english.clips((Digits(text),))


@pytest.mark.parametrize(
    ("count", "clips"),
    [
        (0, "new-voice-message/none"),
        (1, "new-voice-message/one"),
        (2, "digits/2 new-voice-message/many"),
        (101, "digits/100 digits/1 new-voice-message/many"),
    ],
)
def test_counting(count: int, clips: str) -> None:
    assert said(Counted(count, Noun.NEW_VOICE_MESSAGE)) == clips


@pytest.mark.parametrize(
    ("seconds", "clips"),
    [
        (0, "digits/0 duration/seconds"),
        (1, "duration/one-second"),
        (45, "digits/45 duration/seconds"),
        (60, "duration/one-minute"),
        (61, "duration/one-minute and duration/one-second"),
        (65, "duration/one-minute and digits/5 duration/seconds"),
        (120, "digits/2 duration/minutes"),
        (3661, "digits/61 duration/minutes and duration/one-second"),
    ],
)
def test_durations(seconds: int, clips: str) -> None:
    assert said(Duration(seconds)) == clips


@pytest.mark.parametrize(
    ("hour", "minute", "clips"),
    [
        (0, 0, "moment/at-12 moment/am"),
        (0, 5, "moment/at-12 moment/oh-5 moment/am"),
        (9, 10, "moment/at-9 digits/10 moment/am"),
        (12, 0, "moment/at-12 moment/pm"),
        (14, 35, "moment/at-2 digits/35 moment/pm"),
        (23, 59, "moment/at-11 digits/59 moment/pm"),
    ],
)
def test_times_of_day(hour: int, minute: int, clips: str) -> None:
    when = NOW.replace(hour=hour, minute=minute)
    assert said(Moment(when, NOW)) == f"moment/today {clips}"


AT_TWO = "moment/at-2 moment/pm"


@pytest.mark.parametrize(
    ("when", "day"),
    [
        (datetime(2026, 3, 11), "moment/today"),
        (datetime(2026, 3, 10), "moment/yesterday"),
        (datetime(2026, 3, 9), "moment/on-monday"),
        (datetime(2026, 3, 5), "moment/on-thursday"),
        (datetime(2026, 3, 4), "moment/on-march moment/day-4"),
        (datetime(2026, 1, 31), "moment/on-january moment/day-31"),
        (datetime(2025, 11, 3), "moment/on-november moment/day-3 digits/20 digits/25"),
        (datetime(2026, 3, 12), "moment/on-march moment/day-12"),  # a clock that is ahead
        (datetime(2009, 5, 1), "moment/on-may moment/day-1 digits/2000 digits/9"),
        (datetime(2000, 5, 1), "moment/on-may moment/day-1 digits/2000"),
        (datetime(1999, 5, 1), "moment/on-may moment/day-1 digits/19 digits/99"),
        (datetime(1905, 5, 1), "moment/on-may moment/day-1 digits/19 moment/oh-5"),
        (datetime(1900, 5, 1), "moment/on-may moment/day-1 digits/19 digits/hundred"),
        (datetime(3000, 5, 1), "moment/on-may moment/day-1 digits/3000"),
        (datetime(990, 5, 1), "moment/on-may moment/day-1 digits/900 digits/90"),
    ],
)
def test_days(when: datetime, day: str) -> None:
    assert said(Moment(when.replace(hour=14), NOW)) == f"{day} {AT_TWO}"


def test_just_after_midnight_the_evening_before_is_yesterday() -> None:
    now = datetime(2026, 1, 1, 0, 1)
    assert said(Moment(now - timedelta(minutes=2), now)).startswith("moment/yesterday")


def test_a_whole_sentence() -> None:
    heard = said(P.YOU_HAVE, Counted(2, Noun.NEW_VOICE_MESSAGE), P.AND, Number(7), P.BEEP)
    assert heard == "you-have digits/2 new-voice-message/many and digits/7 tones/beep"


def test_keys_after_press_are_read_as_they_are() -> None:
    assert said(P.TO_GO_BACK, P.PRESS, Digits("*")) == "to-go-back press digits/star"


def test_a_recording_is_played_from_where_it_lies() -> None:
    (clip,) = english.clips((Recorded("/var/spool/vm/greeting"),))
    assert (clip.name, clip.absolute) == ("/var/spool/vm/greeting", True)


MOMENTS = st.datetimes(min_value=datetime(1900, 1, 1))


@given(when=MOMENTS, now=MOMENTS)
def test_every_moment_ends_with_the_half_of_the_day(when: datetime, now: datetime) -> None:
    half = "moment/am" if when.hour < 12 else "moment/pm"
    assert said(Moment(when, now)).endswith(half)


@given(first=st.integers(0, 999_999), second=st.integers(0, 999_999))
def test_different_numbers_never_sound_the_same(first: int, second: int) -> None:
    assert (said(Number(first)) == said(Number(second))) == (first == second)
