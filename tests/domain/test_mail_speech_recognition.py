"""The language of a text by its small words; and scripts that nobody can read out."""

import pytest

from vm_ari.domain.mail_speech.recognition import is_readable, unmistakable

ALL = ("de", "en", "fr")
TEXTS = {
    "de": "Hallo Bert, ich habe die Akten gesehen und finde sie gut. Bitte ruf mich morgen an.",
    "en": "Hi Bert, I have seen the papers and they are good. Please call me when you have time.",
    "fr": "Bonjour, j'ai vu les documents et je les aime. Merci de me rappeler avec vos idées.",
}


@pytest.mark.parametrize("language", ALL)
def test_some_sentences_leave_no_doubt(language: str) -> None:
    assert unmistakable(TEXTS[language], ALL) == language


@pytest.mark.parametrize(
    "text",
    [
        "",
        "OK",
        "Meeting Montag?",
        "12345",
        TEXTS["de"] + TEXTS["en"],
        "De auto is in het water en zij",
    ],
)
def test_a_doubt_is_left_to_a_better_judge(text: str) -> None:
    assert unmistakable(text, ALL) is None


def test_with_a_language_that_has_no_list_nothing_is_certain() -> None:
    assert unmistakable(TEXTS["de"], ("de", "nl")) is None


@pytest.mark.parametrize(
    ("text", "languages", "readable"),
    [
        ("Grüße, œuvre, Zażółć", ALL, True),
        ("Привет, как дела", ALL, False),
        ("Привет, как дела", ("ru", "de"), True),
        ("日本語のメール", ALL, False),
        ("日本語のメール", ("ja",), True),
        ("שלום", ALL, False),
        ("ᏣᎳᎩ", ALL, False),
        ("Das Wort Привет heißt Hallo", ALL, True),
        ("12345 !?", ALL, True),
    ],
)
def test_a_script_that_no_language_here_is_written_in(
    text: str, languages: tuple[str, ...], readable: bool
) -> None:
    assert is_readable(text, languages) is readable
