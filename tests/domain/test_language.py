"""The language of a greeting: whose decision it is, and what there is to choose from."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.callers import Caller
from vm_ari.domain.language import (
    COUNTRY_LANGUAGES,
    LanguageChoice,
    LanguageMode,
    Speakers,
    choose_language,
    language_of_number,
)

BOTH = Speakers(("de", "en"))
FRENCH = Caller("+33142681234")
codes = st.sampled_from(["de", "en", "fr", "it", "xx"])


def chosen(
    mode: LanguageMode,
    number: str = "",
    speakers: Speakers = BOTH,
    **more: Any,
) -> LanguageChoice:
    return choose_language("de", mode, Caller(number), speakers, **more)


@pytest.mark.parametrize(
    ("number", "language"),
    [
        ("+4930555101", "de"),
        ("+436641234567", "de"),
        ("+41446681800", "de"),
        ("+41223456789", "fr"),
        ("+41916789012", "it"),
        ("+12125550100", "en"),
        ("+15145550100", "fr"),
        ("+32475123456", "fr"),
        ("+3234567890", "nl"),
        ("+33142681234", "fr"),
        ("+79161234567", "ru"),
        ("+2348031234567", None),
        ("101", None),
        ("", None),
        ("+", None),
    ],
)
def test_the_longest_prefix_in_the_table_counts(number: str, language: str | None) -> None:
    assert language_of_number(number) == language


@pytest.mark.feature_part("LANG-02", "fixed, by the caller's country, or by a menu")
@pytest.mark.parametrize(
    ("mode", "number", "spoken", "language", "reason"),
    [
        (LanguageMode.FIXED, "+33142681234", ("de", "fr"), "de", "the mailbox's language"),
        (LanguageMode.CALLER, "+33142681234", ("de", "fr"), "fr", "the caller's country"),
        (LanguageMode.CALLER, "+33142681234", ("de", "en"), "de", "nobody speaks fr"),
        (LanguageMode.CALLER, "+2348031234567", ("de", "en"), "de", "not in the table"),
        (LanguageMode.CALLER, "", ("de", "en"), "de", "not known"),
        (LanguageMode.CALLER, "101", ("de", "en"), "de", "not known"),
        (LanguageMode.MENU, "+33142681234", ("de", "en"), "de", "the caller is asked"),
        (LanguageMode.MENU, "+33142681234", ("de",), "de", "nothing to choose from"),
    ],
)
def test_who_decides(
    mode: LanguageMode, number: str, spoken: tuple[str, ...], language: str, reason: str
) -> None:
    found = chosen(mode, number, Speakers(spoken))
    assert found.language == language
    assert reason in found.reason
    assert bool(found.menu) is (mode is LanguageMode.MENU and len(spoken) > 1)


def test_the_menu_offers_what_exists() -> None:
    assert chosen(LanguageMode.MENU).menu == ("de", "en")
    recorded = Speakers(("de", "en"), ("fr", "en"))
    found = chosen(LanguageMode.MENU, speakers=recorded)
    assert (found.menu, found.language) == (("en", "fr"), "en")


def test_what_the_caller_has_chosen_wins_and_nobody_is_asked_again() -> None:
    for mode in LanguageMode:
        found = chosen(mode, "+33142681234", chosen="en")
        assert (found.language, found.prompts, found.menu) == ("en", "en", ())
        assert chosen(mode, chosen="xx").language == "de"


def test_the_site_can_change_the_table() -> None:
    table = {**COUNTRY_LANGUAGES, "33": "en"}
    assert chosen(LanguageMode.CALLER, "+33142681234", table=table).language == "en"


def test_a_recorded_language_that_the_system_does_not_speak() -> None:
    found = chosen(LanguageMode.CALLER, "+33142681234", Speakers(("de", "en"), ("fr",)))
    assert (found.language, found.prompts) == ("fr", "de")
    other = choose_language("it", LanguageMode.FIXED, FRENCH, BOTH, site="en")
    assert (other.language, other.prompts) == ("it", "en")


@given(
    codes,
    st.sampled_from(LanguageMode),
    st.text("+0123456789", max_size=16),
    st.lists(codes, min_size=1, unique=True).map(tuple),
    st.lists(codes, unique=True).map(tuple),
    st.sampled_from(["", "de", "xx", "zz"]),
)
def test_there_is_always_a_language_and_a_reason(
    own: str,
    mode: LanguageMode,
    number: str,
    spoken: tuple[str, ...],
    recorded: tuple[str, ...],
    answer: str,
) -> None:
    found = choose_language(own, mode, Caller(number), Speakers(spoken, recorded), chosen=answer)
    assert found.prompts in spoken
    assert found.language in {own, *spoken, *recorded}
    assert found.reason
    assert not found.menu or (len(found.menu) > 1 and found.language in found.menu)
