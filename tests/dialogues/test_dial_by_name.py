"""Somebody is found by the letters on the keys, and said by name (INBOX-13)."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.dialogues.own_menus import said
from tests.dialogues.sending_site import SendingSite, in_send_menu, number, site_with
from tests.phone import Phone
from vm_ari.domain.callers import Caller
from vm_ari.domain.sending import Colleague
from vm_ari.domain.users import User
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Digits, Recorded, Sentence


def person(name: str, extension: str) -> User:
    return User(f"u{extension}", name, extension, (extension,), "")


BERG, BERGER, MEIER = person("Berg", "201"), person("Berger", "202"), person("Meier", "203")
CROWD = tuple(person(f"Lu{letter}", f"3{n:02}") for n, letter in enumerate("abcdefghijkl"))
TWINS = tuple(person("Zora", f"40{n}") for n in range(2))
"""They are called the same."""


def site(*people: User) -> SendingSite:
    return site_with(BERG, BERGER, MEIER, *CROWD, *TWINS, *people)


def with_voice(house: SendingSite, *recorded: User) -> None:
    """A machine that says names, and people who have recorded theirs."""

    async def own_voice(_listener: User, caller: Caller) -> Path | None:
        ids = [user.id for user in recorded if caller.number in user.numbers]
        return Path(f"/own/{ids[0]}") if ids else None

    async def machine(name: str, language: str) -> Path | None:
        return Path(f"/machine/{language}/{name}")

    house.desk = replace(house.desk, sender_name=own_voice, spoken_name=machine)


def said_by_machine(user: User) -> Sentence:
    return (Recorded(f"/machine/en/{user.name}"),)


@pytest.mark.feature_part("INBOX-13", "a person is found by name on the keypad")
def test_somebody_is_spelt_offered_by_name_and_chosen() -> None:
    house = site()
    with_voice(house, BERG)

    async def story(phone: Phone) -> None:
        await phone.hears(P.FOR_SEARCH_BY_NAME)
        phone.presses("2")
        await phone.hears(P.ENTER_NAME)
        phone.presses("2374#")
        await phone.hears(Recorded("/own/u201"), P.PRESS, Digits("1"))
        await phone.hears(*said_by_machine(BERGER), P.PRESS, Digits("2"))
        await phone.hears(P.TO_ENTER_MORE_LETTERS, P.TO_GO_BACK)
        phone.presses("2")
        await phone.hears(P.MESSAGE_GOES_TO, *said_by_machine(BERGER), P.TO_CONTINUE)
        phone.presses("#")
        await phone.hears(P.BEEP)
        await phone.speaks(5)

    in_send_menu(house, story)
    assert [sent.to for sent in house.sent] == [(Colleague("u202"),)]


def test_more_letters_narrow_it_down() -> None:
    house = site()

    async def story(phone: Phone) -> None:
        phone.presses("22374#")
        await phone.hears(*number("201"), *number("202"), P.TO_ENTER_MORE_LETTERS)
        phone.presses("0")
        await phone.hears(P.ENTER_MORE_LETTERS)
        phone.presses("37#")
        await phone.hears(*number("202"), P.PRESS, Digits("1"), P.TO_ENTER_MORE_LETTERS)
        phone.presses("1")
        await phone.hears(P.MESSAGE_GOES_TO, *number("202"))

    told = in_send_menu(house, story)
    assert not said(told, *number("202"), P.PRESS, Digits("1"), *number("201"))


@pytest.mark.feature_part("INBOX-13", "too many names, or none")
def test_too_many_names_ask_for_more_letters_and_none_from_the_beginning() -> None:
    house = site()

    async def story(phone: Phone) -> None:
        phone.presses("258#1")  # the 1 would choose somebody who was not heard
        await phone.hears(P.TOO_MANY_NAMES, P.ENTER_MORE_LETTERS)
        phone.presses("9#1")  # nobody is called Lu with a w, x, y, z
        await phone.hears(P.NOBODY_FOUND, P.ENTER_NAME)
        phone.presses("63437#")
        await phone.hears(*number("203"))
        phone.presses("1")
        await phone.hears(P.MESSAGE_GOES_TO, *number("203"))

    in_send_menu(house, story)
    assert not house.sent


def test_three_names_that_nobody_has_end_the_call_politely() -> None:
    async def story(phone: Phone) -> None:
        phone.presses("2")
        for _ in range(3):
            await phone.hears(P.ENTER_NAME)
            phone.presses("999#")
            await phone.hears(P.NOBODY_FOUND)
        await phone.hears(P.GOODBYE)
        await phone.hears_the_end()

    assert in_send_menu(site(), story).channel.left == ("SUCCESS", "")


@pytest.mark.parametrize("keys", ["2*", "22374#*", "22374#0*", "258#*"])
def test_the_star_key_leads_back_to_the_recipients(keys: str) -> None:
    async def story(phone: Phone) -> None:
        await phone.hears(P.TO_GO_BACK)
        phone.presses(keys)
        if keys == "258#*":  # dropped with what was not expected
            await phone.hears(P.TOO_MANY_NAMES)
            phone.presses("*")
        await phone.hears(P.FOR_NUMBER_OR_LIST, P.TO_GO_BACK)

    in_send_menu(site(), story)


def test_people_of_the_same_name_are_told_apart_by_number() -> None:
    house = site()
    with_voice(house)

    async def story(phone: Phone) -> None:
        phone.presses("29672#")
        for key, twin in zip("12", TWINS, strict=True):
            await phone.hears(*said_by_machine(twin), *number(twin.mailbox), P.PRESS, Digits(key))
        phone.presses("2")
        await phone.hears(P.MESSAGE_GOES_TO, *said_by_machine(TWINS[1]))

    in_send_menu(house, story)


def test_a_list_is_called_by_its_name() -> None:
    house = site()
    with_voice(house)

    async def story(phone: Phone) -> None:
        phone.presses("177#")
        await phone.hears(P.MESSAGE_GOES_TO, P.THE_LIST, Recorded("/machine/en/Team"))

    in_send_menu(house, story)


def test_a_pause_ends_the_name_like_the_hash_key() -> None:
    async def story(phone: Phone) -> None:
        phone.presses("263437")
        await phone.hears(*number("203"), P.PRESS, Digits("1"))

    in_send_menu(site(), story)


def test_no_letters_are_no_name() -> None:
    async def story(phone: Phone) -> None:
        phone.presses("2#")
        await phone.hears(P.KEY_NOT_USED, P.ENTER_NAME)

    in_send_menu(site(), story)


def test_a_crowd_of_one_name_cannot_be_narrowed_for_ever() -> None:
    crowd = tuple(person("A" * 40, f"6{n:02}") for n in range(12))

    async def story(phone: Phone) -> None:
        phone.presses("2")
        for _ in range(3):
            await phone.hears(P.ENTER_NAME)
            phone.presses("2" * 9)
            for _ in range(3):
                await phone.hears(P.TOO_MANY_NAMES, P.ENTER_MORE_LETTERS)
                phone.presses("2" * 9)
            await phone.hears(P.TOO_MANY_NAMES)
        await phone.hears(P.GOODBYE)
        await phone.hears_the_end()

    in_send_menu(site(*crowd), story)
