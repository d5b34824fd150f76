"""May this user send this there now? Every answer, and its words (UM-05)."""

from dataclasses import replace
from typing import Any

import pytest

from vm_ari.domain.dialling import Allowed, DiallingRules, may_dial, parse_rule
from vm_ari.domain.numbers import Site
from vm_ari.domain.preferences import ABOUT_RIGHTS, SETTINGS
from vm_ari.domain.rights import (
    Caps,
    Outgoing,
    Used,
    Why,
    limits_of,
    may_send,
    may_sign,
    scope_of,
    sender_choices,
    shown_number,
)
from vm_ari.domain.rights_settings import Scope
from vm_ari.domain.users import User
from vm_ari.web.api.operations.settings import features

BERLIN = Site(base_number="+4930555")
VIENNA = Site(name="vienna", region="AT", base_number="+431555")
SITES = (BERLIN, VIENNA)
EVERYWHERE = DiallingRules((parse_rule("allow all", BERLIN),))
ANNA = User("anna", "Anna", "101", ("+4930555101", "+4930555102"), "anna@example.org")
FRANZ = User("franz", "Franz", "201", ("+431555201",), "franz@example.org")
FAX, SMS, VOICE = Outgoing.FAX, Outgoing.SMS, Outgoing.VOICE
NATIONAL = "+49301234567"


def to(number: str) -> Allowed:
    judged = may_dial(number, EVERYWHERE, SITES)
    assert isinstance(judged, Allowed)
    return judged


@pytest.mark.parametrize(
    ("user", "number", "scope"),
    [
        (ANNA, "+4930555103", Scope.INTERNAL),
        (ANNA, "+431555201", Scope.INTERNAL),  # another site of the house
        (ANNA, NATIONAL, Scope.NATIONAL),
        (ANNA, "+491701234567", Scope.NATIONAL),
        (ANNA, "+4318901234", Scope.INTERNATIONAL),
        (FRANZ, "+4318901234", Scope.NATIONAL),  # where he is
        (FRANZ, NATIONAL, Scope.INTERNATIONAL),
        (ANNA, "+499001123456", Scope.NATIONAL),
        (ANNA, "+870773123456", Scope.INTERNATIONAL),  # a satellite
        (ANNA, "+491012345678901", Scope.INTERNATIONAL),  # by another carrier: to anywhere
    ],
)
def test_how_far_a_number_is(user: User, number: str, scope: Scope) -> None:
    assert scope_of(user, to(number), SITES) is scope


@pytest.mark.parametrize("what", list(Outgoing))
@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        (Scope.NOBODY, 0),
        (Scope.INTERNAL, 1),
        (Scope.NATIONAL, 2),
        (Scope.INTERNATIONAL, 3),
    ],
)
def test_the_scope_of_a_user_narrows_what_the_rules_allow(
    what: Outgoing, scope: Scope, allowed: int
) -> None:
    numbers = [to(one) for one in ("+4930555103", NATIONAL, "+4318901234")]
    settings: dict[str, Any] = {f"{what}_scope": scope}
    user, capped = replace(ANNA, **settings), Caps(**settings)
    for judged in (
        [may_send(user, what, one, Caps(), SITES) for one in numbers],
        [may_send(ANNA, what, one, capped, SITES) for one in numbers],
    ):
        assert [one is None for one in judged] == [place < allowed for place in range(3)]
        assert {one.why for one in judged if one} <= {Why.SCOPE}
    for other in Outgoing:
        if other is not what:
            assert may_send(user, other, numbers[-1], Caps(), SITES) is None


@pytest.mark.parametrize(
    ("settings", "pages", "used", "why"),
    [
        ({}, 100, Used(999, 9999), None),
        ({"fax_per_day": 3}, 1, Used(2, 50), None),
        ({"fax_per_day": 3}, 1, Used(3, 3), Why.PER_DAY),
        ({"fax_pages_per_day": 10}, 4, Used(1, 6), None),
        ({"fax_pages_per_day": 10}, 4, Used(1, 7), Why.PAGES_PER_DAY),
        ({"fax_pages_per_day": 10}, 0, Used(1, 9), None),  # nobody knows yet: one is possible
        ({"fax_pages_per_day": 10}, 0, Used(1, 10), Why.PAGES_PER_DAY),
        ({"fax_most_pages": 5}, 5, Used(), None),
        ({"fax_most_pages": 5}, 6, Used(), Why.PAGES),
    ],
)
def test_limits_of_faxes_are_the_users_and_at_most_the_sites(
    settings: dict[str, Any], pages: int, used: Used, why: Why | None
) -> None:
    user, site = replace(ANNA, **settings), Caps(**settings)
    for judged in (
        may_send(user, FAX, to(NATIONAL), Caps(), SITES, pages=pages, used=used),
        may_send(ANNA, FAX, to(NATIONAL), site, SITES, pages=pages, used=used),
    ):
        assert (judged.why if judged else None) is why


def test_the_smaller_limit_counts_and_zero_is_none() -> None:
    user = replace(ANNA, sms_per_day=5, voice_per_day=9)
    assert limits_of(user, SMS, Caps(sms_per_day=3)).per_day == 3
    assert limits_of(user, SMS, Caps(sms_per_day=8)).per_day == 5
    assert limits_of(user, VOICE, Caps()).per_day == 9
    assert not limits_of(ANNA, VOICE, Caps()).counts


def test_calls_inside_the_house_count_for_nothing() -> None:
    user = replace(ANNA, voice_per_day=1)
    assert may_send(user, VOICE, to("+4930555103"), Caps(), SITES, used=Used(5)) is None
    assert may_send(user, VOICE, to(NATIONAL), Caps(), SITES, used=Used(5))


def test_a_refusal_says_in_words_what_is_allowed() -> None:
    user = replace(ANNA, voice_scope=Scope.INTERNAL, fax_pages_per_day=10, sms_per_day=2)
    refused = may_send(user, VOICE, to(NATIONAL), Caps(), SITES)
    assert refused
    assert "calls are allowed inside the house only" in refused.reason
    refused = may_send(user, FAX, to(NATIONAL), Caps(), SITES, pages=4, used=Used(2, 8))
    assert refused
    assert "2 of the 10" in refused.reason
    assert refused.why.passes
    refused = may_send(user, SMS, to(NATIONAL), Caps(), SITES, used=Used(2))
    assert refused
    assert "2 are allowed" in refused.reason


def test_only_listed_numbers_are_shown_once_there_are_any() -> None:
    faxing = replace(ANNA, fax_numbers=("+4930555102",))
    assert sender_choices(faxing) == ("+4930555102", "+4930555101")
    assert shown_number(ANNA) == "+4930555101"
    central = replace(ANNA, sender_numbers=("+4930555100",))
    assert sender_choices(central) == ("+4930555100",)
    assert shown_number(central) == "+4930555100"
    second = replace(ANNA, sender_numbers=("+4930555100", "+4930555102"))
    assert shown_number(second) == "+4930555102", "an own one, where one is listed"
    assert may_sign(ANNA, "+4930555999")
    assert not may_sign(central, "+4930555999")
    assert may_sign(central, "+4930555100")
    assert may_sign(central, "Acker")


def test_users_cannot_widen_their_own_rights() -> None:
    assert ABOUT_RIGHTS
    for setting in ABOUT_RIGHTS:
        assert setting is SETTINGS[setting.key]
        assert setting.key not in features(), "it stands on a page of users"
