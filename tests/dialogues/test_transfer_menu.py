"""Call transfer by telephone: heard, set and removed, for each profile."""

import pytest

from tests.dialogues.exchange import ANNA
from tests.dialogues.own_menus import (
    TRANSFER,
    anna_now,
    anna_with,
    back_in_main_menu,
    in_menu,
    said,
    site_of,
)
from tests.phone import Phone
from vm_ari.domain.numbers import Site
from vm_ari.domain.profiles import ProfileName
from vm_ari.domain.settings import Hideable
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Digits

WORK, HOME = ProfileName.WORK, ProfileName.HOME
OUTSIDE = Site(base_number="+4930555", area="30", outside_prefix="0")


@pytest.mark.feature_part("XFER-04", "set, heard and removed by telephone, for each profile")
@pytest.mark.parametrize(("key", "profile"), list(zip("1234567", ProfileName, strict=True)))
def test_each_profile_has_a_destination_of_its_own(key: str, profile: ProfileName) -> None:
    site = site_of()

    async def story(phone: Phone) -> None:
        await phone.hears(P.PROFILE_WORK, P.TO_GO_BACK)
        phone.presses(key)
        await phone.hears(P(f"profile/{profile}"), P.NO_TRANSFER, P.TO_SET_TRANSFER, P.TO_GO_BACK)
        phone.presses("1")
        await phone.hears(P.ENTER_DESTINATION)
        phone.presses("03012345678#")
        await phone.hears(P.TRANSFER_SET)
        assert dict(anna_now(site).transfers) == {profile: "+493012345678"}, "before it is said"
        await phone.hears(P.TRANSFER_IS, Digits("+493012345678"), P.TO_REMOVE_TRANSFER)
        phone.presses("7")
        await phone.hears(P.TRANSFER_REMOVED)
        assert dict(anna_now(site).transfers) == {profile: ""}
        await phone.hears(P.NO_TRANSFER)

    told = in_menu(site, TRANSFER, story)
    assert not said(told, P.NO_TRANSFER, P.TO_REMOVE_TRANSFER)


def test_a_number_is_typed_as_it_is_dialled_and_spoken_as_it_is_dialled() -> None:
    site = site_of(anna_with(numbers=("+4930555101",)), site=OUTSIDE)

    async def story(phone: Phone) -> None:
        phone.presses("31")
        await phone.hears(P.ENTER_DESTINATION)
        phone.presses("008912345#")
        await phone.hears(P.TRANSFER_SET, P.TRANSFER_IS, Digits("+498912345"))
        phone.presses("1")
        await phone.hears(P.ENTER_DESTINATION)
        phone.presses("102#")
        await phone.hears(P.TRANSFER_SET, P.TRANSFER_IS, Digits("102"))

    in_menu(site, TRANSFER, story)
    assert anna_now(site).transfer_in(HOME) == "+4930555102"


@pytest.mark.parametrize(
    "number",
    ["101", "00123", "0900123456", "001443", "112", "00442071234567", "1" * 19],
    ids=["own", "no number", "premium", "short", "emergency", "abroad", "long"],
)
@pytest.mark.feature_part("SITE-03", "a forbidden destination is refused when it is stored")
def test_a_number_that_may_not_be_dialled_is_refused_and_asked_for_again(number: str) -> None:
    site = site_of()

    async def story(phone: Phone) -> None:
        phone.presses("11")
        await phone.hears(P.ENTER_DESTINATION)
        phone.presses(f"{number}#")
        await phone.hears(P.NUMBER_NOT_ALLOWED, P.ENTER_DESTINATION)
        assert anna_now(site) == ANNA
        phone.presses("102#")
        await phone.hears(P.TRANSFER_SET)

    in_menu(site, TRANSFER, story)
    assert dict(anna_now(site).transfers) == {WORK: "102"}


def test_three_refused_numbers_end_the_call_politely() -> None:
    site = site_of(anna_with(transfers=((WORK, "102"),)))

    async def story(phone: Phone) -> None:
        phone.presses("11")
        for _ in range(3):
            await phone.hears(P.ENTER_DESTINATION)
            phone.presses("0900123456#")
            await phone.hears(P.NUMBER_NOT_ALLOWED)
        await phone.hears(P.GOODBYE)
        await phone.hears_the_end()

    assert in_menu(site, TRANSFER, story).channel.left == ("SUCCESS", "")
    assert dict(anna_now(site).transfers) == {WORK: "102"}


