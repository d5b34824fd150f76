"""What holds in every language, also in one that somebody adds."""

from datetime import datetime
from typing import assert_type
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.speech import english, french, german
from vm_ari.speech.catalogue import Noun, P
from vm_ari.speech.language import Language, UnknownLanguage, language, languages
from vm_ari.speech.parts import Counted, Day, Digits, Duration, InLanguage, Moment, Number, Part

PARTS: st.SearchStrategy[Part] = st.one_of(
    st.sampled_from(P),
    st.builds(Number, st.integers(0, 999_999)),
    st.builds(Digits, st.text("0123456789*#+", max_size=20)),
    st.builds(Counted, st.integers(0, 999_999), st.sampled_from(Noun)),
    st.builds(Moment, st.datetimes(), st.datetimes()),
    st.builds(Day, st.dates(), st.dates()),
    st.builds(Duration, st.integers(0, 999_999)),
)
SHIPPED = ("de", "en", "fr")
SENTENCES = st.lists(PARTS, max_size=8).map(tuple)


def test_the_modules_are_languages_for_the_type_checker_too() -> None:
    modules: tuple[Language, Language, Language] = (english, french, german)
    assert_type(modules, tuple[Language, Language, Language])
    assert (language("en"), language("fr"), language("de")) == modules


def test_languages_are_found_by_looking() -> None:
    assert languages() == SHIPPED


def test_an_unknown_language_is_named_with_those_there_are() -> None:
    with pytest.raises(UnknownLanguage, match=r"'tlh'.*de, en, fr"):
        language("tlh")


@pytest.mark.parametrize("code", languages())
@given(sentence=SENTENCES)
def test_a_language_only_says_clips_of_its_vocabulary(
    code: str, sentence: tuple[Part, ...]
) -> None:
    clips = language(code).clips(sentence)
    assert {clip.name for clip in clips} <= language(code).vocabulary()
    assert not any(clip.absolute for clip in clips)


@pytest.mark.parametrize("code", languages())
@given(first=SENTENCES, second=st.sampled_from(P))
def test_a_fixed_prompt_is_one_clip_wherever_it_stands(
    code: str, first: tuple[Part, ...], second: P
) -> None:
    one = language(code)
    assert one.clips((*first, second)) == one.clips(first) + one.clips((second,))


@pytest.mark.parametrize("code", languages())
def test_tones_are_the_same_in_every_language(code: str) -> None:
    (clip,) = language(code).clips((P.BEEP,))
    assert clip.name == "tones/beep"


@pytest.mark.parametrize("code", languages())
def test_a_choice_of_languages_is_offered_in_each_of_them(code: str) -> None:
    menu = tuple(
        InLanguage(other, (P.LANGUAGE_CHOICE, P.PRESS, Digits(str(key))))
        for key, other in enumerate(SHIPPED, 1)
    )
    said = [clip.name for clip in language(code).clips(menu)]
    assert said == [
        f"{other}/{name}"
        for key, other in enumerate(SHIPPED, 1)
        for name in ("language-choice", "press", f"digits/{key}")
    ]


def test_a_language_that_nobody_speaks_is_named() -> None:
    with pytest.raises(UnknownLanguage, match="tlh"):
        english.clips((InLanguage("tlh", (P.GOODBYE,)),))


BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("code", languages())
@pytest.mark.parametrize(
    ("when", "now", "day"),
    [
        # less than a day apart, and yet the day before
        (datetime(2026, 3, 28, 23, 50), datetime(2026, 3, 29, 0, 10), "yesterday"),
        (datetime(2026, 3, 29, 0, 10), datetime(2026, 3, 30, 0, 5), "yesterday"),
        # 24 h 40 min apart, and yet the same day
        (datetime(2026, 10, 25, 0, 10), datetime(2026, 10, 25, 23, 50), "today"),
    ],
)
def test_days_are_calendar_days_when_the_clocks_change(
    code: str, when: datetime, now: datetime, day: str
) -> None:
    moment = Moment(when.replace(tzinfo=BERLIN), now.replace(tzinfo=BERLIN))
    first, *_ = language(code).clips((moment,))
    assert first.name == f"{code}/moment/{day}"
