"""Who is told of a missed call, and why others are not: a table of rules and calls."""

import itertools
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.callers import Caller
from vm_ari.domain.missed_calls import (
    REASONS,
    Around,
    BadListedNumber,
    ListedNumber,
    MissedCallRules,
    NotFor,
    Outcome,
    RungUser,
    Tell,
    decide,
    parse_listed,
    rung_users,
)
from vm_ari.domain.numbers import Site
from vm_ari.domain.ringing import Ring, RungCall
from vm_ari.domain.users import User

SITE = Site(base_number="+4930555", area="30")
T = datetime(2026, 11, 22, 22, 30, tzinfo=UTC)
"""Half past eleven in the evening in Berlin."""
OUTSIDE = "+4989123456"


def somebody(name: str, *numbers: str, **settings: object) -> User:
    whole = tuple(f"+4930555{number}" for number in numbers)
    return User(name, name.title(), numbers[0], whole, f"{name}@x.org", **settings)  # type: ignore[arg-type]


ANNA = somebody("anna", "101", "111")
BEN = somebody("ben", "102")
CORA = somebody("cora", "103")
OWNERS = {"101": ANNA, "111": ANNA, "102": BEN, "103": CORA}
"""Phone 109 belongs to nobody."""
NOBODY, FIRST, LAST, ALL = Tell


def ring(number: str, begin: float, seconds: float = 10, *, answered: bool = False) -> Ring:
    began = T + timedelta(seconds=begin)
    return Ring(number, began, began + timedelta(seconds=seconds), answered)


def call(*rings: Ring, by: str = "", caller: str = OUTSIDE) -> RungCall:
    return RungCall("1.1", Caller(caller), "100", T, T + timedelta(minutes=1), rings, by)


CALLS = {
    "nobody's phone": call(ring("109", 0)),
    "one phone": call(ring("101", 0)),
    "two own phones": call(ring("101", 0), ring("111", 0)),
    "in parallel": call(ring("101", 0), ring("102", 0), ring("103", 0)),
    "in parallel, one answers": call(
        ring("101", 0), ring("102", 0, answered=True), ring("103", 0), by="102"
    ),
    "one after the other": call(ring("102", 0), ring("103", 10), ring("101", 20)),
    "one after the other, and back": call(ring("101", 0), ring("102", 10), ring("111", 20)),
    "the last one answers": call(ring("101", 0), ring("102", 10, answered=True), by="102"),
    "picked up by a third": call(ring("101", 0), by="103"),
    "picked up on an own phone": call(ring("101", 0), ring("102", 0), by="111"),
    "picked up outside": call(ring("101", 0), by="+491711234567"),
    "first nobody's, then hers": call(ring("109", 0), ring("101", 10), ring("102", 20)),
}
TOLD: Mapping[str, tuple[str, str, str]] = {
    # call: who is told with first, last, all; "/" divides them from those who are, too, when
    # it counts that somebody else has answered
    "nobody's phone": ("", "", ""),
    "one phone": ("anna", "anna", "anna"),
    "two own phones": ("anna", "anna", "anna"),
    "in parallel": ("anna", "cora", "anna ben cora"),
    "in parallel, one answers": ("/anna", "/cora", "/anna cora"),
    "one after the other": ("ben", "anna", "ben cora anna"),
    "one after the other, and back": ("anna", "anna", "anna ben"),
    "the last one answers": ("/anna", "/anna", "/anna"),
    "picked up by a third": ("/anna", "/anna", "/anna"),
    "picked up on an own phone": ("/ben", "/ben", "/ben"),
    "picked up outside": ("/anna", "/anna", "/anna"),
    "first nobody's, then hers": ("anna", "ben", "anna ben"),
}
EVERY_CASE = [
    (name, tell, elsewhere)
    for name, tell, elsewhere in itertools.product(CALLS, Tell, (False, True))
]


