"""Greetings by telephone: heard, recorded, deleted, and of which type they are."""

from pathlib import Path

import pytest

from tests.dialogues.exchange import ANNA, PIN, Exchange, tell
from tests.dialogues.own_menus import (
    GREETINGS,
    anna_now,
    anna_with,
    back_in_main_menu,
    in_menu,
    said,
    site_of,
)
from tests.phone import Phone
from vm_ari.domain.greetings import GreetingKey, GreetingType, Slot, Source
from vm_ari.domain.language import LanguageMode
from vm_ari.domain.settings import Hideable
from vm_ari.speech.catalogue import P
from vm_ari.speech.language import languages
from vm_ari.speech.parts import Digits, InLanguage, Recorded

PROFILE_KEYS = dict(zip("1234567", list(Slot)[:7], strict=True))


def key_of(slot: Slot, code: str = "en") -> GreetingKey:
    return GreetingKey(ANNA.id, slot, code)


def with_greetings(*slots: Slot, hidden: tuple[Hideable, ...] = ()) -> Exchange:
    """Anna has recorded these."""
    site = site_of(hidden=hidden)

    async def record() -> None:
        for slot in slots:
            await site.greetings.keep(key_of(slot), Path("/take.wav"), Source.PHONE)

    tell(record())
    return site


def slots(site: Exchange) -> set[tuple[Slot, str]]:
    """What Anna has."""
    return {(key.slot, key.language) for key in site.greetings.owners.get(ANNA.id, {})}


def audio_of(site: Exchange, slot: Slot, code: str = "en") -> Recorded:
    return Recorded(str(site.greetings.owners[ANNA.id][key_of(slot, code)].path))


async def records(phone: Phone, invitation: P) -> None:
    """Say something and keep it."""
    await phone.hears(invitation)
    await phone.speaks(seconds=4)
    phone.presses("#")
    await phone.hears(P.TO_KEEP)
    phone.presses("1")
    await phone.hears(P.GREETING_KEPT)


@pytest.mark.feature_part("GREET-05", "record by telephone, for each profile")
@pytest.mark.feature_part("GREET-02", "the greeting for internal callers is recorded")
@pytest.mark.parametrize(("key", "slot"), list(PROFILE_KEYS.items()))
def test_a_greeting_is_recorded_for_each_profile_and_can_be_heard(key: str, slot: Slot) -> None:
    site = site_of()

    async def story(phone: Phone) -> None:
        await phone.hears(P.FOR_PROFILE_GREETINGS)
        phone.presses("1" + key)
        await phone.hears(P(f"profile/{slot}"), P.NO_GREETING, P.TO_RECORD)
        phone.presses("2")
        await records(phone, P.RECORD_GREETING_AFTER_TONE)
        await phone.hears(P(f"profile/{slot}"), P.TO_HEAR_GREETING)
        phone.presses("1")
        await phone.hears(audio_of(site, slot), P.TO_DELETE_GREETING)

    told = in_menu(site, GREETINGS, story)
    assert slots(site) == {(slot, "en")}
    assert not said(told, P.NO_GREETING, P.TO_HEAR_GREETING)


@pytest.mark.feature_part("GREET-04", "the name is recorded by telephone")
def test_the_name_is_recorded_heard_and_deleted() -> None:
    site = site_of()

    async def story(phone: Phone) -> None:
        phone.presses("2")
        await phone.hears(P.NO_NAME, P.TO_RECORD_NAME)
        phone.presses("2")
        await records(phone, P.RECORD_NAME_AFTER_TONE)
        await phone.hears(P.TO_HEAR_NAME)
        phone.presses("1")
        await phone.hears(audio_of(site, Slot.NAME), P.TO_DELETE_NAME)
        assert slots(site) == {(Slot.NAME, "en")}
        phone.presses("7")
        await phone.hears(P.NAME_DELETED, P.NO_NAME)

    in_menu(site, GREETINGS, story)
    assert slots(site) == set()


@pytest.mark.feature_part("GREET-05", "delete the greeting of one profile")
def test_one_greeting_is_deleted_and_no_other() -> None:
    site = with_greetings(Slot.WORK, Slot.HOME, Slot.NAME)

    async def story(phone: Phone) -> None:
        phone.presses("13")
        await phone.hears(P.PROFILE_HOME, P.TO_HEAR_GREETING, P.TO_DELETE_GREETING)
        phone.presses("7")
        await phone.hears(P.GREETING_DELETED)
        assert slots(site) == {(Slot.WORK, "en"), (Slot.NAME, "en")}, "before it is confirmed"
        await phone.hears(P.PROFILE_HOME, P.NO_GREETING)
        phone.presses("*")
        await phone.hears(P.PROFILE_WORK, P.TO_GO_BACK)
        phone.presses("*")
        await phone.hears(P.FOR_PROFILE_GREETINGS, P.TO_GO_BACK)
        phone.presses("*")
        await back_in_main_menu(phone)

    in_menu(site, GREETINGS, story)


