"""The user chooses a new PIN: in the personal options, and when the old one has ended."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.dialogues.conftest import Logs
from tests.dialogues.exchange import ANNA, PIN, START, Exchange, tell
from tests.dialogues.own_menus import in_menu, said
from tests.phone import Phone
from vm_ari.domain.access import AfterExpiry, LoginRules
from vm_ari.domain.login_state import LoginState, to_be_changed, with_pin
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Number

NEW = "835271"
TO_PIN = "83"
"""From the main menu: personal options, PIN."""


def remembered(site: Exchange, *, days_ago: float) -> None:
    """Her PIN was set so long ago."""
    since = START - timedelta(days=days_ago)
    site.directory.logins["anna"] = with_pin(LoginState(), PIN, since)


@pytest.mark.feature_part("LOGIN-05", "the user changes the PIN by telephone")
@pytest.mark.feature_part("MENU-03", "the PIN can be changed in the personal options")
def test_the_new_pin_is_typed_twice_and_counts_at_once() -> None:
    site = Exchange()

    async def story(phone: Phone) -> None:
        await phone.hears(P.ENTER_NEW_PIN, P.DIGITS_AND_HASH)
        phone.presses(f"{NEW}#")
        await phone.hears(P.REPEAT_NEW_PIN)
        phone.presses(f"{NEW}#")
        await phone.hears(P.PIN_CHANGED, P.FOR_PIN)

    told = in_menu(site, TO_PIN, story)
    assert site.directory.pins["anna"] == NEW
    state = site.directory.logins["anna"]
    assert (state.previous, state.must_change) == ((PIN,), False)
    assert state.pin_set is not None
    assert said(told, P.ENTER_NEW_PIN, Number(6), P.DIGITS_AND_HASH)


@pytest.mark.feature_part("LOGIN-02", "the reason is spoken")
@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("12345", P.PIN_TOO_SHORT),
        ("121212", P.PIN_REPEATED),
        ("456789", P.PIN_SEQUENCE),
        ("101000", P.PIN_OWN_NUMBER),
        (PIN, P.PIN_USED_BEFORE),
    ],
)
def test_a_pin_that_is_no_good_is_refused_with_the_reason(typed: str, reason: P) -> None:
    site = Exchange()

    async def story(phone: Phone) -> None:
        await phone.hears(P.ENTER_NEW_PIN)
        phone.presses(f"{typed}#{typed}#")
        await phone.hears(reason, P.ENTER_NEW_PIN)
        phone.presses(f"{NEW}#{NEW}#")
        await phone.hears(P.PIN_CHANGED)

    in_menu(site, TO_PIN, story)
    assert site.directory.pins["anna"] == NEW


@pytest.mark.feature_part("LOGIN-02", "the previous five are refused")
def test_the_previous_pins_are_refused_until_five_others_came() -> None:
    site = Exchange()
    later = ["835271", "835272", "835273", "835274", "835275", "835276"]

    async def change(pin: str, *, good: bool) -> None:
        present = site.directory.pins["anna"]

        async def caller(phone: Phone) -> None:
            phone.presses(f"{present}#{TO_PIN}")
            await phone.hears(P.ENTER_NEW_PIN)
            phone.presses(f"{pin}#")
            if good:
                await phone.hears(P.REPEAT_NEW_PIN)
                phone.presses(f"{pin}#")
                await phone.hears(P.PIN_CHANGED)
            else:
                await phone.hears(P.PIN_USED_BEFORE)
            phone.hangs_up()

        await site.call(caller, purpose="login")

    async def story() -> None:
        for pin in later[:5]:
            await change(pin, good=True)
            await change(PIN, good=False)
        await change(later[5], good=True)
        await change(PIN, good=True)

    tell(story())


def test_two_different_ones_change_nothing() -> None:
    site = Exchange()

    async def story(phone: Phone) -> None:
        phone.presses(f"{NEW}#835272#")
        await phone.hears(P.PINS_DIFFER, P.ENTER_NEW_PIN)
        phone.presses("*")
        await phone.hears(P.FOR_PIN)

    in_menu(site, TO_PIN, story)
    assert site.directory.pins["anna"] == PIN


def test_who_hangs_up_in_between_keeps_the_old_one() -> None:
    site = Exchange()

    async def story(phone: Phone) -> None:
        phone.presses(f"{NEW}#")
        await phone.hears(P.REPEAT_NEW_PIN)

    in_menu(site, TO_PIN, story)
    assert site.directory.pins["anna"] == PIN


def test_three_that_are_no_good_end_the_call() -> None:
    site = Exchange()

    async def story(phone: Phone) -> None:
        for _ in range(3):
            phone.presses("111111#")
            await phone.hears(P.PIN_REPEATED)
        await phone.hears(P.GOODBYE)

    in_menu(site, TO_PIN, story)
    assert site.directory.pins["anna"] == PIN


def test_a_directory_that_takes_no_changes_is_told() -> None:
    site = Exchange()
    site.directory.read_only = True

    async def story(phone: Phone) -> None:
        phone.presses(f"{NEW}#{NEW}#")
        await phone.hears(P.NOT_POSSIBLE_NOW, P.FOR_PIN)

    in_menu(site, TO_PIN, story)


@pytest.mark.feature_part("LOGIN-08", "no PIN reaches a log")
def test_no_new_pin_reaches_a_log(logs: Logs) -> None:
    async def story(phone: Phone) -> None:
        phone.presses(f"444444#{NEW}#835272#{NEW}#{NEW}#")
        await phone.hears(P.PIN_REPEATED)
        phone.presses(f"{NEW}#{NEW}#")
        await phone.hears(P.PIN_CHANGED)

    in_menu(Exchange(), TO_PIN, story)
    assert NEW not in str(logs)
    assert "835272" not in str(logs)
    assert any(entry["event"] == "PIN changed" for entry in logs)


# --- PINs that have ended

AGING = LoginRules(pin_days=90)


@pytest.mark.feature_part("LOGIN-04", "a change is enforced at the login")
def test_who_logs_in_with_a_pin_that_has_ended_must_change_it_first() -> None:
    site = Exchange(login_rules=AGING)
    remembered(site, days_ago=90)

    async def caller(phone: Phone) -> None:
        phone.presses(f"*{PIN}#1")
        await phone.hears(P.PIN_MUST_CHANGE, P.ENTER_NEW_PIN)
        phone.presses(f"{NEW}#{NEW}#")
        await phone.hears(P.PIN_CHANGED, P.YOU_HAVE)
        phone.hangs_up()

    site.phone_call(caller)
    assert site.directory.pins["anna"] == NEW


@pytest.mark.feature_part("LOGIN-04", "nobody gets in without a change")
@pytest.mark.parametrize("leaving", ["*", "hang up"])
def test_who_does_not_change_it_does_not_get_in(leaving: str) -> None:
    site = Exchange(login_rules=AGING)
    remembered(site, days_ago=90)

    async def gives_up(phone: Phone) -> None:
        phone.presses(f"*{PIN}#")
        await phone.hears(P.ENTER_NEW_PIN)
        if leaving == "hang up":
            phone.hangs_up()
            return
        phone.presses(leaving)
        await phone.hears(P.GOODBYE)
        await phone.hears_the_end()

    async def story() -> None:
        for _ in range(2):
            told = await site.call(gives_up)
            assert "en/you-have" not in told.phone.heard_names()

    tell(story())
    assert site.directory.pins["anna"] == PIN


@pytest.mark.feature_part("LOGIN-04", "or the login is prevented")
def test_a_site_can_prevent_the_login_instead() -> None:
    site = Exchange(login_rules=replace(AGING, after_expiry=AfterExpiry.PREVENT))
    remembered(site, days_ago=90)

    async def caller(phone: Phone) -> None:
        phone.presses(f"*{PIN}#")
        await phone.hears(P.PIN_EXPIRED, P.GOODBYE)
        await phone.hears_the_end()

    told = site.phone_call(caller)
    assert "en/you-have" not in told.phone.heard_names()


def test_before_its_end_a_pin_opens_as_ever() -> None:
    site = Exchange(login_rules=AGING)
    remembered(site, days_ago=89)

    async def caller(phone: Phone) -> None:
        phone.presses(f"*{PIN}#")
        await phone.hears(P.YOU_HAVE)
        phone.hangs_up()

    site.phone_call(caller)


@pytest.mark.feature_part("LOGIN-04", "existing users must change now")
def test_an_admin_can_demand_a_change() -> None:
    site = Exchange()

    async def caller(phone: Phone) -> None:
        phone.presses(f"{PIN}#")
        await phone.hears(P.PIN_MUST_CHANGE)
        phone.presses(f"{NEW}#{NEW}#")
        await phone.hears(P.YOU_HAVE)
        phone.hangs_up()

    async def story() -> None:
        await site.directory.change_login("anna", to_be_changed)
        await site.call(caller, purpose="login")

    tell(story())
    assert not site.directory.logins["anna"].must_change


@pytest.mark.feature_part("LOGIN-07", "who logs in with the default PIN chooses another one")
def test_the_default_pin_must_be_changed_at_the_first_login() -> None:
    site = Exchange(users=(ANNA,), login_rules=LoginRules(default_pin="80808"))
    site.directory.pins.clear()

    async def caller(phone: Phone) -> None:
        phone.presses("80808#")
        await phone.hears(P.PIN_MUST_CHANGE)
        phone.presses(f"{NEW}#{NEW}#")
        await phone.hears(P.PIN_CHANGED, P.YOU_HAVE)
        phone.hangs_up()

    site.phone_call(caller, purpose="login")
    assert site.directory.pins == {"anna": NEW}