def outcomes(
    one: RungCall,
    rules: MissedCallRules,
    around: Around | None = None,
    owners: Mapping[str, User] = OWNERS,
) -> dict[str, Outcome]:
    decisions = decide(one, rung_users(one, owners), rules, around or Around())
    assert len({decision.rung.user.id for decision in decisions}) == len(decisions), "one each"
    return {decision.rung.user.id: decision.outcome for decision in decisions}


def told(*args: object, **more: object) -> list[str]:
    found = outcomes(*args, **more)  # type: ignore[arg-type]
    return [user_id for user_id, outcome in found.items() if outcome is Outcome.TOLD]


@pytest.mark.parametrize(("name", "tell", "elsewhere"), EVERY_CASE)
def test_every_call_under_every_rule(name: str, tell: Tell, elsewhere: bool) -> None:
    rules = MissedCallRules(tell=tell, answered_elsewhere=elsewhere, sites=(SITE,))
    always, _, also = (
        ("",) * 3 if tell is NOBODY else TOLD[name][list(Tell).index(tell) - 1].partition("/")
    )
    wanted = always.split() + (also.split() if elsewhere else [])
    assert sorted(told(CALLS[name], rules)) == sorted(wanted)


def test_whoever_gets_none_is_told_why() -> None:
    hunt, rules = CALLS["one after the other"], MissedCallRules(tell=FIRST, sites=(SITE,))
    assert outcomes(hunt, rules) == {
        "ben": Outcome.TOLD,
        "cora": Outcome.ANOTHER_PHONE,
        "anna": Outcome.ANOTHER_PHONE,
    }
    group = CALLS["in parallel, one answers"]
    assert outcomes(group, rules) == {
        "anna": Outcome.ANSWERED_ELSEWHERE,
        "ben": Outcome.ANSWERED,
        "cora": Outcome.ANSWERED_ELSEWHERE,
    }
    assert outcomes(hunt, MissedCallRules()) == dict.fromkeys(
        ("ben", "cora", "anna"), Outcome.SITE_TELLS_NOBODY
    )
    assert set(REASONS) == set(Outcome)


ALL_OF_THEM = MissedCallRules(tell=ALL, sites=(SITE,))
ONE = CALLS["one phone"]
EARLIER = T - timedelta(hours=3)


def told_and_signed_in(*, minutes: int) -> Around:
    """The login came so much later."""
    return Around(
        last_told={"anna": EARLIER}, last_login={"anna": EARLIER + timedelta(minutes=minutes)}
    )


@pytest.mark.parametrize(
    ("rule", "caller", "around", "outcome"),
    [
        (NotFor.INTERNAL, "+4930555102", Around(), Outcome.INTERNAL),
        (NotFor.INTERNAL, OUTSIDE, Around(), Outcome.TOLD),
        (NotFor.INTERNAL, "", Around(), Outcome.TOLD),
        (NotFor.WITHHELD, "", Around(), Outcome.WITHHELD),
        (NotFor.WITHHELD, OUTSIDE, Around(), Outcome.TOLD),
        (NotFor.UNKNOWN, OUTSIDE, Around(known=False), Outcome.UNKNOWN),
        (NotFor.UNKNOWN, "", Around(), Outcome.UNKNOWN),
        (NotFor.UNKNOWN, OUTSIDE, Around(known=True), Outcome.TOLD),
        (NotFor.SAME_DAY, OUTSIDE, Around(last_told={"anna": EARLIER}), Outcome.SAME_DAY),
        (NotFor.SAME_DAY, OUTSIDE, Around(last_told={"ben": EARLIER}), Outcome.TOLD),
        (NotFor.SAME_DAY, "", Around(last_told={"anna": EARLIER}), Outcome.TOLD),
        (NotFor.UNTIL_LOGIN, OUTSIDE, Around(last_told={"anna": EARLIER}), Outcome.UNTIL_LOGIN),
        (NotFor.UNTIL_LOGIN, OUTSIDE, Around(last_login={"anna": EARLIER}), Outcome.TOLD),
        (
            NotFor.UNTIL_LOGIN,
            OUTSIDE,
            told_and_signed_in(minutes=1),
            Outcome.TOLD,
        ),
        (
            NotFor.UNTIL_LOGIN,
            OUTSIDE,
            told_and_signed_in(minutes=-1),
            Outcome.UNTIL_LOGIN,
        ),
    ],
)
def test_calls_of_which_nobody_is_told(
    rule: NotFor, caller: str, around: Around, outcome: Outcome
) -> None:
    one = replace(ONE, caller=Caller(caller))
    assert outcomes(one, replace(ALL_OF_THEM, not_for=frozenset({rule})), around)["anna"] is outcome
    assert outcomes(one, ALL_OF_THEM, around)["anna"] is Outcome.TOLD, "each rule is a choice"