@pytest.mark.feature_part("GREET-05", "delete all, the name included")
@pytest.mark.parametrize("confirmed", [True, False])
def test_all_are_deleted_only_when_that_is_confirmed(confirmed: bool) -> None:
    site = with_greetings(Slot.WORK, Slot.HOME, Slot.INTERNAL, Slot.NAME)
    before = slots(site)

    async def story(phone: Phone) -> None:
        phone.presses("7")
        await phone.hears(P.SURE_TO_DELETE_ALL, P.TO_CONFIRM, P.TO_GO_BACK)
        assert slots(site) == before
        phone.presses("1" if confirmed else "*")
        if confirmed:
            await phone.hears(P.ALL_GREETINGS_DELETED)
        await phone.hears(P.FOR_PROFILE_GREETINGS)

    told = in_menu(site, GREETINGS, story)
    assert slots(site) == (set() if confirmed else before)
    assert said(told, P.ALL_GREETINGS_DELETED) == confirmed


@pytest.mark.feature_part("GREET-04", "the user chooses the type by telephone")
def test_the_type_is_said_and_chosen_and_a_missing_name_is_told() -> None:
    site = site_of()

    async def story(phone: Phone) -> None:
        phone.presses("3")
        await phone.hears(P.TYPE_INDIVIDUAL, P.FOR_INDIVIDUAL, P.FOR_PERSONALISED, P.TO_GO_BACK)
        phone.presses("2")
        await phone.hears(P.TYPE_PERSONALISED, P.NO_NAME)
        assert anna_now(site).greeting_type is GreetingType.PERSONALISED
        await phone.hears(P.FOR_PROFILE_GREETINGS)
        phone.presses("3")
        await phone.hears(P.TYPE_PERSONALISED, P.FOR_INDIVIDUAL)
        phone.presses("1")
        await phone.hears(P.TYPE_INDIVIDUAL)
        phone.presses("3*")
        await phone.hears(P.FOR_PROFILE_GREETINGS)

    in_menu(site, GREETINGS, story)
    assert anna_now(site) == ANNA


def test_who_has_recorded_the_name_hears_nothing_about_it() -> None:
    site = with_greetings(Slot.NAME)

    async def story(phone: Phone) -> None:
        phone.presses("32")
        await phone.hears(P.TYPE_PERSONALISED, P.FOR_PROFILE_GREETINGS)

    assert not said(in_menu(site, GREETINGS, story), P.NO_NAME)


@pytest.mark.feature_part("GREET-03", "a greeting for each language is recorded by telephone")
@pytest.mark.parametrize("mode", [LanguageMode.CALLER, LanguageMode.MENU])
def test_where_callers_hear_several_languages_each_has_its_own_greeting(
    mode: LanguageMode,
) -> None:
    site = site_of(anna_with(greeting_language=mode))
    codes = sorted(languages())
    german = str(codes.index("de") + 1)

    async def story(phone: Phone) -> None:
        phone.presses("11")
        for number, code in enumerate(codes, start=1):
            offer = (P.LANGUAGE_CHOICE, P.PRESS, Digits(str(number)))
            await phone.hears(InLanguage(code, offer))
        await phone.hears(P.TO_GO_BACK)
        phone.presses(german)
        await phone.hears(P.PROFILE_WORK, P.NO_GREETING)
        phone.presses("2")
        await records(phone, P.RECORD_GREETING_AFTER_TONE)
        phone.presses("*1*")
        await phone.hears(P.PROFILE_WORK, P.PROFILE_MOBILE)

    in_menu(site, GREETINGS, story)
    assert slots(site) == {(Slot.WORK, "de")}


