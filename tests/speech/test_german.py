"""German sentences: the clips a listener hears, written as the words on them."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.speech import german
from vm_ari.speech.catalogue import Noun, P
from vm_ari.speech.parts import Counted, Digits, Duration, Moment, Number, Part

NOW = datetime(2026, 3, 11, 17, 0)  # ein Mittwoch


def said(*sentence: Part) -> str:
    """The names of the clips, without the language, as one line."""
    return " ".join(clip.name.removeprefix("de/") for clip in german.clips(sentence))


@pytest.mark.parametrize(
    ("number", "clips"),
    [
        (0, "digits/0"),
        (1, "digits/1"),
        (21, "digits/21"),
        (100, "digits/100"),
        (101, "digits/100 digits/1"),
        (105, "digits/100 digits/5"),
        (1001, "digits/1000 digits/1"),
        (2000, "digits/2000"),
        (10_000, "digits/10 digits/thousand"),
        (21_000, "digits/21 digits/thousand"),
        (101_000, "digits/100 digits/ein digits/thousand"),
        (101_001, "digits/100 digits/ein digits/thousand digits/1"),
        (999_999, "digits/900 digits/99 digits/thousand digits/900 digits/99"),
    ],
)
def test_numbers(number: int, clips: str) -> None:
    assert said(Number(number)) == clips


@pytest.mark.parametrize(
    ("count", "clips"),
    [
        (0, "heard-voice-message/none"),
        (1, "heard-voice-message/one"),
        (2, "digits/2 heard-voice-message/many"),
        (21, "digits/21 heard-voice-message/many"),
        (101, "digits/100 digits/ein heard-voice-message/many"),
    ],
)
def test_counting(count: int, clips: str) -> None:
    assert said(Counted(count, Noun.HEARD_VOICE_MESSAGE)) == clips


@pytest.mark.parametrize(
    ("seconds", "clips"),
    [
        (0, "digits/0 duration/seconds"),
        (1, "duration/one-second"),
        (60, "duration/one-minute"),
        (65, "duration/one-minute and digits/5 duration/seconds"),
        (121, "digits/2 duration/minutes and duration/one-second"),
        (6060, "digits/100 digits/ein duration/minutes"),
    ],
)
def test_durations(seconds: int, clips: str) -> None:
    assert said(Duration(seconds)) == clips


@pytest.mark.parametrize(
    ("hour", "minute", "clips"),
    [
        (0, 0, "moment/at-0"),
        (0, 5, "moment/at-0 digits/5"),
        (1, 1, "moment/at-1 digits/1"),
        (14, 35, "moment/at-14 digits/35"),
        (23, 0, "moment/at-23"),
    ],
)
def test_times_of_day(hour: int, minute: int, clips: str) -> None:
    when = NOW.replace(hour=hour, minute=minute)
    assert said(Moment(when, NOW)) == f"moment/today {clips}"


@pytest.mark.parametrize(
    ("when", "day"),
    [
        (datetime(2026, 3, 11), "moment/today"),
        (datetime(2026, 3, 10), "moment/yesterday"),
        (datetime(2026, 3, 9), "moment/on-monday"),
        (datetime(2026, 3, 5), "moment/on-thursday"),
        (datetime(2026, 3, 4), "moment/day-4 moment/march"),
        (datetime(2025, 11, 3), "moment/day-3 moment/november digits/2000 digits/25"),
        (datetime(2009, 5, 1), "moment/day-1 moment/may digits/2000 digits/9"),
        (datetime(2000, 5, 1), "moment/day-1 moment/may digits/2000"),
        (datetime(1999, 5, 1), "moment/day-1 moment/may digits/19 digits/hundred digits/99"),
        (datetime(1900, 5, 1), "moment/day-1 moment/may digits/19 digits/hundred"),
        (datetime(1066, 5, 1), "moment/day-1 moment/may digits/1000 digits/66"),
        (datetime(2100, 5, 1), "moment/day-1 moment/may digits/2000 digits/100"),
    ],
)
def test_days(when: datetime, day: str) -> None:
    assert said(Moment(when.replace(hour=14), NOW)) == f"{day} moment/at-14"


@pytest.mark.parametrize(
    ("keys", "clips"),
    [("*", "digits/star-key"), ("#", "digits/pound-key"), ("1", "digits/1")],
)
def test_a_key_to_press_is_called_by_its_name(keys: str, clips: str) -> None:
    assert said(P.TO_GO_BACK, P.PRESS, Digits(keys)) == f"to-go-back press {clips}"


def test_elsewhere_signs_are_read_as_they_are() -> None:
    assert said(Digits("*#")) == "digits/star digits/pound"
    assert said(P.FROM, Digits("*")) == "from digits/star"
    assert said(P.PRESS, Digits("*1")) == "press digits/star digits/1"


@given(first=st.integers(0, 999_999), second=st.integers(0, 999_999))
def test_different_numbers_never_sound_the_same(first: int, second: int) -> None:
    assert (said(Number(first)) == said(Number(second))) == (first == second)


@given(count=st.integers(2, 999_999))
def test_before_a_noun_one_is_never_eins_unless_alone(count: int) -> None:
    assert "digits/1 " not in said(Counted(count, Noun.NEW_VOICE_MESSAGE))