@pytest.mark.parametrize(
    ("before", "zone", "same"),
    [
        (timedelta(minutes=20), "Europe/Berlin", True),
        (timedelta(hours=23), "Europe/Berlin", True),
        (timedelta(hours=24), "Europe/Berlin", False),
        (timedelta(hours=-1), "Europe/Berlin", False),  # decided late: that one came after midnight
        (timedelta(hours=23), "UTC", False),
        (timedelta(hours=22), "Mars/Olympus", True),  # counts as UTC
    ],
)
def test_a_day_is_the_users(before: timedelta, zone: str, same: bool) -> None:
    rules = replace(ALL_OF_THEM, not_for=frozenset({NotFor.SAME_DAY}))
    owners = {"101": replace(ANNA, time_zone=zone)}
    around = Around(last_told={"anna": T - before})
    found = outcomes(ONE, rules, around, owners)["anna"]
    assert found is (Outcome.SAME_DAY if same else Outcome.TOLD)


@pytest.mark.parametrize(
    ("rings", "enough"),
    [
        ((ring("101", 0, 1.9),), False),
        ((ring("101", 0, 2.0),), True),
        ((ring("101", 0, 1.5), ring("111", 0, 1.5)), False),  # at the same time
        ((ring("101", 0, 1.5), ring("111", 5, 1.5)), True),  # one after the other
        ((ring("101", 0, 1.5), ring("111", 1, 1.5)), True),
        ((ring("101", 0, 5), ring("111", 1, 1)), True),
        ((ring("101", 0, -3),), False),  # a clock was set
    ],
)
def test_what_rang_too_briefly_is_passed_over(rings: tuple[Ring, ...], enough: bool) -> None:
    wanted = Outcome.TOLD if enough else Outcome.SHORT
    assert outcomes(call(*rings), ALL_OF_THEM) == {"anna": wanted}
    always = replace(ALL_OF_THEM, shortest=timedelta())
    assert outcomes(call(*rings), always) == {"anna": Outcome.TOLD}


def test_a_voice_message_says_it_already_but_only_to_whom_it_was_left() -> None:
    around = Around(message_for=frozenset({"anna"}))
    both = call(ring("101", 0), ring("102", 0))
    assert outcomes(both, ALL_OF_THEM, around) == {
        "anna": Outcome.MESSAGE_LEFT,
        "ben": Outcome.TOLD,
    }
    assert told(both, replace(ALL_OF_THEM, message_left=True), around) == ["anna", "ben"]


def test_users_can_opt_out_and_need_an_address() -> None:
    without = replace(ANNA, missed_calls=False)
    owners = {**OWNERS, "101": without, "111": without}
    assert outcomes(ONE, ALL_OF_THEM, None, owners) == {"anna": Outcome.OPTED_OUT}
    hunt = CALLS["one after the other, and back"]
    assert told(hunt, replace(ALL_OF_THEM, tell=FIRST), None, owners) == [], "it was her phone"
    around = Around(without_address=frozenset({"anna"}))
    assert outcomes(ONE, ALL_OF_THEM, around) == {"anna": Outcome.NO_ADDRESS}