@pytest.mark.feature_part("MENU-01", "greeting type, deletion of one and of all can be hidden")
@pytest.mark.parametrize(
    ("item", "way", "words"),
    [
        (Hideable.GREETING_TYPE, "3", P.FOR_GREETING_TYPE),
        (Hideable.DELETE_ALL_GREETINGS, "7", P.TO_DELETE_ALL_GREETINGS),
        (Hideable.DELETE_GREETING, "11 7", P.TO_DELETE_GREETING),
        (Hideable.DELETE_GREETING, "2 7", P.TO_DELETE_NAME),
    ],
)
@pytest.mark.parametrize("hides", [True, False])
def test_what_the_site_hides_is_neither_spoken_nor_accepted(
    item: Hideable, way: str, words: P, hides: bool
) -> None:
    site = with_greetings(Slot.WORK, Slot.NAME, hidden=(item,) if hides else ())
    *there, key = way.split()

    async def story(phone: Phone) -> None:
        phone.presses("".join(there))
        await phone.hears(P.TO_GO_BACK)
        phone.presses(key)
        await phone.hears(*((P.KEY_NOT_USED, P.TO_GO_BACK) if hides else (P.PRESS,)))
        await phone.waits(1)

    told = in_menu(site, GREETINGS, story)
    assert said(told, words) != hides
    assert said(told, P.KEY_NOT_USED) == hides
    if hides:
        assert slots(site) == {(Slot.WORK, "en"), (Slot.NAME, "en")}
        assert anna_now(site) == ANNA


@pytest.mark.parametrize("way", ["11", "13", "2", "71"])
def test_what_cannot_be_done_is_said_and_nothing_else_is_lost(way: str) -> None:
    site = with_greetings(Slot.WORK)

    async def story(phone: Phone) -> None:
        site.greetings.unavailable = True
        phone.presses(way)
        await phone.hears(P.NOT_POSSIBLE_NOW)
        phone.presses("*")
        site.greetings.unavailable = False
        phone.presses("*")
        await back_in_main_menu(phone)

    in_menu(site, GREETINGS, story)
    assert slots(site) == {(Slot.WORK, "en")}


def test_a_recording_that_cannot_be_kept_leaves_the_old_one() -> None:
    site = with_greetings(Slot.WORK)
    before = audio_of(site, Slot.WORK)

    async def story(phone: Phone) -> None:
        phone.presses("112")
        await phone.hears(P.RECORD_GREETING_AFTER_TONE)
        await phone.speaks(seconds=4)
        phone.presses("#")
        await phone.hears(P.TO_KEEP)
        site.greetings.unavailable = True
        phone.presses("1")
        await phone.hears(P.NOT_POSSIBLE_NOW)

    in_menu(site, GREETINGS, story)
    assert audio_of(site, Slot.WORK) == before


def test_a_type_that_is_stored_is_confirmed_though_greetings_are_away() -> None:
    site = site_of()

    async def story(phone: Phone) -> None:
        site.greetings.unavailable = True
        phone.presses("32")
        await phone.hears(P.TYPE_PERSONALISED, P.FOR_PROFILE_GREETINGS)

    assert not said(in_menu(site, GREETINGS, story), P.NOT_POSSIBLE_NOW)
    assert anna_now(site).greeting_type is GreetingType.PERSONALISED


@pytest.mark.feature_part("GREET-04", "set up by telephone: the next caller hears the name")
def test_the_next_caller_hears_the_name_once_it_is_wanted() -> None:
    site = site_of()

    async def owner(phone: Phone) -> None:
        phone.presses(f"{PIN}#522")
        await records(phone, P.RECORD_NAME_AFTER_TONE)
        phone.presses("*32")
        await phone.hears(P.TYPE_PERSONALISED)
        phone.hangs_up()

    async def caller(phone: Phone) -> None:
        await phone.hears(P.MAILBOX_OF, audio_of(site, Slot.NAME))
        phone.hangs_up()

    async def both() -> None:
        await site.call(owner, purpose="login")
        await site.call(caller)

    tell(both())


@pytest.mark.feature_part("GREET-05", "what is deleted gives way to the next in precedence")
def test_after_a_deletion_the_next_caller_hears_the_default_greeting() -> None:
    site = with_greetings(Slot.WORK)

    async def owner(phone: Phone) -> None:
        phone.presses(f"{PIN}#5117")
        await phone.hears(P.GREETING_DELETED)
        phone.hangs_up()

    async def caller(phone: Phone) -> None:
        await phone.hears(P.YOU_HAVE_REACHED, Digits("101"), P.LEAVE_A_MESSAGE)
        phone.hangs_up()

    async def both() -> None:
        await site.call(owner, purpose="login")
        await site.call(caller)

    tell(both())


def test_the_next_caller_hears_what_was_recorded() -> None:
    site = site_of()

    async def owner(phone: Phone) -> None:
        phone.presses(f"{PIN}#")
        await phone.hears(P.TO_END)
        phone.presses("5112")
        await records(phone, P.RECORD_GREETING_AFTER_TONE)
        phone.hangs_up()

    async def caller(phone: Phone) -> None:
        await phone.hears(audio_of(site, Slot.WORK))
        phone.hangs_up()

    async def both() -> None:
        await site.call(owner, purpose="login")
        await site.call(caller)

    tell(both())
