"""Templates for display names and mail addresses."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.entries import Entry, address_key, problems_of
from vm_ari.domain.name_templates import (
    EXAMPLE,
    BadTemplate,
    NoAddress,
    address,
    display_name,
    example_address,
    example_name,
    free_address,
    parse,
    to_ascii,
)

BERT = Entry("bert", "", "102", given="Bert", surname="Ö'Neill d'Arc")


@pytest.mark.parametrize(
    ("template", "result"),
    [
        ("${given}.${surname}@example.com", "anna.groesse-weber@example.com"),
        ("${given|first}${surname|lower}@Example.COM", "agroesse-weber@example.com"),
        ("${id}@sub.example.com", "agroesse@sub.example.com"),
        ("${mailbox}@voice.example.com", "101@voice.example.com"),
        ("${number}@example.com", "4930555101@example.com"),
        ("${organisation|upper}-${given}@example.com", "sales-anna@example.com"),
    ],
)
@pytest.mark.feature_part("DIR-07", "templates for addresses, with a live example")
def test_an_address_is_made_of_a_template(template: str, result: str) -> None:
    assert example_address(template) == result


@pytest.mark.parametrize(
    ("template", "result"),
    [
        ("${surname}, ${given}", "Größe-Weber, Anna"),
        ("${given|first}. ${surname|upper}", "A. GRÖSSE-WEBER"),
        ("${name} (${organisation})", "Anna Größe-Weber (sales)"),
        ("${ surname | ascii | lower }", "groesse-weber"),
        ("$5 {given} $", "$5 {given} $"),
    ],
)
@pytest.mark.feature_part("DIR-07", "templates for display names, with a live example")
def test_a_name_is_made_of_a_template(template: str, result: str) -> None:
    assert example_name(template) == result


def test_missing_parts_leave_no_traces() -> None:
    nobody = replace(EXAMPLE, given="", organisation="")
    assert display_name(parse("${surname}, ${given}"), nobody) == "Größe-Weber"
    assert display_name(parse("${given}, ${surname}"), nobody) == "Größe-Weber"
    assert display_name(parse("${name} (${organisation})"), nobody) == "Anna Größe-Weber"
    assert address(parse("${given}.${surname}@e.org"), nobody) == "groesse-weber@e.org"


def test_odd_names_become_addresses() -> None:
    assert (
        address(parse("${given}.${surname}@example.com"), BERT) == "bert.oeneill-darc@example.com"
    )
    assert to_ascii("Łukasz Þór Çelik Søren") == "Lukasz Thor Celik Soren"


@pytest.mark.parametrize(
    ("template", "hint"),
    [
        ("${givenname}", "“${givenname}” is unknown; there are given, surname, name, id"),
        ("${given|small}", "Filter “small” is unknown; there are lower, upper, ascii, first"),
        ("${given", "“${given”: a placeholder is ${given}."),
        ("${}", "“${}” is unknown"),
        ("a ${given|}", "Filter “” is unknown"),
        ("${${given}}", "a placeholder is ${given}"),
    ],
)
def test_a_mistake_in_a_template_is_named(template: str, hint: str) -> None:
    with pytest.raises(BadTemplate, match=re.escape(hint)):
        parse(template)


@pytest.mark.parametrize("template", ["${given}", "${given}@", "${given}@ex ample.com", "${id}@-"])
def test_an_address_needs_a_domain(template: str) -> None:
    with pytest.raises(NoAddress, match="domain"):
        example_address(template)


def test_a_name_that_leaves_nothing_makes_no_address() -> None:
    with pytest.raises(NoAddress, match="x1 has none of the names"):
        address(parse("${given}@example.com"), Entry("x1", "", given="王"))


@pytest.mark.feature_part("UM-01", "an address that nobody has is suggested")
def test_a_taken_address_gets_a_number() -> None:
    taken = {address_key(f"anna.berg{n}@example.com") for n in ("", "2", "3")}
    assert free_address("anna.berg@example.com", taken.__contains__) == "anna.berg4@example.com"
    assert free_address("Anna.Berg@example.com", taken.__contains__) == "Anna.Berg4@example.com"
    assert free_address("bert@example.com", taken.__contains__) == "bert@example.com"


def test_a_number_fits_into_a_long_address() -> None:
    longest = "a" * 64 + "@example.com"
    assert free_address(longest, {longest}.__contains__) == "a" * 63 + "2@example.com"
    cut = address(parse("${given}.${surname}@example.com"), replace(BERT, given="a" * 63))
    assert cut == "a" * 63 + "@example.com"


@given(st.text(max_size=90), st.text(max_size=90))
def test_every_name_gives_a_clean_address_or_says_why_not(given_name: str, surname: str) -> None:
    entry = replace(EXAMPLE, given=given_name, surname=surname)
    try:
        mail = address(parse("${given}.${surname}@example.com"), entry)
    except NoAddress:
        return
    local, _, domain = mail.partition("@")
    assert re.fullmatch("[a-z0-9]([a-z0-9._+-]*[a-z0-9])?", local)
    assert (domain, len(local) <= 64, ".." in local) == ("example.com", True, False)
    assert problems_of(replace(entry, mail=mail)) == ()


@given(st.text(max_size=40))
def test_every_display_name_is_one_line(name: str) -> None:
    shown = display_name(parse("${name} (${surname})"), replace(EXAMPLE, name=name, surname=name))
    assert shown.isprintable()
    assert shown == shown.strip()


@given(st.text("${}|givenlowr. @", max_size=20))
def test_every_template_is_understood_or_refused(text: str) -> None:
    try:
        told = display_name(parse(text), EXAMPLE)
    except BadTemplate as error:
        told = str(error)
    assert told.isprintable()
