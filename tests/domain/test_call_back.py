"""Whom a user can have called back: only who is vouched for, only by the rules (INBOX-09)."""

from dataclasses import replace
from datetime import UTC, date, datetime

import phonenumbers
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType as Plan

from tests.domain.telephone_sites import (
    BARE,
    BERLIN,
    GRAZ,
    OPEN,
    digit_strings,
    hostile,
    real_numbers,
    typed,
)
from tests.domain.test_dialling import exchange
from vm_ari.domain.access import Proof
from vm_ari.domain.call_back import (
    CallBackRules,
    NoCallBack,
    Shown,
    judge_call_back,
    shown,
)
from vm_ari.domain.callers import Caller, caller_from
from vm_ari.domain.daily_count import counted
from vm_ari.domain.dialling import Allowed, DiallingRules, Kind, parse_rule
from vm_ari.domain.messages import MessageKind, StoredMessage
from vm_ari.domain.numbers import Site
from vm_ari.domain.users import User

ANNA = User("anna", "Anna", "101", ("+4930555101", "+4930555111"), "anna@site.example")
GERDA = User("gerda", "Gerda", "8101", ("+433168778101",), "gerda@site.example")
WHEN = datetime(2026, 3, 4, 12, tzinfo=UTC)
EVERYTHING = CallBackRules(DiallingRules((parse_rule("allow all", BERLIN),)), outside=True)
OUTSIDE = CallBackRules(outside=True)


def from_number(number: str, *, genuine: bool = True) -> StoredMessage:
    return StoredMessage("a", MessageKind.VOICE, WHEN, Caller(number), genuine=genuine)


def judged(
    number: str,
    rules: CallBackRules = OUTSIDE,
    owner: User = ANNA,
    sites: tuple[Site, ...] = (BERLIN,),
) -> Allowed | NoCallBack:
    return judge_call_back(from_number(number), owner, Proof.PIN, rules, sites)


@pytest.mark.parametrize(
    ("number", "by_default", "with_outside"),
    [
        ("+4930555102", "102", "102"),
        ("+498912345678", NoCallBack.OUTSIDE, "008912345678"),
        ("+491701234567", NoCallBack.OUTSIDE, "001701234567"),
        ("+4315885800", NoCallBack.NOT_ALLOWED, NoCallBack.NOT_ALLOWED),
        ("+499001234567", NoCallBack.NOT_ALLOWED, NoCallBack.NOT_ALLOWED),
        ("+49112", NoCallBack.NOT_ALLOWED, NoCallBack.NOT_ALLOWED),
        ("", NoCallBack.WITHHELD, NoCallBack.WITHHELD),
        ("+4930555101", NoCallBack.OWN, NoCallBack.OWN),
        ("+4930555111", NoCallBack.OWN, NoCallBack.OWN),
    ],
)
@pytest.mark.feature_part("INBOX-09", "off by default for outside destinations")
@pytest.mark.feature_part("SITE-03", "the dialling rules decide on call-backs")
def test_the_table(number: str, by_default: str | NoCallBack, with_outside: object) -> None:
    for rules, expected in ((CallBackRules(), by_default), (OUTSIDE, with_outside)):
        verdict = judged(number, rules)
        assert (verdict.dial if isinstance(verdict, Allowed) else verdict) == expected


@pytest.mark.feature_part("INBOX-09", "off for logins without PIN")
@pytest.mark.parametrize("proof", [Proof.TELEPHONE, None])
def test_without_the_pin_nobody_is_called(proof: Proof | None) -> None:
    message = from_number("+4930555102")
    verdict = judge_call_back(message, ANNA, proof, EVERYTHING, (BERLIN,))
    assert verdict is NoCallBack.NO_PIN


@pytest.mark.feature_part("INBOX-09", "a mail that somebody else wrote is not vouched for")
def test_a_number_that_nobody_vouches_for_is_not_called() -> None:
    message = from_number("+4930555102", genuine=False)
    verdict = judge_call_back(message, ANNA, Proof.PIN, EVERYTHING, (BERLIN,))
    assert verdict is NoCallBack.NOT_VOUCHED_FOR


@pytest.mark.feature_part("INBOX-09", "the dialled number is checked against the dialling rules")
@pytest.mark.parametrize("rule", ["deny internal", "deny +4930555102", "deny DE", "deny all"])
def test_a_rule_of_the_site_forbids_it(rule: str) -> None:
    rules = CallBackRules(DiallingRules((parse_rule(rule, BERLIN),)), outside=True)
    assert judged("+4930555102", rules) is NoCallBack.NOT_ALLOWED


NOBODYS = (
    *("+499001234567", "+4990012345678", "+491378123456", "+49180112345", "+43900123456"),
    *("+49112", "112", "110", "+88161234567", "+491018130123", "+4919012345", "11833"),
)


@pytest.mark.parametrize("number", NOBODYS)
@pytest.mark.feature_part("INBOX-09", "premium and emergency numbers, whatever the rules say")
def test_what_nobody_calls_from_is_never_called_back(number: str) -> None:
    """Also where a rule allows everything."""
    assert judged(number, EVERYTHING) is NoCallBack.NOT_ALLOWED


