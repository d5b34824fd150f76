"""Is a welcome mail due, what may be in it, and which number does it name?"""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.login_phones import ListedPhone, LoginFrom, PhoneLogin
from vm_ari.domain.login_state import LoginState, stamp
from vm_ari.domain.numbers import Site
from vm_ari.domain.preferences import Access
from vm_ari.domain.users import User
from vm_ari.domain.welcome import (
    NEW_PIN,
    BadNumberSource,
    NumberSource,
    Rights,
    Standing,
    asked_again,
    is_due,
    is_ours,
    named_number,
    needs_new_pin,
    rights_of,
    standing,
    with_mail,
)

SITE = Site(base_number="+4930555", area="30")
NOW = datetime(2026, 11, 22, 3, 0, 0, tzinfo=UTC)
LATER = datetime(2026, 11, 22, 4, 0, 0, tzinfo=UTC)
ANNA = User("anna", "Anna", "101", ("+4930555101",), "anna@example.org")
DIRECTORY = {
    "facsimileTelephoneNumber": ["030 555-301"],
    "proxyAddresses": ["SMTP:anna@example.org", "smtp:a@example.org", "ixi:+49 30 555 302"],
    "telephoneNumber": ["101"],
}


@pytest.mark.parametrize(
    ("source", "attributes", "named"),
    [
        ("fax-or-proxy", DIRECTORY, "+4930555301"),
        ("fax-or-proxy", {**DIRECTORY, "facsimileTelephoneNumber": []}, "+4930555302"),
        ("fax-or-proxy", {"facsimileTelephoneNumber": ["n/a", "030555309"]}, "+4930555309"),
        ("fax-or-proxy", {"proxyAddresses": ["SMTP:030555999@example.org"]}, "dialled"),
        ("fax-or-proxy", {}, "dialled"),
        ("fax", {"proxyAddresses": ["IXI:302"]}, "dialled"),
        ("fax", DIRECTORY, "+4930555301"),
        ("proxy", DIRECTORY, "+4930555302"),
        ("proxy", {"proxyAddresses": ["IXI:", "IXI:302"]}, "+4930555302"),
        ("attribute telephoneNumber", DIRECTORY, "+4930555101"),
        ("attribute mobile", DIRECTORY, "dialled"),
        ("030 555-199", DIRECTORY, "+4930555199"),
        ("+43 1 555 0", DIRECTORY, "+4315550"),
    ],
)
def test_the_site_says_which_number_the_mail_names(
    source: str, attributes: dict[str, list[str]], named: str
) -> None:
    assert named_number(NumberSource.parse(source), attributes, SITE, "dialled") == named


@pytest.mark.parametrize("text", ["", "number", "attribute", "attribute a=b", "fax proxy", "+"])
def test_a_source_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadNumberSource, match="write fax-or-proxy, fax, proxy, attribute NAME"):
        NumberSource.parse(text)


@given(st.dictionaries(st.sampled_from(list(DIRECTORY)), st.lists(st.text(max_size=60))))
def test_whatever_a_directory_holds_a_number_is_named(attributes: dict[str, list[str]]) -> None:
    for source in ("fax-or-proxy", "attribute telephoneNumber"):
        named = named_number(NumberSource.parse(source), attributes, SITE, "101")
        assert named.removeprefix("+").isdecimal()


@pytest.mark.parametrize(
    ("welcome", "how"),
    [
        ("", Standing.NEVER),
        ("due", Standing.DUE),
        ("2026-11-22T03:00:00Z", Standing.SENT),
        ("yesterday", Standing.DUE),
    ],
)
def test_a_mail_is_due_until_it_was_sent(welcome: str, how: Standing) -> None:
    state = LoginState(welcome=welcome)
    assert standing(state) is how
    assert is_due(state) is (how is not Standing.SENT)


def test_what_a_user_may_do_decides_what_the_mail_speaks_of() -> None:
    told = {mode: rights_of(replace(ANNA, access=mode)) for mode in Access}
    assert {mode: (r.telephone, r.messages) for mode, r in told.items()} == {
        Access.NONE: (False, False),
        Access.PROFILES: (True, False),
        Access.FULL: (True, True),
    }


@pytest.mark.parametrize(
    ("settings", "telephone"),
    [
        ({}, False),
        ({"login_office": PhoneLogin.NO_PIN}, True),
        ({"login_mobile": PhoneLogin.PIN}, False),
        ({"login_mobile": PhoneLogin.PIN, "mobile": "+4917112345"}, True),
        ({"login_numbers": (ListedPhone("+493012345"),)}, True),
        ({"login_office": PhoneLogin.PIN, "access": Access.NONE}, False),
    ],
)
def test_where_no_telephone_may_log_in_it_is_not_spoken_of(
    settings: dict[str, Any], telephone: bool
) -> None:
    user = replace(ANNA, login_from=LoginFrom.NOWHERE, **settings)
    assert rights_of(user) == Rights(telephone, telephone)


def test_a_new_pin_is_needed_where_there_is_none_or_one_was_asked_for() -> None:
    assert needs_new_pin(LoginState())
    assert not needs_new_pin(LoginState(pin="271828"))
    assert not needs_new_pin(LoginState(unopened=True))
    assert needs_new_pin(LoginState(pin="271828", welcome_wish=NEW_PIN))


def test_only_who_changes_the_state_from_due_lets_the_mail_go() -> None:
    before = LoginState(failures=2)
    first = with_mail(before, before, "271828", NOW, one_time=True)
    assert (first.pin, first.must_change, first.failures) == ("271828", True, 2)
    assert first.welcome == stamp(NOW)
    assert is_ours(first, NOW)
    assert not is_ours(first, LATER)
    assert with_mail(first, before, "314159", LATER, one_time=True) == first


@pytest.mark.parametrize(
    "meanwhile",
    [{"pin": "314159"}, {"welcome": "due", "welcome_wish": NEW_PIN}, {"unopened": True, "pin": ""}],
)
def test_a_mail_that_was_written_from_what_is_out_of_date_does_not_go(
    meanwhile: dict[str, str],
) -> None:
    before = LoginState(pin="271828")
    now = replace(before, **meanwhile)  # type: ignore[arg-type]
    assert with_mail(now, before, "", NOW, one_time=False) == now


def test_a_wrong_pin_meanwhile_does_not_hold_the_mail_back() -> None:
    before = LoginState(pin="271828")
    now = replace(before, failures=3)
    assert with_mail(now, before, "", NOW, one_time=False) == replace(now, welcome=stamp(NOW))


def test_the_wish_is_granted_once() -> None:
    asked = asked_again(LoginState(pin="271828", welcome=stamp(NOW)), new_pin=True)
    assert is_due(asked)
    sent = with_mail(asked, asked, "314159", LATER, one_time=False)
    assert (sent.pin, sent.welcome_wish, sent.previous) == ("314159", "", ("271828",))
    again = asked_again(sent)
    assert not needs_new_pin(again)


def test_asking_again_unlocks_only_if_that_is_wanted() -> None:
    locked = LoginState(pin="271828", failures=5, welcome=stamp(NOW))
    assert asked_again(locked).failures == 5
    assert asked_again(locked, unlock=True).failures == 0


def test_a_new_pin_that_was_asked_for_is_never_taken_back() -> None:
    asked = asked_again(LoginState(pin="271828", welcome=stamp(NOW)), new_pin=True)
    assert needs_new_pin(asked_again(asked))