def test_the_star_key_goes_back_level_by_level() -> None:
    site = site_of(anna_with(transfers=((WORK, "102"),)))

    async def story(phone: Phone) -> None:
        phone.presses("1")
        await phone.hears(P.TRANSFER_IS, Digits("102"), P.TO_GO_BACK)
        phone.presses("1")
        await phone.hears(P.ENTER_DESTINATION)
        phone.presses("*")
        await phone.hears(P.TRANSFER_IS, P.TO_GO_BACK)
        phone.presses("*")
        await phone.hears(P.PROFILE_WORK, P.TO_GO_BACK)
        phone.presses("*")
        await back_in_main_menu(phone)

    in_menu(site, TRANSFER, story)
    assert dict(anna_now(site).transfers) == {WORK: "102"}


@pytest.mark.parametrize("written", ["+49 (30) 555-102", "hello 7", "030/123-0"])
def test_a_number_that_an_admin_has_written_in_any_spelling_can_be_spoken(written: str) -> None:
    site = site_of(anna_with(transfers=((WORK, written),)))

    async def story(phone: Phone) -> None:
        phone.presses("1")
        await phone.hears(P.TRANSFER_IS, P.TO_SET_TRANSFER)

    assert not said(in_menu(site, TRANSFER, story), P.TRANSFER_IS, P.TO_SET_TRANSFER)


@pytest.mark.parametrize("key", ["1102#", "7"])
@pytest.mark.parametrize("fault", ["unavailable", "read_only"])
def test_what_cannot_be_stored_is_said_and_nothing_else_is_lost(key: str, fault: str) -> None:
    site = site_of(anna_with(transfers=((WORK, "103"),)))

    async def story(phone: Phone) -> None:
        phone.presses("1")
        await phone.hears(P.TRANSFER_IS, P.TO_GO_BACK)
        setattr(site.directory, fault, True)
        phone.presses(key)
        await phone.hears(P.NOT_POSSIBLE_NOW, P.TRANSFER_IS, Digits("103"))
        phone.presses("**")
        await back_in_main_menu(phone)

    told = in_menu(site, TRANSFER, story)
    assert dict(anna_now(site).transfers) == {WORK: "103"}
    assert not said(told, P.TRANSFER_SET)
    assert not said(told, P.TRANSFER_REMOVED)


def test_whoever_hangs_up_keeps_what_was_confirmed() -> None:
    confirmed = set()
    for moment in range(45):
        site = site_of()

        async def story(phone: Phone) -> None:
            phone.presses("11")
            await phone.hears(P.ENTER_DESTINATION)
            phone.presses("102#")
            await phone.hears(P.TRANSFER_SET, P.TO_REMOVE_TRANSFER)

        told = in_menu(site, TRANSFER, story, hang_up_after=moment + 0.5)
        heard = said(told, P.TRANSFER_SET)
        confirmed.add(heard)
        assert dict(anna_now(site).transfers) in ({}, {WORK: "102"})
        assert anna_now(site).transfers or not heard
    assert confirmed == {True, False}


@pytest.mark.feature_part("XFER-04", "it can be hidden")
@pytest.mark.feature_part("MENU-01", "call transfer can be hidden")
def test_a_site_without_transfer_does_not_offer_it() -> None:
    site = site_of(hidden=(Hideable.TRANSFER,))

    async def story(phone: Phone) -> None:
        await phone.hears(P.KEY_NOT_USED, P.FOR_GREETINGS, P.TO_END)
        phone.presses("6")
        await phone.hears(P.PROFILE_IS_ACTIVE)

    assert not said(in_menu(site, TRANSFER, story), P.FOR_TRANSFER)


def test_a_site_without_the_internal_profile_has_no_destination_for_it() -> None:
    site = site_of(internal_profile=False)

    async def story(phone: Phone) -> None:
        await phone.hears(P.PROFILE_WORK, P.TO_GO_BACK)
        phone.presses("7")
        await phone.hears(P.KEY_NOT_USED)

    assert not said(in_menu(site, TRANSFER, story), P.PROFILE_INTERNAL)
