"""Words for what is written in signs and digits: each language its own, nothing to an engine."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.mail_speech.cleaning import plain_text
from vm_ari.domain.mail_speech.speaking import notice, speakable, spoken_line, utterances
from vm_ari.domain.mail_speech.utterances import FIRST_LENGTH, LENGTH, About, pieces
from vm_ari.domain.mail_speech.wording import Notices, wording

LANGUAGES = ("de", "en", "fr", "nl")
FORBIDDEN = set('<>[]{}|\\`^*_"')


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        ("de", "am 12.03.2026", "am 12. März 2026"),
        ("de", "am 1.5.26 und 24.12.1999", "am 1. Mai 2026 und 24. Dezember 1999"),
        ("de", "am 2026-03-12", "am 12. März 2026"),
        ("en", "on 2026-03-01", "on the 1st of March 2026"),
        ("en", "on 22/3/2026 or 3/23/2026", "on the 22nd of March 2026 or the 23rd of March 2026"),
        ("en", "on 3/4/2026", "on 3, 4, 2026"),
        ("en", "on 5/5/2026", "on the 5th of May 2026"),
        ("fr", "le 01/03/2026", "le premier mars 2026"),
        ("de", "99.99.2026", "99.99.2026"),
        ("de", "am 5.12. und am 1. 3. sowie 99.1.", "am 5. Dezember und am 1. März sowie 99.1."),
        ("en", "chapter 5.12. ends", "chapter 5.12. ends"),
        ("de", "9:30-11:00 Uhr", "9 Uhr 30 bis 11 Uhr"),
        ("en", "22:00 – 23:30", "22:00 to 23:30"),
        ("de", "um 14:35 Uhr", "um 14 Uhr 35"),
        ("de", "um 14:00 Uhr oder 9:05", "um 14 Uhr oder 9 Uhr 5"),
        ("en", "at 14:05", "at 14:05"),
        ("fr", "à 14h35", "à 14 heures 35"),
        ("de", "1:2:3 und 25:61", "1:2:3 und 25:61"),
        ("de", "1.234,50 €", "1234 Euro 50"),
        ("de", "EUR 1.000.000,00", "1000000 Euro"),
        ("de", "-12,05 EUR", "minus 12 Euro 5"),
        ("de", "1 €", "1 Euro"),
        ("en", "$1,234.50 or £1", "1234 dollars 50 or 1 pound"),
        ("fr", "1 234,50 €", "1234 euros 50"),
        ("de", "5 Mio. €", "5 Millionen Euro"),
        ("de", "3,5 %", "3,5 Prozent"),
        ("de", "9-17 Uhr, 2024–2026", "9 bis 17 Uhr, 2024 bis 2026"),
        ("en", "it ended 2-1", "it ended 2-1"),
        ("en", "1,000,000 people", "1000000 people"),
        ("de", "1.000.000 Leute in 70173", "1000000 Leute in 70173"),
        ("en", "order 20260312", "order 2 0 2, 6 0 3, 1 2"),
        ("en", "1234567", "1 2 3, 4 5 6 7"),
        ("en", "code 0815", "code 0 8 1 5"),
        ("en", "call +49 711 123456", "call plus 4 9, 7 1 1, 1 2 3, 4 5 6"),
        ("en", "call 0711/1234-56", "call 0 7 1 1, 1 2 3 4, 5 6"),
        ("en", "call 555-1234", "call 555-1234"),
        ("en", "DE89 3704 0044 0532 0130 00", "D E 8 9, 3 7 0 4, 0 0 4 4, 0 5 3 2, 0 1 3 0, 0 0"),
        ("en", "1Z999AA10123456784", "1, Z, 9 9 9, A A, 1 0 1, 2 3 4, 5 6 7, 8 4"),
        ("en", "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "a long code"),
        ("en", "a well-known-but-longish word", "a well-known-but-longish word"),
        ("en", "version 3.11.7 on 10.0.0.1.", "version 3 dot 11 dot 7 on 10 dot 0 dot 0 dot 1."),
        (
            "nl",
            "Op 12-03-2026 om 20:15, tel. 020 123 4567",
            "Op 12-03-2026 om 20:15, tel. 0 2 0, 1 2 3, 4 5 6 7",
        ),
    ],
)
def test_dates_amounts_and_numbers(language: str, written: str, said: str) -> None:
    assert speakable(written, language) == said


@pytest.mark.parametrize(
    ("language", "written", "said"),
    [
        (
            "en",
            "see https://user:pw@www.Example.org:8080/a/b?c=d#e.",
            "see link to example dot org.",
        ),
        ("de", "siehe www.example.org/x!", "siehe Link zu example Punkt org!"),
        ("en", "see <https://example.org/a>, or not", "see link to example dot org, or not"),
        (
            "de",
            "an anna-b.c_d@example.org",
            "an anna Strich b Punkt c Unterstrich d at example Punkt org",
        ),
        ("en", "[cid:image001.png@01D.B] Hello", "Hello"),
        ("en", "data:text/html;base64,xxxx Hello javascript:alert(1)", "Hello"),
        ("en", "R2VoZWltIQ" * 10 + " done", "done"),
        (
            "de",
            "z. B. Müller & Söhne, Hauptstr. 5, Nr. 7",
            "zum Beispiel Müller und Söhne, Hauptstr. 5, Nummer 7",
        ),
        ("fr", "p. ex. M. Dupont & fils n° 5", "par exemple monsieur Dupont et fils numéro 5"),
        ("en", "Dr. Who, i.e. Peter, 20°C", "Doctor Who, that is Peter, 20 degrees Celsius"),
        ("en", "Great 👍👍🏽 🤖 work", "Great, thumbs up, work"),
        ("de", "Bis bald 🙂", "Bis bald, Lächeln"),
        ("en", "Yes :-) no :( ratio 1:2 ;)", "Yes, smile, no ratio 1:2, wink"),
        ("en", "(see www.example.org )", "(see link to example dot org)"),
        ("en", "**bold** _it_ ~~gone~~ ➤ item", "bold it gone item"),
        ("en", "Really?!!!!!! Yes……", "Really?! Yes…"),
        ("en", "50% off = $5", "50 percent off equals 5 dollars"),
        ("en", "(a) [b] {c} <d>", "(a) b c d"),
        ("en", "<speed level='500'>x</speed>", "speed level equals '500' x /speed"),
    ],
)
def test_links_signs_and_ornaments(language: str, written: str, said: str) -> None:
    assert speakable(written, language) == said


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("so\u00adft\u200b hy\ufeffphen", "soft hyphen"),
        ("\u202egnp.exe\u202c", "gnp.exe"),
        ("𝐇𝐞𝐥𝐥𝐨 ｗｏｒｌｄ", "Hello world"),
        ("e\u0301te\u0301", "été"),
        ("H\u0336\u0353e\u0489llo", "Hello"),
        ("a\x00b\x1b[31m", "a b [31m"),
        ("it’s 5\u2010axis", "it's 5-axis"),
        ("soooooo goooood", "sooo goood"),
        ("==========\nx", "\nx"),
        ("a\u2028b\rc", "a\nb\nc"),
    ],
)
def test_characters_that_only_look_like_text_are_gone(written: str, plain: str) -> None:
    assert plain_text(written) == plain


@given(st.text(max_size=400), st.sampled_from(LANGUAGES))
def test_nothing_but_words_reaches_an_engine(text: str, language: str) -> None:
    for one in utterances(text, language):
        assert 0 < len(one.text) <= LENGTH
        assert not FORBIDDEN & set(one.text)
        assert not any(unicodedata.category(sign)[0] == "C" for sign in one.text)
    assert len(spoken_line(text * 50, language)) <= 200


@given(st.text(alphabet="ab c.,!\n", max_size=3000))
def test_pieces_hold_every_word_and_end_early_enough(text: str) -> None:
    words = speakable(text, "en")
    cut = list(pieces(words, FIRST_LENGTH))
    assert "".join("".join(cut).split()) == "".join(words.split())
    assert all(len(piece) <= LENGTH for piece in cut)
    assert not cut or len(cut[0]) <= FIRST_LENGTH


def test_pieces_end_where_sentences_do() -> None:
    text = "This is the first sentence. " * 20
    assert all(piece.endswith("sentence.") for piece in pieces(text.strip()))


@pytest.mark.parametrize(
    "unit", ["1.", "1,234,", "a@a.", "+1 (2) ", "a-1", "http://", " \t|", "12:", "A1 "]
)
def test_time_grows_with_the_text_and_not_with_its_square(unit: str) -> None:
    def seconds(length: int) -> float:
        began = time.process_time()
        speakable(unit * (length // len(unit)), "de")
        return time.process_time() - began

    seconds(1000)
    short = min(seconds(20_000) for _ in range(3))
    # linear is 10 times as long; a square would be 100 times
    assert min(seconds(200_000) for _ in range(2)) < 35 * short + 0.1


@pytest.mark.parametrize("language", ["de", "en", "fr"])
def test_every_notice_can_be_said_in_every_language(language: str) -> None:
    for name in Notices.__dataclass_fields__:
        for one in notice(language, name, count=3, number=2, names="a.pdf", text="Well."):
            assert one.about is About.NOTICE
            assert one.language == language
            assert not FORBIDDEN & set(one.text)


def test_a_language_without_words_here_is_read_with_english_notices() -> None:
    assert wording("nl") is None
    assert wording("../x") is None
    assert [one.language for one in notice("nl", "empty")] == ["en"]
