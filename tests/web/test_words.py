"""The words of the portal: none is missing in any language (WEB-04)."""

import re
from pathlib import Path
from string import Formatter

import pytest

from vm_ari.domain.active_profile import Turn
from vm_ari.domain.greeting_choice import Rung
from vm_ari.domain.pin_rules import PinFault
from vm_ari.domain.profiles import ProfileName
from vm_ari.speech.language import languages
from vm_ari.web.pages import all_pages
from vm_ari.web.texts import Texts, wished_by

WEB = Path(__file__).parents[2] / "templates" / "web"
SOURCE = Path(__file__).parents[2] / "vm_ari" / "web"
TEXTS = Texts(WEB / "texts")
LANGUAGES = TEXTS.languages
each_language = pytest.mark.parametrize("language", LANGUAGES)
_SAID = re.compile(
    r"""(?<![\w.])(?:t|words|visit\.words)\(\s*"([a-z-]+\.[a-z0-9._-]*[a-z0-9])"[,)\s]"""
)


def names_in(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_german_and_english_are_there() -> None:
    assert {"de", "en"} <= set(LANGUAGES)


@each_language
def test_every_language_has_the_same_words_with_the_same_gaps(language: str) -> None:
    english, theirs = TEXTS.by_language["en"], TEXTS.by_language[language]
    assert set(theirs) == set(english)
    assert {k: names_in(v) for k, v in theirs.items()} == {
        k: names_in(v) for k, v in english.items()
    }
    assert all(theirs.values())


def test_every_word_that_a_page_says_is_there() -> None:
    files = [*(WEB / "pages").glob("*.html"), *SOURCE.rglob("*.py")]
    said = {key for file in files for key in _SAID.findall(file.read_text(encoding="utf-8"))}
    assert len(said) > 50
    assert said <= set(TEXTS.by_language["en"]), said - set(TEXTS.by_language["en"])


def test_words_that_are_put_together_are_there() -> None:
    there = set(TEXTS.by_language["en"])
    put_together = {
        *(f"{page.name}.menu" for page in all_pages() if page.menu),
        *(f"{page.path}.saved" for page in all_pages() if page.feature and page.menu),
        *(f"overview.rung.{rung.name.lower()}" for rung in Rung),
        *(f"overview.turn.{turn.name.lower()}" for turn in Turn),
        *(f"values.{profile.value}" for profile in ProfileName),
        *(f"pin.fault.{fault.value}" for fault in PinFault),
        *(f"languages.{code}" for code in languages()),
    }
    assert put_together <= there, put_together - there


def test_the_best_language_that_there_is() -> None:
    assert TEXTS.words(["de-AT", "en"]).language == "de"
    assert TEXTS.words(["xx", "EN"]).language == "en"
    assert TEXTS.words([]).language == "en"
    assert wished_by("fr;q=0.5, de-CH, *;q=0.1, en;q=0.8") == ["de-CH", "en", "fr"]
    assert wished_by("en;q=x, *, de;q=0") == []
