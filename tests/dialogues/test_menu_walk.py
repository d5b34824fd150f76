"""Walks through every menu behind the login: each key of each menu, no dead end, nothing lost."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.dialogues.conftest import Logs
from tests.dialogues.exchange import ANNA, PIN, Exchange, message, tell
from tests.dialogues.own_menus import IN_MENUS, anna_now, anna_with
from tests.dialogues.sending_site import SendingSite
from tests.phone import Phone, Told
from vm_ari.dialogues.choosing import LANGUAGE_KEYS, LANGUAGES_END, PROFILE_MENU
from vm_ari.dialogues.dial_by_name import NAMES_END
from vm_ari.dialogues.greetings_menu import (
    CONFIRM_MENU,
    GREETING_MENU,
    GREETINGS_MENU,
    NAME_MENU,
    NO_GREETING_MENU,
    NO_NAME_MENU,
    TYPE_MENU,
)
from vm_ari.dialogues.main_menu import SETTINGS_MENU, main_items
from vm_ari.dialogues.personal_menu import GREETING_LANGUAGE_MENU, PERSONAL_MENU
from vm_ari.dialogues.recipients import NOBODY_YET, SOMEBODY_CHOSEN
from vm_ari.dialogues.record_greeting import REVIEW
from vm_ari.dialogues.send_review import NOTHING_SPOKEN, SEND_REVIEW, marked
from vm_ari.dialogues.transfer_menu import NOBODY, SOMEBODY
from vm_ari.domain.greetings import GreetingKey, Slot, Source
from vm_ari.domain.language import LanguageMode
from vm_ari.domain.office_hours import parse_hours
from vm_ari.domain.preferences import Access
from vm_ari.domain.profiles import ProfileName
from vm_ari.domain.settings import Hideable
from vm_ari.speech.catalogue import P
from vm_ari.speech.language import language, languages
from vm_ari.speech.parts import Digits, InLanguage
from vm_ari.telephony.menu import Action, Item, load_key_map, spoken

CALLS, STEPS, LONGEST_TALK = 120, 45, 120.0
KEYS = load_key_map()
TELEPHONE = "0123456789*#"
SELDOM, OFTEN = 0.15, 0.7
HOURS = {"office_hours": parse_hours("mon 1:00-2:00"), "off_hours_profile": ProfileName.HOME}
MENUS: dict[str, Sequence[Item]] = {
    **{
        "main": main_items(SendingSite().desk),
        "settings": SETTINGS_MENU,
        "greetings": GREETINGS_MENU,
    },
    **{"greeting": GREETING_MENU, "no greeting": NO_GREETING_MENU, "name": NAME_MENU},
    **{"no name": NO_NAME_MENU, "type": TYPE_MENU, "confirm": CONFIRM_MENU, "review": REVIEW},
    "profiles to activate": [i for i in PROFILE_MENU if i.action is not Action.INTERNAL],
    **{"profiles": PROFILE_MENU, "somebody": SOMEBODY, "nobody": NOBODY},
    **{"personal": PERSONAL_MENU, "greeting language": GREETING_LANGUAGE_MENU},
    **{"nobody yet": NOBODY_YET, "somebody chosen": SOMEBODY_CHOSEN, "names": NAMES_END},
    **{"sending": SEND_REVIEW, "sending urgently": marked(SEND_REVIEW)},
    **{"nothing spoken": NOTHING_SPOKEN, "languages": LANGUAGES_END},
}
OFFERED = {
    "languages": LANGUAGE_KEYS[: len(languages())],
    "names": "1",
}
"""Keys that are in no table; here Anna is the only one who has a name."""
OUT_OF_THE_WAY = {"sending urgently", "nothing spoken"}
"""Every key of these is pressed in tests of their own."""
TYPED = {
    P.ENTER_DESTINATION: ("102#", "102#", "101#", "*", "101#", "0900123456#", "78#"),
    P.ENTER_NAME: ("2662#", "2662#", "2#", "9#", "*", "0"),
    P.ENTER_MORE_LETTERS: ("2#", "662#", "*"),
    P.ENTER_LAST_DAY: ("#", "*", "2412#", "0101#", "9999#"),
}
"""Answers to questions that are no menus."""
NOT_NOW = "12#"
"""In the main menu: messages, which have tests of their own, and the end."""
BACKS = {
    *(Action.GREETINGS_BACK, Action.RECORDING_BACK, Action.TYPE_BACK, Action.CONFIRM_BACK),
    *(Action.PROFILES_BACK, Action.TRANSFER_BACK, Action.PERSONAL_BACK),
    *(Action.GREETING_LANGUAGE_BACK, Action.LANGUAGES_BACK, Action.DISCARD_GREETING),
    *(Action.RECIPIENTS_BACK, Action.NAMES_BACK, Action.DISCARD),
}


@cache
def words(code: str, menu: str) -> list[str]:
    """A menu as it is heard; those with names, at their end."""
    sentence = spoken(MENUS[menu], KEYS)
    if menu == "names":
        sentence = (P.THE_NUMBER, Digits(ANNA.mailbox), P.PRESS, Digits("1"), *sentence)
    if menu == "languages":
        last = sorted(languages())[-1]
        offer = (P.LANGUAGE_CHOICE, P.PRESS, Digits(str(len(languages()))))
        sentence = (InLanguage(last, offer), *sentence)
    return [clip.name for clip in language(code).clips(sentence)]


def right_keys(menu: str) -> set[str]:
    """What is accepted there."""
    return {*OFFERED.get(menu, ""), *(KEYS[item.action] for item in MENUS[menu])}


@dataclass
class Walker:
    """Goes where others have not been; *pressed* counts keys by menu for all walks together."""

    dice: random.Random
    pressed: Counter[tuple[str, str]]
    mistakes: int = 0
    favourite: str = ""
    """The item of the main menu that this one mostly goes to."""

    def __post_init__(self) -> None:
        self.favourite = self.dice.choice("56789999")

    async def walks(self, phone: Phone) -> None:
        phone.presses(f"{PIN}#")
        for _ in range(STEPS):
            place = await self._is_asked(phone)
            if place is None:
                return
            await self._answers(phone, place)
        await self._goes_home(phone)

    async def _is_asked(self, phone: Phone) -> str | None:
        """Wait until a menu or another question has been spoken; None: the call is over."""
        begun, before = phone.now(), len(phone.heard_names())
        while not phone.is_over():
            if len(phone.heard_names()) > before and (place := self._place(phone)):
                return place
            if phone.is_being_recorded():
                return "recording"
            assert phone.now() - begun < LONGEST_TALK, f"nothing is asked: {phone.heard_names()}"
            await phone.waits(0.5)
        return None

    def _place(self, phone: Phone) -> str | None:
        """Which question has just been spoken to its end? Longer menus end like shorter ones."""
        heard = phone.heard_names()
        code = heard[-1].partition("/")[0]
        if code not in languages():
            return None
        for question in TYPED:
            if heard[-1] == f"{code}/{question}":
                return question
        fits = [menu for menu in MENUS if heard[-len(words(code, menu)) :] == words(code, menu)]
        return max(fits, key=lambda menu: len(MENUS[menu]), default=None)

    async def _answers(self, phone: Phone, place: str) -> None:
        if place == "recording":
            await phone.talks(self.dice.choice((0.1, 4, 4, 4)))
            keys = "#"
        elif place in TYPED:
            keys = self.dice.choice(TYPED[P(place)])
        else:
            keys = self._next_key(place)
            self._remember(place, keys)
        phone.presses(keys)

    def _next_key(self, menu: str) -> str:
        """A key that nobody has pressed here yet, or any that goes on; none that ends the call."""
        home = menu in {"main", "settings"}
        right = right_keys(menu)
        possible = [key for key in TELEPHONE if not (home and key in NOT_NOW)]
        new = [key for key in possible if not self.pressed[menu, key]]
        if new and self.mistakes == 0:
            return self.dice.choice(new)
        known = [key for key in possible if key in right]
        if menu == "main" and self.dice.random() < OFTEN:
            return self.favourite
        return self.dice.choice((self.dice.choice(known), min(known, key=self._how_often(menu))))

    def _how_often(self, menu: str) -> Callable[[str], int]:
        return lambda key: self.pressed[menu, key]

    def _remember(self, menu: str, key: str) -> None:
        """Three useless keys one after the other end the call: a walker wants to go on."""
        self.mistakes = 0 if key in right_keys(menu) else self.mistakes + 1
        self.pressed[menu, key] += 1

    async def _goes_home(self, phone: Phone) -> None:
        """By the back keys alone, then by the end key: there is no dead end."""
        for _ in range(8):
            place = await self._is_asked(phone)
            if place in {"main", "settings", None}:
                break
            self.pressed[str(place), "*"] += 1
            phone.presses("#*" if place == "recording" else "*")
        phone.presses("#")
        await phone.hears_the_end()


def walk(seed: int, pressed: Counter[tuple[str, str]]) -> tuple[Exchange, Told]:
    """One call; some users have greetings, another language mode, or a login of another kind."""
    dice = random.Random(seed)
    mode = dice.choice(list(LanguageMode))
    access = dice.choice((Access.FULL, Access.FULL, Access.PROFILES))
    hours = HOURS if dice.random() < SELDOM else {}
    site = SendingSite(users=(anna_with(greeting_language=mode, access=access, **hours),))
    site.directory.read_only = dice.random() < SELDOM
    site.put(message("a"))
    walker = Walker(dice, pressed)

    async def story() -> Told:
        for slot in Slot:
            if slot is not Slot.GLOBAL and dice.random() < 0.5:
                for code in languages():
                    key = GreetingKey(ANNA.id, slot, code)
                    await site.greetings.keep(key, Path("/take.wav"), Source.PHONE)
        return await site.call(walker.walks, purpose="login")

    return site, tell(story())


@pytest.mark.feature_part("MENU-03", "every menu has a way back, and every call ends")
def test_every_key_of_every_menu_leads_somewhere_and_back(logs: Logs) -> None:
    pressed: Counter[tuple[str, str]] = Counter()
    heard: set[str] = set()
    for seed in range(CALLS):
        try:
            site, told = walk(seed, pressed)
            assert told.channel.left == ("SUCCESS", "")
            assert told.phone.heard_names()[-1].endswith("/goodbye")
            assert site.counts() == (1, 0), "messages are not touched by the settings"
            assert anna_now(site).mail == ANNA.mail
        except BaseException as error:
            error.add_note(f"walk {seed}")
            raise
        heard |= {name.partition("/")[2] for name in told.phone.heard_names()}
    missing = {
        (menu, key)
        for menu in MENUS.keys() - OUT_OF_THE_WAY
        for key in TELEPHONE
        if not pressed[menu, key] and not (menu in {"main", "settings"} and key in NOT_NOW)
    }
    print(f"{CALLS} walks, {sum(pressed.values())} keys, {len(pressed)} (menu, key) pairs")
    assert not missing
    assert not {prompt for prompt in IN_MENUS if prompt.value not in heard}
    assert not [entry for entry in logs if entry["event"] == "call failed"]


def test_every_menu_but_the_main_one_has_its_way_back() -> None:
    for menu, items in MENUS.items():
        if menu not in {"main", "settings"}:
            assert items[-1].action in BACKS, menu
            assert items[-1].hideable is None, menu


@pytest.mark.feature_part("MENU-01", "each item that can be hidden is in no menu then")
@pytest.mark.parametrize("item", Hideable)
def test_what_is_hidden_is_in_no_menu(item: Hideable) -> None:
    keys = KEYS.hiding({item})
    for menu in MENUS.values():
        left = keys.offered(menu)
        assert all(one.hideable is not item for one in left)
        assert [one for one in menu if one.hideable is not item] == list(left)
