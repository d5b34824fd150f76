"""French sentences: the clips a listener hears, written as the words on them."""

from datetime import date, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.adapters.prompt_texts import read_texts
from vm_ari.speech import french
from vm_ari.speech.catalogue import Noun, P
from vm_ari.speech.parts import Counted, Day, Digits, Duration, Moment, Number, Part

NOW = datetime(2026, 3, 11, 17, 0)  # un mercredi
WORDS = read_texts(Path(__file__).parents[2] / "sounds" / "fr")


def said(*sentence: Part) -> str:
    """The names of the clips, without the language, as one line."""
    return " ".join(clip.name.removeprefix("fr/") for clip in french.clips(sentence))


@pytest.mark.parametrize(
    ("number", "clips"),
    [
        (0, "digits/0"),
        (1, "digits/1"),
        (71, "digits/71"),
        (80, "digits/80"),
        (100, "digits/100"),
        (101, "digits/100 digits/1"),
        (280, "digits/200 digits/80"),
        (1001, "digits/1000 digits/1"),
        (2000, "digits/2000"),
        (10_000, "digits/10 digits/1000"),
        (21_000, "digits/21 digits/1000"),  # "mille" is masculine: "vingt et un mille"
        (80_000, "digits/80 digits/1000"),
        (101_001, "digits/100 digits/1 digits/1000 digits/1"),
        (999_999, "digits/900 digits/99 digits/1000 digits/900 digits/99"),
    ],
)
def test_numbers(number: int, clips: str) -> None:
    assert said(Number(number)) == clips


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (16, "seize"),
        (21, "vingt et un"),
        (22, "vingt-deux"),
        (70, "soixante-dix"),
        (71, "soixante et onze"),
        (77, "soixante-dix-sept"),
        (80, "quatre-vingts"),
        (81, "quatre-vingt-un"),
        (91, "quatre-vingt-onze"),
        (99, "quatre-vingt-dix-neuf"),
    ],
)
def test_the_words_of_a_number(number: int, words: str) -> None:
    assert WORDS[f"digits/{number}"].words == words


@pytest.mark.parametrize(
    ("count", "clips"),
    [
        (0, "heard-voice-message/none"),
        (1, "heard-voice-message/one"),
        (2, "digits/2 heard-voice-message/many"),
        (21, "digits/21 heard-voice-message/many"),  # un message: masculine
        (101, "digits/100 digits/1 heard-voice-message/many"),
    ],
)
def test_counting(count: int, clips: str) -> None:
    assert said(Counted(count, Noun.HEARD_VOICE_MESSAGE)) == clips


@pytest.mark.parametrize(
    ("seconds", "clips"),
    [
        (0, "digits/0 duration/seconds"),
        (1, "duration/one-second"),
        (21, "digits/21-feminine duration/seconds"),
        (11, "digits/11 duration/seconds"),
        (60, "duration/one-minute"),
        (71, "duration/one-minute and digits/11 duration/seconds"),
        (121, "digits/2 duration/minutes and duration/one-second"),
        (81 * 60, "digits/81-feminine duration/minutes"),
        (101 * 60, "digits/100 digits/1-feminine duration/minutes"),
        (111 * 60, "digits/100 digits/11 duration/minutes"),
    ],
)
def test_durations(seconds: int, clips: str) -> None:
    assert said(Duration(seconds)) == clips


@pytest.mark.parametrize(
    ("hour", "minute", "clips"),
    [
        (0, 0, "moment/at-0"),
        (0, 5, "moment/at-0 digits/5"),
        (1, 1, "moment/at-1 digits/1-feminine"),
        (14, 35, "moment/at-14 digits/35"),
        (21, 41, "moment/at-21 digits/41-feminine"),
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
        (datetime(2026, 3, 1), "moment/day-1 moment/march"),
        (datetime(2025, 11, 3), "moment/day-3 moment/november digits/2000 digits/25"),
        (datetime(1999, 5, 1), "moment/day-1 moment/may digits/1000 digits/900 digits/99"),
    ],
)
def test_days(when: datetime, day: str) -> None:
    assert said(Moment(when.replace(hour=14), NOW)) == f"{day} moment/at-14"
    assert said(Day(when.date(), NOW.date())) == day


def test_a_day_to_come_is_said_with_its_date() -> None:
    assert said(Day(date(2026, 3, 14), NOW.date())) == "moment/day-14 moment/march"


def test_signs_are_read_as_they_are() -> None:
    assert said(P.TO_GO_BACK, P.PRESS, Digits("*")) == "to-go-back press digits/star"


@given(first=st.integers(0, 999_999), second=st.integers(0, 999_999))
def test_different_numbers_never_sound_the_same(first: int, second: int) -> None:
    assert (said(Number(first)) == said(Number(second))) == (first == second)


@given(seconds=st.integers(0, 999_999))
def test_before_a_feminine_noun_nothing_is_masculine(seconds: int) -> None:
    clips = said(Duration(seconds)).split()
    masculine = {f"digits/{n}" for n in french.FEMININE}
    nouns = ("duration/minutes", "duration/seconds")
    assert not [noun for number, noun in pairwise(clips) if noun in nouns and number in masculine]
