"""Profiles by telephone: which is active and why, and another one at once."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.dialogues.exchange import ANNA
from tests.dialogues.own_menus import (
    PROFILES,
    anna_now,
    anna_with,
    back_in_main_menu,
    in_menu,
    said,
    site_of,
)
from tests.phone import Phone
from vm_ari.domain.active_profile import active_profile
from vm_ari.domain.office_hours import parse_hours
from vm_ari.domain.preferences import Access
from vm_ari.domain.profiles import CHOOSABLE, ProfileName
from vm_ari.domain.settings import Rules
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Day, Part

WORK, HOME, VACATION = ProfileName.WORK, ProfileName.HOME, ProfileName.VACATION
TODAY = date(2026, 3, 4)
BERLIN = ZoneInfo(ANNA.time_zone)
AT_NIGHT = parse_hours("mon-fri 03:00-04:00")
HOURS = {"office_hours": AT_NIGHT, "off_hours_profile": HOME}


@pytest.mark.feature_part("GREET-01", "the user activates a profile by telephone")
@pytest.mark.parametrize(("key", "profile"), list(zip("123456", CHOOSABLE, strict=True)))
def test_each_profile_can_be_activated_and_is_so_at_once(key: str, profile: ProfileName) -> None:
    site = site_of()

    async def story(phone: Phone) -> None:
        await phone.hears(P.PROFILE_WORK, P.PROFILE_IS_ACTIVE)
        phone.presses(key)
        if profile is VACATION:
            await phone.hears(P.ENTER_LAST_DAY)
            phone.presses("#")
        await phone.hears(P(f"profile/{profile}"), P.PROFILE_ACTIVATED)
        assert anna_now(site).profile is profile, "stored before it is confirmed"
        await back_in_main_menu(phone)

    in_menu(site, PROFILES, story)
    assert anna_now(site) == anna_with(profile=profile)


@pytest.mark.feature_part("GREET-01", "the site chooses which are offered")
def test_what_the_site_does_not_offer_is_neither_spoken_nor_accepted() -> None:
    site = site_of(profiles=(WORK, HOME))

    async def story(phone: Phone) -> None:
        await phone.hears(P.PROFILE_IS_ACTIVE, P.PROFILE_WORK, P.PROFILE_HOME, P.TO_GO_BACK)
        phone.presses("2")
        await phone.hears(P.KEY_NOT_USED, P.TO_GO_BACK)
        phone.presses("4")
        await phone.hears(P.KEY_NOT_USED)

    told = in_menu(site, PROFILES, story)
    assert anna_now(site) == ANNA
    for profile in set(ProfileName) - {WORK, HOME}:
        assert not said(told, P(f"profile/{profile}"))


@pytest.mark.parametrize(
    ("settings", "spoken"),
    [
        ({}, (P.PROFILE_WORK, P.PROFILE_IS_ACTIVE, P.PROFILE_WORK)),
        ({"profile": HOME}, (P.PROFILE_HOME, P.PROFILE_IS_ACTIVE, P.PROFILE_WORK)),
        (HOURS, (P.PROFILE_HOME, P.PROFILE_IS_ACTIVE, P.BY_OFFICE_HOURS, P.PROFILE_WORK)),
        (
            {**HOURS, "profile": VACATION, "profile_until": datetime(2026, 3, 9)},
            (
                *(P.PROFILE_VACATION, P.PROFILE_IS_ACTIVE),
                *(P.IT_ENDS, Day(date(2026, 3, 8), TODAY), P.PROFILE_WORK),
            ),
        ),
        (
            {"profile": VACATION, "profile_until": datetime(2026, 3, 4, 14)},
            (P.PROFILE_WORK, P.PROFILE_IS_ACTIVE, P.PROFILE_WORK),
        ),
        (
            {"profile": HOME, "profile_until": datetime(2026, 3, 4, 18)},
            (P.PROFILE_HOME, P.PROFILE_IS_ACTIVE, P.IT_ENDS, Day(TODAY, TODAY), P.PROFILE_WORK),
        ),
    ],
    ids=["work", "home", "by hours", "vacation", "over", "until tonight"],
)
def test_what_is_active_is_said_with_the_reason(
    settings: dict[str, object], spoken: tuple[Part, ...]
) -> None:
    async def story(phone: Phone) -> None:
        await phone.hears(P.PROFILE_IS_ACTIVE, P.TO_GO_BACK)

    assert said(in_menu(site_of(anna_with(**settings)), PROFILES, story), *spoken)


@pytest.mark.feature_part("GREET-10", "Vacation gets its end date by telephone")
@pytest.mark.parametrize(
    ("typed", "last"),
    [
        ("2412", date(2026, 12, 24)),
        ("0403", TODAY),
        ("0303", date(2027, 3, 3)),
        ("0101", date(2027, 1, 1)),
    ],
    ids=["to come", "today", "yesterday is next year's", "new year"],
)
def test_vacation_has_a_last_day_after_which_the_profile_before_is_back(
    typed: str, last: date
) -> None:
    site = site_of(anna_with(profile=HOME))

    async def story(phone: Phone) -> None:
        phone.presses("4")
        await phone.hears(P.ENTER_LAST_DAY)
        phone.presses(f"{typed}#")
        await phone.hears(P.PROFILE_VACATION, P.PROFILE_ACTIVATED, P.IT_ENDS, Day(last, TODAY))
        await back_in_main_menu(phone)

    in_menu(site, PROFILES, story)
    anna = anna_now(site)
    on_last_day = datetime(last.year, last.month, last.day, 23, 59, tzinfo=BERLIN)
    assert active_profile(anna, Rules(), on_last_day).profile is VACATION
    after = on_last_day.replace(hour=0, minute=0) + timedelta(days=1)
    assert active_profile(anna, Rules(), after).profile is HOME


@pytest.mark.parametrize("typed", ["3102", "0000", "1313", "2902", "1", "12345", "0"])
def test_a_day_that_does_not_exist_is_asked_for_again(typed: str) -> None:
    site = site_of()

    async def story(phone: Phone) -> None:
        phone.presses("4")
        await phone.hears(P.ENTER_LAST_DAY)
        phone.presses(f"{typed}#")
        await phone.hears(P.NO_SUCH_DATE, P.ENTER_LAST_DAY)
        assert anna_now(site) == ANNA
        phone.presses("0504#")
        await phone.hears(P.PROFILE_ACTIVATED)

    in_menu(site, PROFILES, story)
    assert anna_now(site).profile_until == datetime(2026, 4, 6)


def test_three_such_days_end_the_call_politely_and_change_nothing() -> None:
    site = site_of()

    async def story(phone: Phone) -> None:
        phone.presses("4")
        for _ in range(3):
            await phone.hears(P.ENTER_LAST_DAY)
            phone.presses("9999#")
            await phone.hears(P.NO_SUCH_DATE)
        await phone.hears(P.GOODBYE)
        await phone.hears_the_end()

    told = in_menu(site, PROFILES, story)
    assert told.channel.left == ("SUCCESS", "")
    assert anna_now(site) == ANNA


def test_the_star_key_goes_back_from_the_day_and_from_the_profiles() -> None:
    site = site_of()

    async def story(phone: Phone) -> None:
        phone.presses("4")
        await phone.hears(P.ENTER_LAST_DAY)
        phone.presses("*")
        await back_in_main_menu(phone)
        phone.presses("6")
        await phone.hears(P.PROFILE_IS_ACTIVE, P.TO_GO_BACK)
        phone.presses("*")
        await back_in_main_menu(phone)

    in_menu(site, PROFILES, story)
    assert anna_now(site) == ANNA


def test_another_profile_ends_what_was_temporary() -> None:
    anna = anna_with(profile=VACATION, profile_until=datetime(2026, 4, 1), profile_after=HOME)
    site = site_of(anna)

    async def story(phone: Phone) -> None:
        phone.presses("1")
        await phone.hears(P.PROFILE_WORK, P.PROFILE_ACTIVATED)
        await back_in_main_menu(phone)

    told = in_menu(site, PROFILES, story)
    assert (anna_now(site).profile, anna_now(site).profile_until) == (WORK, None)
    assert not said(told, P.PROFILE_ACTIVATED, P.IT_ENDS)


def test_a_new_end_of_vacation_keeps_the_profile_that_comes_after() -> None:
    anna = anna_with(profile=VACATION, profile_until=datetime(2026, 4, 1), profile_after=HOME)
    site = site_of(anna)

    async def story(phone: Phone) -> None:
        phone.presses("40505#")
        await phone.hears(P.PROFILE_ACTIVATED)

    in_menu(site, PROFILES, story)
    assert anna_now(site) == anna_with(
        profile=VACATION, profile_until=datetime(2026, 5, 6), profile_after=HOME
    )


@pytest.mark.parametrize("fault", ["unavailable", "read_only"])
def test_what_cannot_be_stored_is_said_and_nothing_else_is_lost(fault: str) -> None:
    site = site_of()

    async def story(phone: Phone) -> None:
        await phone.hears(P.PROFILE_IS_ACTIVE, P.TO_GO_BACK)
        setattr(site.directory, fault, True)
        phone.presses("377")
        await phone.hears(P.NOT_POSSIBLE_NOW)
        await back_in_main_menu(phone)
        setattr(site.directory, fault, False)
        phone.presses("62")
        await phone.hears(P.PROFILE_MOBILE, P.PROFILE_ACTIVATED)

    told = in_menu(site, PROFILES, story)
    assert anna_now(site).profile is ProfileName.MOBILE
    assert not said(told, P.PROFILE_HOME, P.PROFILE_ACTIVATED)


def test_whoever_hangs_up_keeps_what_was_confirmed() -> None:
    confirmed = set()
    for moment in range(60):
        site = site_of()

        async def story(phone: Phone) -> None:
            phone.presses("4")
            await phone.hears(P.ENTER_LAST_DAY)
            phone.presses("2412#")
            await phone.hears(P.PROFILE_ACTIVATED)
            await back_in_main_menu(phone)

        told = in_menu(site, PROFILES, story, hang_up_after=moment + 0.5)
        heard = said(told, P.PROFILE_ACTIVATED)
        confirmed.add(heard)
        now = anna_now(site)
        assert now in (ANNA, anna_with(profile=VACATION, profile_until=datetime(2026, 12, 25)))
        assert now.profile is VACATION or not heard
    assert confirmed == {True, False}


@pytest.mark.feature_part("LOGIN-01", "profile settings only")
def test_who_may_only_change_profiles_gets_there_without_the_mailbox() -> None:
    site = site_of(anna_with(access=Access.PROFILES))
    site.mailboxes.unavailable = True  # nobody opens it

    async def story(phone: Phone) -> None:
        await phone.hears(P.PROFILE_WORK, P.PROFILE_IS_ACTIVE)
        phone.presses("3")
        await phone.hears(P.PROFILE_HOME, P.PROFILE_ACTIVATED)
        await back_in_main_menu(phone)
        for key in "12":
            phone.presses(key)
            await phone.hears(P.KEY_NOT_USED, P.TO_END)
        phone.presses("0")
        await back_in_main_menu(phone)
        phone.presses("#")
        await phone.hears(P.GOODBYE)
        await phone.hears_the_end()

    told = in_menu(site, PROFILES, story)
    assert anna_now(site).profile is HOME
    assert told.channel.left == ("SUCCESS", "")
    for words in (P.YOU_HAVE, P.FOR_NEW_VOICE_MESSAGES, P.FOR_HEARD_VOICE_MESSAGES):
        assert not said(told, words)
