"""Personal options by telephone: the languages."""

import pytest

from tests.dialogues.exchange import ANNA
from tests.dialogues.own_menus import (
    PERSONAL,
    anna_now,
    anna_with,
    back_in_main_menu,
    in_menu,
    said,
    site_of,
)
from tests.phone import Phone
from vm_ari.domain.language import LanguageMode
from vm_ari.speech.catalogue import P
from vm_ari.speech.language import languages
from vm_ari.speech.parts import Digits, InLanguage

CODES = sorted(languages())


@pytest.mark.feature_part("LANG-01", "the user chooses the language by telephone")
@pytest.mark.parametrize("code", CODES)
def test_a_language_is_offered_in_itself_and_spoken_at_once(code: str) -> None:
    site = site_of()

    async def story(phone: Phone) -> None:
        await phone.hears(P.FOR_LANGUAGE)
        phone.presses("1")
        for number, one in enumerate(CODES, start=1):
            offer = (P.LANGUAGE_CHOICE, P.PRESS, Digits(str(number)))
            await phone.hears(InLanguage(one, offer))
        await phone.hears(P.TO_GO_BACK)
        phone.presses(str(CODES.index(code) + 1))
        await phone.hears(InLanguage(code, (P.LANGUAGE_SET,)))
        assert anna_now(site).language == code, "stored before it is confirmed"
        await phone.hears(InLanguage(code, (P.FOR_LANGUAGE, P.TO_GO_BACK)))
        phone.presses("*")
        await phone.hears(InLanguage(code, (P.FOR_NEW_VOICE_MESSAGES, P.TO_END)))

    in_menu(site, PERSONAL, story)


def test_a_key_without_a_language_is_not_accepted_and_the_star_key_goes_back() -> None:
    site = site_of()

    async def story(phone: Phone) -> None:
        phone.presses("1")
        await phone.hears(P.TO_GO_BACK)
        phone.presses(str(len(CODES) + 1))
        await phone.hears(P.KEY_NOT_USED, P.TO_GO_BACK)
        phone.presses("**")
        await back_in_main_menu(phone)

    in_menu(site, PERSONAL, story)
    assert anna_now(site) == ANNA


@pytest.mark.feature_part("LANG-02", "the user chooses by telephone who decides")
@pytest.mark.parametrize(
    ("key", "mode", "words"),
    [
        ("1", LanguageMode.FIXED, P.IN_OWN_LANGUAGE),
        ("2", LanguageMode.CALLER, P.IN_CALLERS_LANGUAGE),
        ("3", LanguageMode.MENU, P.IN_CHOSEN_LANGUAGE),
    ],
)
def test_who_decides_about_the_greetings_language_is_said_and_chosen(
    key: str, mode: LanguageMode, words: P
) -> None:
    site = site_of()

    async def story(phone: Phone) -> None:
        phone.presses("2")
        await phone.hears(P.IN_OWN_LANGUAGE, P.FOR_OWN_LANGUAGE, P.TO_GO_BACK)
        phone.presses(key)
        await phone.hears(words)
        assert anna_now(site) == anna_with(greeting_language=mode)
        await phone.hears(P.FOR_LANGUAGE)
        phone.presses("2")
        await phone.hears(words, P.FOR_OWN_LANGUAGE, P.TO_GO_BACK)
        phone.presses("*")
        await phone.hears(P.FOR_LANGUAGE)

    in_menu(site, PERSONAL, story)


@pytest.mark.parametrize("way", ["11", "22"])
@pytest.mark.parametrize("fault", ["unavailable", "read_only"])
def test_what_cannot_be_stored_is_said_in_the_old_language(way: str, fault: str) -> None:
    site = site_of()

    async def story(phone: Phone) -> None:
        setattr(site.directory, fault, True)
        phone.presses(way)
        await phone.hears(P.NOT_POSSIBLE_NOW, P.FOR_LANGUAGE)
        phone.presses("*")
        await back_in_main_menu(phone)

    told = in_menu(site, PERSONAL, story)
    assert anna_now(site) == ANNA
    for code in CODES:
        assert not said(told, InLanguage(code, (P.LANGUAGE_SET,)))