@pytest.mark.feature_part("SITE-03", "a call-back is dialled as at the user's own site")
def test_it_is_dialled_as_from_the_site_of_the_user() -> None:
    sites = (BERLIN, replace(GRAZ, outside_prefix="9"))
    at_home, abroad = judged("+433168778102", OUTSIDE, GERDA, sites), judged("+4366412345678",
        OUTSIDE, GERDA, sites)  # fmt: skip
    assert isinstance(at_home, Allowed)
    assert at_home.dial == "8102"
    assert isinstance(abroad, Allowed)
    assert (abroad.dial, abroad.kind) == ("9066412345678", Kind.MOBILE)
    assert judged("+4366412345678", OUTSIDE, ANNA, sites) is NoCallBack.NOT_ALLOWED


def test_a_bare_extension_is_one_of_the_main_site_whoever_calls_it() -> None:
    verdict = judged("102", OUTSIDE, GERDA, (BARE, GRAZ))
    assert isinstance(verdict, Allowed)
    assert (verdict.number, verdict.dial) == ("102", "102")


@pytest.mark.parametrize(
    ("kind", "rule", "display"),
    [
        (Kind.INTERNAL, Shown.USER, Caller("101", "Anna")),
        (Kind.MOBILE, Shown.USER, Caller("+4930555101", "Anna")),
        (Kind.INTERNAL, Shown.NOBODY, Caller()),
        (Kind.MOBILE, Shown.NOBODY, Caller()),
    ],
)
def test_the_display_shows_the_user_or_nobody(kind: Kind, rule: Shown, display: Caller) -> None:
    rules = CallBackRules(shown=rule)
    assert shown(ANNA, Allowed("+49", kind, "0"), rules, (BERLIN,)) == display
    assert shown(replace(ANNA, numbers=()), Allowed("+49", kind, "0"), rules, (BERLIN,)) == Caller()


# --- whatever the caller says

# one rule for each kind of thing that a rule can name
LINES = (
    *("deny +4989", "deny mobile", "allow AT", "deny internal", "allow all", "deny DE"),
    *("allow premium", "allow special", "allow unknown", "allow call-by-call", "deny +493012"),
)
WAYS = {None, Proof.TELEPHONE, Proof.PIN}
claims = st.one_of(
    st.sampled_from(NOBODYS),
    real_numbers(),
    digit_strings,
    digit_strings.map("+".__add__),
    typed,
    hostile,
)
PLANS = {
    *(Plan.PREMIUM_RATE, Plan.SHARED_COST, Plan.PERSONAL_NUMBER, Plan.PAGER, Plan.UAN),
    *(Plan.VOICEMAIL, Plan.UNKNOWN, Plan.VOIP),
}


@given(
    claim=claims,
    raw=st.booleans(),
    lines=st.lists(st.sampled_from(LINES), max_size=4),
    outside=st.booleans(),
    site=st.sampled_from([BERLIN, OPEN, BARE, replace(BERLIN, outside_prefix="9")]),
    genuine=st.booleans(),
    proof=st.sampled_from(sorted(WAYS, key=str)),
)
@settings(max_examples=800, deadline=None)
@pytest.mark.feature_part("SITE-03", "no call-back reaches a number outside of the table")
def test_no_claim_of_a_caller_reaches_a_number_outside_of_the_table(
    claim: str,
    raw: bool,
    lines: list[str],
    outside: bool,
    site: Site,
    genuine: bool,
    proof: Proof | None,
) -> None:
    """The exchange and the numbering plan are asked what would ring, not the code under test."""
    caller = Caller(claim) if raw else caller_from(claim, "", site)
    dialling = DiallingRules(tuple(parse_rule(line, site) for line in lines))
    verdict = judge_call_back(
        replace(from_number("", genuine=genuine), caller=caller),
        ANNA,
        proof,
        CallBackRules(dialling, outside),
        (site,),
    )
    if not isinstance(verdict, Allowed):
        return
    assert genuine
    assert proof is Proof.PIN
    assert set(verdict.dial) <= set("+0123456789")
    reached = exchange(verdict.dial, site)
    first = [line for line in lines if line in {"deny internal", "allow all"}][:1]
    if reached is None:
        assert first != ["deny internal"]
        assert verdict.dial not in {"110", "112", "911"}
        return
    assert outside or reached.startswith(site.base_number or "-")
    assume(not reached.startswith(site.base_number or "-"))
    parsed = phonenumbers.parse(reached)
    assert phonenumbers.number_type(parsed) not in PLANS
    region = phonenumbers.region_code_for_number(parsed)
    abroad, permitted = region != "DE", {"allow all", "allow AT"} & set(lines)
    assert permitted or not abroad
    for number, line in (("+4989", "deny +4989"), ("+493012", "deny +493012")):
        if lines[:1] == [line]:
            assert not reached.startswith(number)
    if lines[:1] == ["deny mobile"] and not abroad:
        assert phonenumbers.number_type(parsed) is not Plan.MOBILE


# --- how often


@pytest.mark.feature_part("INBOX-09", "so many calls to the outside in a day")
def test_so_many_in_a_day_and_then_no_more() -> None:
    today, record = date(2026, 3, 4), ""
    for _ in range(3):
        found = counted(record, today, 3)
        assert found is not None
        record = found
    assert record == "2026-03-04 3"
    assert counted(record, today, 3) is None
    assert counted(record, date(2026, 3, 5), 3) == "2026-03-05 1"
    assert counted(record, today, 0) == "2026-03-04 4"


@pytest.mark.parametrize("record", ["", "x", "2026-03-04", "2026-03-04 ²", "2026-03-04 99999999"])
def test_a_record_that_cannot_be_read_counts_nothing(record: str) -> None:
    assert counted(record, date(2026, 3, 4), 3) == "2026-03-04 1"