@pytest.mark.parametrize("caller", ["+4930555111", "101", "+491711234567"])
def test_who_calls_himself_has_missed_nothing(caller: str) -> None:
    owners = {"101": replace(ANNA, mobile="+491711234567"), "102": BEN}
    both = call(ring("101", 0), ring("102", 0), caller=caller)
    found = outcomes(both, replace(ALL_OF_THEM, tell=FIRST), None, owners)
    assert found == {"anna": Outcome.OWN_CALL, "ben": Outcome.TOLD}


@pytest.mark.parametrize(
    ("text", "caller", "listed"),
    [
        ("199", "+4930555199", True),
        ("199", "+49305551999", False),
        ("+49 (0)30 555-199", "+4930555199", True),
        ("+49 30 555*", "+4930555199", True),
        ("030/555 1*", "+4930555199", True),
        ("030/555 2*", "+4930555199", False),
        ("0049 30*", "+4930555199", True),
        ("1*", "+4930555199", True),
        ("2*", "+4930555199", False),
        ("+43*", "+4312345678", True),
        ("+43*", "", False),
    ],
)
def test_numbers_are_listed_in_any_spelling(text: str, caller: str, listed: bool) -> None:
    rules = replace(ALL_OF_THEM, listed=(parse_listed(text, SITE),))
    found = outcomes(replace(ONE, caller=Caller(caller)), rules)["anna"]
    assert found is (Outcome.LISTED if listed else Outcome.TOLD)


@pytest.mark.parametrize("text", ["", "*", "door", "0*0", "+*", "12;34*", "9" * 30 + "*"])
def test_what_is_no_number_cannot_be_listed(text: str) -> None:
    with pytest.raises(BadListedNumber, match="is not a telephone number; write one"):
        parse_listed(text, SITE)


def test_where_extensions_are_whole_numbers_they_can_be_listed() -> None:
    assert parse_listed("19*", Site()) == ListedNumber("19", whole=False)


RINGS = st.builds(
    ring,
    st.sampled_from(["101", "111", "102", "103", "109"]),
    st.floats(0, 40),
    st.floats(0, 30),
    answered=st.booleans(),
)
CALLS_OF_ANY_KIND = st.builds(
    lambda rings, by, caller: call(*sorted(rings, key=lambda r: r.began), by=by, caller=caller),
    st.lists(RINGS, max_size=8),
    st.sampled_from(["", "101", "102", "109"]),
    st.sampled_from(["", OUTSIDE, "+4930555102"]),
)
RULES_OF_ANY_KIND = st.builds(
    MissedCallRules,
    tell=st.sampled_from(Tell),
    answered_elsewhere=st.booleans(),
    message_left=st.booleans(),
    not_for=st.frozensets(st.sampled_from(NotFor)),
    sites=st.just((SITE,)),
)


@given(CALLS_OF_ANY_KIND, RULES_OF_ANY_KIND)
def test_whatever_happens_nobody_gets_two_and_nobody_who_answered(
    one: RungCall, rules: MissedCallRules
) -> None:
    found = outcomes(one, rules)
    rang = {OWNERS[r.number].id for r in one.rings if r.number in OWNERS}
    answered = {OWNERS[r.number].id for r in one.rings if r.answered and r.number in OWNERS}
    assert set(found) == rang
    assert not answered & set(told(one, rules))
    if rules.tell in {FIRST, LAST}:
        assert len(told(one, rules)) <= 1
    everybody = replace(rules, tell=ALL)
    assert set(told(one, rules)) <= set(told(one, everybody))
    assert set(told(one, everybody)) <= set(told(one, replace(everybody, not_for=frozenset())))


def test_how_long_somebodys_phones_rang() -> None:
    rings = (ring("101", 0, 10), ring("111", 5, 10), ring("101", 30, 4))
    assert RungUser(ANNA, rings).rang == timedelta(seconds=19)
