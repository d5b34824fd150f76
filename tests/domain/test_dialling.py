"""Dialling rules: what transfers, callbacks and recording calls may reach."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.domain.telephone_sites import (
    BARE,
    BERLIN,
    BOSTON,
    GRAZ,
    OPEN,
    digit_strings,
    hostile,
    real_numbers,
    scattered,
    typed,
)
from vm_ari.domain.dialling import (
    Allowed,
    BadRule,
    Country,
    Denied,
    DiallingRules,
    Kind,
    Prefix,
    Rule,
    Why,
    kind_of,
    may_dial,
    never_reached,
    parse_rule,
)
from vm_ari.domain.numbers import Site
from vm_ari.domain.spellings import spellings

DEFAULTS = DiallingRules()
GERMAN_SITES = (
    BERLIN,
    OPEN,
    BARE,
    replace(BERLIN, longest_extension=10),
    replace(OPEN, longest_extension=10),
    replace(BARE, longest_extension=10),
    replace(BARE, longest_extension=10, outside_prefix="0", area="30"),
    replace(BERLIN, outside_prefix="9"),
)
DENIED_PREFIXES = ("+49900", "+49137", "+49180", "+4910", "+4917", "+4989", "+43", "+1", "+881")
german_site = st.sampled_from(GERMAN_SITES)


def rules(*lines: str) -> DiallingRules:
    return DiallingRules(tuple(parse_rule(line, BERLIN) for line in lines))


def reason(number: str, given_rules: DiallingRules, *sites: Site) -> str:
    verdict = may_dial(number, given_rules, sites or (BERLIN,))
    assert isinstance(verdict, Denied), verdict
    return verdict.reason


def exchange(keys: str, site: Site) -> str | None:
    """What a German telephone system and the network make of dialled keys; None: it stays inside.

    Written on its own, so that it does not repeat a mistake of the code it judges.
    """
    if keys.startswith("+"):
        return keys
    outside = keys
    if site.outside_prefix:
        if not keys.startswith(site.outside_prefix):
            return None
        outside = keys[len(site.outside_prefix) :]
    elif not keys.startswith("0") or keys == "0":
        return None
    if outside.startswith("00"):
        return "+" + outside[2:]
    return "+49" + (outside[1:] if outside.startswith("0") else "30" + outside)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("101", Kind.INTERNAL),
        ("030 1234567", Kind.LANDLINE),
        ("0 030 1234567", Kind.LANDLINE),
        ("0170 1234567", Kind.MOBILE),
    ],
)
@pytest.mark.feature_part("SITE-03", "by default only what is cheap may be dialled")
def test_the_own_country_and_the_house_are_allowed(number: str, kind: Kind) -> None:
    verdict = may_dial(number, DEFAULTS, (BERLIN,))
    assert isinstance(verdict, Allowed)
    assert verdict.kind is kind


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("0900 1 234567", Kind.PREMIUM),
        ("+43 900 123456", Kind.PREMIUM),
        ("0137 8 123456", Kind.PREMIUM),
        ("0180 1 12345", Kind.SHARED_COST),
        ("01013 030 1234567", Kind.CALL_BY_CALL),
        ("010 33 0170 1234567", Kind.CALL_BY_CALL),
        ("0800 1234567", Kind.FREEPHONE),
        ("0181 12345", Kind.SPECIAL),
        ("+881 6 123 45678", Kind.SPECIAL),
        ("112", Kind.SPECIAL),
        ("110", Kind.SPECIAL),
        ("+43 1 58858", Kind.FOREIGN),
        ("00 43 664 1234567", Kind.FOREIGN),
        ("+1 876 555 1234", Kind.FOREIGN),
        ("0190 123456", Kind.UNKNOWN),
    ],
)
@pytest.mark.feature_part("SITE-03", "what costs more is denied by default, with the reason")
def test_everything_else_is_denied_with_its_kind(number: str, kind: Kind) -> None:
    verdict = may_dial(number, DEFAULTS, (BERLIN,))
    assert isinstance(verdict, Denied)
    assert (verdict.why, verdict.kind) == (Why.KIND, kind)


def test_the_country_is_that_of_the_site() -> None:
    assert kind_of("+12125550100", (BOSTON,)) is Kind.LANDLINE
    assert kind_of("+14165550123", (BOSTON,)) is Kind.FOREIGN
    assert kind_of("+43158858", (GRAZ, BERLIN)) is Kind.LANDLINE
    assert kind_of("+43316877101", (BERLIN, GRAZ)) is Kind.INTERNAL


def test_a_service_number_is_one_where_extensions_go_straight_out() -> None:
    assert kind_of("+4930555115", (OPEN,)) is Kind.SPECIAL
    assert kind_of("+4930555115", (BERLIN,)) is Kind.INTERNAL
    assert kind_of("+4930555101", (OPEN,)) is Kind.INTERNAL


def test_allowed_carries_what_to_store_and_what_to_dial() -> None:
    assert may_dial("0170/1234567", DEFAULTS, (BERLIN,)) == Allowed(
        "+491701234567", Kind.MOBILE, "001701234567"
    )
    assert may_dial("101", DEFAULTS, (BERLIN,)) == Allowed("+4930555101", Kind.INTERNAL, "101")
    assert may_dial("101", DEFAULTS, (BARE,)) == Allowed("101", Kind.INTERNAL, "101")


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        ("<b>", "“<b>” is not a telephone number."),
        ("0900 1 234567", "+49 900 1 234567 is a premium-rate number; the dialling rules do not"),
        ("030 8123456", "+49 30 8123456 may not be dialled: the rule “deny +49308” forbids it."),
        ("x\r\nDial: 1\x1b[2J", "“x Dial: 1 [2J” is not a telephone number."),
    ],
)
def test_the_reason_is_a_sentence_for_a_person(number: str, sentence: str) -> None:
    assert reason(number, rules("deny 0308")).startswith(sentence)


def test_the_first_rule_that_matches_decides() -> None:
    narrow_first = rules("allow +4990012", "deny premium", "allow AT", "deny mobile")
    wide_first = rules("deny premium", "allow +4990012")
    number = "+499001234567"
    assert isinstance(may_dial(number, narrow_first, (BERLIN,)), Allowed)
    assert isinstance(may_dial(number, wide_first, (BERLIN,)), Denied)
    assert isinstance(may_dial("+499003234567", narrow_first, (BERLIN,)), Denied)
    assert isinstance(may_dial("+43158858", narrow_first, (BERLIN,)), Allowed)
    assert "“deny mobile”" in reason("0170 1234567", narrow_first)
    assert isinstance(may_dial("030 1234567", narrow_first, (BERLIN,)), Allowed)


def test_an_allowed_country_does_not_include_its_dear_numbers() -> None:
    allowing = rules("allow AT", "allow US")
    for number in ("+43 900 123456", "+43 810 123456", "+1 876 555 1234", "+1 876 555"):
        reason(number, allowing)
    assert isinstance(may_dial("+1 212 555 0100", allowing, (BERLIN,)), Allowed)


def test_a_denied_country_includes_everything_in_it() -> None:
    denying = rules("deny JM", "deny AT", "allow all")
    for number in ("+43 900 123456", "+43 1 58858", "+1 876 555 1234", "+1 999 555 0100"):
        assert "the rule" in reason(number, denying)
    assert isinstance(may_dial("+1 212 555 0100", denying, (BERLIN,)), Allowed)


def test_only_what_is_allowed_with_a_last_deny_all() -> None:
    closed = rules("allow internal", "allow +4930", "deny all")
    for number in ("101", "030 1234567"):
        assert isinstance(may_dial(number, closed, (BERLIN,)), Allowed)
    assert isinstance(may_dial("01234567", closed, (BERLIN,), dialled=True), Allowed)
    assert "“deny all”" in reason("0170 1234567", closed)


def test_keys_that_could_also_mean_a_dear_call_are_asked_for_again() -> None:
    for keys in ("01013030123456", "09001234567"):
        verdict = may_dial(keys, DEFAULTS, (BERLIN,), dialled=True)
        assert isinstance(verdict, Denied)
    ambiguous = may_dial("01013030123456", DEFAULTS, (BERLIN,), dialled=True)
    assert isinstance(ambiguous, Denied)
    assert ambiguous.why is Why.AMBIGUOUS
    assert "two ways" in ambiguous.reason
    forbidden = may_dial("01234567", rules("deny +49123"), (BERLIN,), dialled=True)
    assert isinstance(forbidden, Denied)
    assert forbidden.why is Why.AMBIGUOUS


def test_an_extension_that_leaves_the_house_is_not_dialled() -> None:
    house = replace(BARE, outside_prefix="0", longest_extension=10)
    for keys in ("0112", "0110", "00900123"):
        verdict = may_dial(keys, rules("allow all"), (house,))
        assert isinstance(verdict, Denied), keys
    assert may_dial("0", DEFAULTS, (BARE,)) == Allowed("0", Kind.INTERNAL, "0")


@given(german_site, st.booleans(), st.sampled_from(DENIED_PREFIXES), st.data())
@settings(max_examples=300)
@pytest.mark.feature_part("SITE-03", "no denied prefix passes, however it is spelled")
def test_no_spelling_of_a_denied_number_passes(
    site: Site, dialled: bool, prefix: str, data: st.DataObject
) -> None:
    number = prefix + data.draw(st.text("0123456789", min_size=4, max_size=9))
    texts = [*spellings(number, site), f"tel:{number}", "0" + number.replace("+", "00")]
    texts += [number.replace("+49", "0"), number.replace("+49", "00")]
    text = data.draw(st.sampled_from(texts))
    text = data.draw(st.one_of(st.just(text), scattered(text)))
    verdict = may_dial(text, rules(f"deny {prefix}", "allow all"), (site,), dialled=dialled)
    if isinstance(verdict, Allowed):
        reached = exchange(verdict.dial, site)
        assert reached is None or not reached.startswith(prefix), (text, verdict)
        assert not verdict.number.startswith(prefix)


@given(german_site, st.booleans(), st.one_of(digit_strings, typed), st.booleans())
@settings(max_examples=300)
def test_whatever_is_typed_reaches_nothing_that_is_denied(
    site: Site, dialled: bool, text: str, permissive: bool
) -> None:
    lines = [f"deny {prefix}" for prefix in DENIED_PREFIXES] + ["allow all"] * permissive
    verdict = may_dial(text, rules(*lines), (site,), dialled=dialled)
    if isinstance(verdict, Allowed):
        reached = exchange(verdict.dial, site)
        assert reached is None or not reached.startswith(DENIED_PREFIXES), (text, verdict)


@given(
    german_site,
    st.booleans(),
    st.sampled_from(["0900", "00900", "01013", "0137", "00043"]),
    st.data(),
)
@settings(max_examples=300)
def test_dear_calls_are_denied_by_default_from_every_site(
    site: Site, dialled: bool, start: str, data: st.DataObject
) -> None:
    text = start + data.draw(st.text("0123456789", max_size=9))
    verdict = may_dial(text, DEFAULTS, (site,), dialled=dialled)
    if isinstance(verdict, Allowed):
        reached = exchange(verdict.dial, site)
        assert reached is None or reached.startswith("+49")
        assert not (reached or "").startswith(("+49900", "+4910", "+49137")), (text, verdict)


@given(hostile, german_site)
def test_only_clean_keys_reach_the_telephone_system(text: str, site: Site) -> None:
    verdict = may_dial(text, rules("allow all"), (site,))
    if isinstance(verdict, Allowed):
        assert re.fullmatch(r"\+?[0-9]{1,20}", verdict.dial)
    else:
        assert verdict.reason.isprintable()


@given(real_numbers(), german_site)
def test_what_was_allowed_when_stored_is_judged_alike_when_dialled(number: str, site: Site) -> None:
    stored = may_dial(number, DEFAULTS, (site,))
    again = may_dial(stored.number, DEFAULTS, (site,))
    if isinstance(stored, Allowed):
        assert again == stored
    else:
        assert isinstance(again, Denied)


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("deny +49900", Rule(False, Prefix("+49900"))),
        ("deny +49 (900)", Rule(False, Prefix("+49900"))),
        ("deny 0900", Rule(False, Prefix("+49900"))),
        ("allow AT", Rule(True, Country("AT"))),
        ("allow  call-by-call", Rule(True, Kind.CALL_BY_CALL)),
        ("deny all", Rule(False, Prefix(""))),
    ],
)
def test_a_rule_is_one_line(line: str, rule: Rule) -> None:
    assert parse_rule(line, BERLIN) == rule
    assert parse_rule(str(rule), BERLIN) == rule


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("", "begin with"),
        ("permit AT", "begin with"),
        ("allow", "neither a prefix"),
        ("allow Austria", "such as AT"),
        ("allow mobil", "mobile"),
        ("deny 00", "+49900"),
        ("deny +", "+49900"),
        ("deny *", "+49900"),
    ],
)
def test_a_bad_rule_says_what_a_rule_looks_like(line: str, hint: str) -> None:
    with pytest.raises(BadRule, match=re.escape(hint)):
        parse_rule(line, BERLIN)


def test_rules_that_are_never_reached_are_found() -> None:
    hidden = never_reached(
        rules("deny +49900", "allow +4990012", "allow AT", "deny AT", "deny +43")
    )
    assert [str(rule) for rule in hidden] == ["allow +4990012", "deny AT"]
    assert never_reached(rules("deny all", "allow mobile")) == (Rule(True, Kind.MOBILE),)
