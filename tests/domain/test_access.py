"""Who may log in from where, with the PIN or without."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from vm_ari.domain.access import (
    AfterExpiry,
    LoginRules,
    Origin,
    Standing,
    Verdict,
    decide,
    known_number,
    needs_reminder,
    standing,
)
from vm_ari.domain.callers import caller_from
from vm_ari.domain.login_phones import LISTED_PHONES, ListedPhone, LoginFrom, PhoneLogin
from vm_ari.domain.login_state import LoginState, to_be_changed, with_pin
from vm_ari.domain.numbers import Site
from vm_ari.domain.preferences import LOGIN_NUMBERS, Access, BadSetting
from vm_ari.domain.users import User

SITE = Site(region="DE", base_number="+498142479")
RULES = LoginRules(sites=(SITE,))
VERIFIED = replace(RULES, outside_numbers_verified=True)
PINLESS = replace(VERIFIED, pinless_from_outside=True)
MOBILE, HOME = "+4915112345678", "+4930998877"
ANNA = User("anna", "Anna", "101", ("+498142479101",), "anna@example.org", mobile="0151 12345678")
ADMIT, ASK, REFUSE = Verdict.ADMIT, Verdict.ASK_PIN, Verdict.REFUSE
OWN_PHONE, NO_ONE = Origin(phone="101"), Origin()
NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)


def from_outside(number: str, **how: bool) -> Origin:
    """As a call from a trunk comes in, whatever it claims."""
    return Origin(caller=caller_from(number, "", SITE, **how).number)


def verdict(user: User, origin: Origin, rules: LoginRules = RULES) -> Verdict:
    return decide(user, origin, rules).verdict


@pytest.mark.feature_part("LOGIN-06", "from all with PIN, which is the default, or from nowhere")
def test_where_nothing_is_set_every_telephone_needs_the_pin() -> None:
    for origin in (OWN_PHONE, NO_ONE, from_outside(MOBILE), from_outside(ANNA.numbers[0])):
        assert verdict(ANNA, origin) is verdict(ANNA, origin, PINLESS) is ASK
        nowhere = replace(ANNA, login_from=LoginFrom.NOWHERE)
        assert verdict(nowhere, origin) is verdict(nowhere, origin, PINLESS) is REFUSE


@pytest.mark.feature_part("LOGIN-01", "no telephone login, whatever else is set")
def test_who_has_no_telephone_login_gets_in_from_nowhere() -> None:
    user = replace(ANNA, access=Access.NONE, login_office=PhoneLogin.NO_PIN)
    assert verdict(user, OWN_PHONE) is REFUSE
    assert verdict(replace(user, access=Access.PROFILES), OWN_PHONE) is ADMIT


@pytest.mark.feature_part("LOGIN-06", "exceptions: office phone, mobile, others; with or without")
@pytest.mark.parametrize("nowhere", [False, True])
def test_exceptions_are_made_for_telephones_that_are_known(nowhere: bool) -> None:
    base = replace(ANNA, login_from=LoginFrom.NOWHERE) if nowhere else ANNA
    usual = REFUSE if nowhere else ASK
    listed = (ListedPhone(HOME, PhoneLogin.NO_PIN), ListedPhone("107"))
    expected = {PhoneLogin.NO_PIN: ADMIT, PhoneLogin.PIN: ASK, PhoneLogin.DEFAULT: usual}
    for setting, then in expected.items():
        office = replace(base, login_office=setting)
        mobile = replace(base, login_mobile=setting)
        for phone in ("101", "+498142479101"):
            assert verdict(office, Origin(phone=phone)) is then
        assert verdict(mobile, Origin(phone=MOBILE)) is then
        assert verdict(mobile, from_outside(MOBILE), PINLESS) is then
        assert verdict(office, Origin(phone="102")) is verdict(mobile, OWN_PHONE) is usual
    others = replace(base, login_numbers=listed)
    assert verdict(others, from_outside(HOME), PINLESS) is ADMIT
    assert verdict(others, Origin(phone="107")) is ASK
    assert verdict(others, Origin(phone="108")) is usual


@pytest.mark.feature_part("LOGIN-06", "suppressed, malformed or unverified numbers never match")
def test_a_number_that_is_only_claimed_never_matches() -> None:
    trusting = replace(
        ANNA,
        login_from=LoginFrom.NOWHERE,
        login_office=PhoneLogin.NO_PIN,
        login_mobile=PhoneLogin.NO_PIN,
        login_numbers=(ListedPhone(HOME, PhoneLogin.NO_PIN), ListedPhone("107")),
    )
    claims = [MOBILE, HOME, "101", "107", *ANNA.numbers]
    assert {verdict(trusting, from_outside(number)) for number in claims} == {REFUSE}
    broken = ["", "anonymous", f"{MOBILE}x", f"{MOBILE},{HOME}", "*", "\0", "tel:abc"]
    for origin in (*map(from_outside, broken), from_outside(MOBILE, withheld=True)):
        assert verdict(trusting, origin, PINLESS) is REFUSE
        assert known_number(origin, PINLESS) == ""


@pytest.mark.feature_part("LOGIN-06", "an inside number that comes from outside is a lie")
def test_no_switch_makes_a_call_from_outside_a_telephone_of_the_house() -> None:
    user = replace(
        ANNA, login_office=PhoneLogin.NO_PIN, login_numbers=(ListedPhone("107", PhoneLogin.NO_PIN),)
    )
    for number in ("101", "107", "+498142479101", "08142 479101"):
        assert verdict(user, from_outside(number), PINLESS) is ASK
        assert known_number(from_outside(number), PINLESS) == ""


@pytest.mark.feature_part("LOGIN-06", "without PIN from outside by an explicit switch only")
def test_without_pin_from_outside_needs_the_switch() -> None:
    user = replace(ANNA, login_from=LoginFrom.NOWHERE, login_mobile=PhoneLogin.NO_PIN)
    origin = from_outside("0151/12345678")
    assert [verdict(user, origin, rules) for rules in (RULES, VERIFIED, PINLESS)] == [
        REFUSE,
        ASK,
        ADMIT,
    ]
    assert "from outside" in decide(user, origin, VERIFIED).reason


def test_the_number_that_is_written_out_wins() -> None:
    user = replace(
        ANNA, login_office=PhoneLogin.NO_PIN, login_numbers=(ListedPhone("101", PhoneLogin.PIN),)
    )
    assert verdict(user, OWN_PHONE) is ASK


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("+4915112345678", (ListedPhone(MOBILE),)),
        ("101:no-pin, +4930998877:pin", (ListedPhone("101", PhoneLogin.NO_PIN), ListedPhone(HOME))),
        ("none", ()),
    ],
)
def test_listed_numbers_are_read(text: str, expected: tuple[ListedPhone, ...]) -> None:
    assert LOGIN_NUMBERS.parse(text) == expected
    assert LOGIN_NUMBERS.parse(LOGIN_NUMBERS.format(expected)) == expected


@pytest.mark.parametrize("text", ["", ",", "0151 12345", "101:", "101:maybe", "101,101", "*", "+0"])
def test_others_are_no_list(text: str) -> None:
    if text == "0151 12345":  # two extensions, which is what it says
        assert len(LISTED_PHONES.read(text)) == 2
        return
    with pytest.raises(BadSetting):
        LOGIN_NUMBERS.parse(text)


# --- the age of PINs

AGING = replace(RULES, pin_days=90, reminder_days=7)
FRESH = with_pin(LoginState(), "730264", NOW)


@pytest.mark.feature_part("LOGIN-04", "after so many days it is changed, or the login prevented")
def test_a_pin_ends() -> None:
    end = NOW + timedelta(days=90)
    prevent = replace(AGING, after_expiry=AfterExpiry.PREVENT)
    assert standing(FRESH, AGING, end - timedelta(seconds=1)) is Standing.OPEN
    assert standing(FRESH, AGING, end) is Standing.MUST_CHANGE
    assert standing(FRESH, prevent, end) is Standing.EXPIRED
    assert standing(FRESH, RULES, end + timedelta(days=9999)) is Standing.OPEN
    unknown_age = replace(FRESH, pin_set=None)
    assert standing(unknown_age, AGING, end) is Standing.OPEN


@pytest.mark.feature_part("LOGIN-04", "existing users must change now")
def test_a_pin_can_be_made_to_be_changed_now() -> None:
    assert standing(to_be_changed(FRESH), RULES, NOW) is Standing.MUST_CHANGE
    assert not to_be_changed(LoginState()).must_change
    one_time = with_pin(FRESH, "835271", NOW, one_time=True)
    assert standing(one_time, RULES, NOW) is Standing.MUST_CHANGE
    assert standing(with_pin(one_time, "246813", NOW), RULES, NOW) is Standing.OPEN


@pytest.mark.feature_part("LOGIN-07", "the default PIN must be changed")
def test_who_has_used_the_default_pin_must_change_it() -> None:
    assert standing(LoginState(), RULES, NOW) is Standing.MUST_CHANGE
    assert standing(LoginState(unopened=True), RULES, NOW) is Standing.OPEN


@pytest.mark.feature_part("LOGIN-04", "a reminder so many days before, once for each PIN")
def test_a_reminder_comes_once_in_the_last_days() -> None:
    days = [n for n in range(100) if needs_reminder(FRESH, AGING, NOW + timedelta(days=n))]
    assert days == list(range(83, 90))
    told = replace(FRESH, pin_told=NOW + timedelta(days=83))
    assert not needs_reminder(told, AGING, NOW + timedelta(days=84))
    again = with_pin(told, "835271", NOW + timedelta(days=85))
    assert needs_reminder(again, AGING, NOW + timedelta(days=85 + 83))
    for rules in (RULES, replace(AGING, reminder_days=0)):
        assert not needs_reminder(FRESH, rules, NOW + timedelta(days=84))
