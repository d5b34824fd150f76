"""Numbers: any spelling in, E.164 inside, extension or international form out."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.telephone_sites import (
    BARE,
    BERLIN,
    BOSTON,
    GRAZ,
    LONDON,
    OPEN,
    ROME,
    SITES,
    any_site,
    hostile,
    real_numbers,
    scattered,
)
from vm_ari.domain.numbers import (
    Site,
    base_number,
    dialable,
    extension_of,
    international,
    is_internal,
    national,
    normalise,
    problems_of,
    readable,
    seems_outside,
    site_of,
)

OWN = "+4930555101"
CLEAN = re.compile(r"\+[0-9]{1,20}|[0-9]{1,20}")


@pytest.mark.parametrize(
    "spelling",
    [
        "101",
        "555101",
        "555 101",
        "030555101",
        "030 555-101",
        "(030) 555 101",
        "030/555101",
        "030 / 555 101",
        "+4930555101",
        "+49 30 555101",
        "+49 (30) 555-101",
        "+49 (0)30 555 101",
        "+49 (030) 555101",
        "0049 30 555101",
        "0049 (0)30 555101",
        "4930555101",
        "+49\u00a030\u00a0555\u2011101",
        "030\u2013555101",
        " 030 555101\r\n",
        "0 030 555101",
        "0 0049 30 555101",
        "tel:+49-30-555-101",
        "TEL:+4930555101",
        "tel:101;phone-context=+4930555",
        "tel:101;phone-context=pbx.example.com",
        "tel:+49-30-555-101;isub=12",
    ],
)
@pytest.mark.feature_part("SITE-02", "any common spelling becomes E.164")
def test_every_spelling_is_the_same_number(spelling: str) -> None:
    assert normalise(spelling, BERLIN) == OWN


@pytest.mark.parametrize(
    ("spelling", "site", "number"),
    [
        ("0170 1234567", BERLIN, "+491701234567"),
        ("0 0170 1234567", BERLIN, "+491701234567"),
        ("00442079460958", BERLIN, "+442079460958"),
        ("000442079460958", BERLIN, "+442079460958"),
        ("4799555", replace(BERLIN, area="8142"), "+4981424799555"),
        ("9 1 212 555 0100", BOSTON, "+12125550100"),
        ("(212) 555-0100", BOSTON, "+12125550100"),
        ("555-0100", BOSTON, "+16175550100"),
        ("011 49 30 555101", BOSTON, OWN),
        ("9 011 49 30 555101", BOSTON, OWN),
        ("0100", BOSTON, "+16175550100"),
        ("06 12345678", ROME, "+390612345678"),
        ("0316 877 0", GRAZ, "+433168770"),
        ("020 7946 0958", LONDON, "+442079460958"),
        ("7946 0958", LONDON, "+442079460958"),
        ("101", BARE, "101"),
        ("1012", replace(BARE, longest_extension=3), None),
        ("11833", BERLIN, None),
    ],
)
def test_a_site_completes_its_own_way(spelling: str, site: Site, number: str | None) -> None:
    assert normalise(spelling, site) == number


@pytest.mark.parametrize(
    ("keys", "number"),
    [
        ("00301234567", "+49301234567"),
        ("01234567", "+49301234567"),
        ("0004420794609 58".replace(" ", ""), "+442079460958"),
        ("01701234567", "+491701234567"),
        ("101", OWN),
        ("0", None),
    ],
)
def test_on_the_telephone_the_outside_line_comes_first(keys: str, number: str | None) -> None:
    assert normalise(keys, BERLIN, dialled=True) == number


def test_written_numbers_are_not_taken_for_dialled_ones() -> None:
    assert normalise("00302101234567", BERLIN) == "+302101234567"
    assert normalise("00302101234567", BERLIN, dialled=True) == "+49302101234567"
    assert normalise("09001234567", BERLIN) == "+499001234567"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "+",
        "()",
        "anna",
        "sip:101@pbx",
        "*",
        "#31#030555101",
        "*72",
        "101,102",
        "+49+30555101",
        "030 555101 / 555102",
        "030/555/101",
        "0x101",
        "١٠١",
        "１０１",
        "101\n102",
        "101\0",
        "tel:+4930555;ext=101",
        "tel:anna;phone-context=+4930555",
        "+490030123456",
        "+490112",
        "+3750883511815",
        "+15550100",
        "tel:101;note=" + "x" * 100,
        "+999123456789",
        "030555101" * 20,
    ],
)
def test_what_is_no_number_is_none(text: str) -> None:
    assert normalise(text, BERLIN) is None


@given(hostile, any_site, st.booleans())
def test_any_text_gives_nothing_or_a_clean_number(text: str, site: Site, dialled: bool) -> None:
    number = normalise(text, site, dialled=dialled)
    assert number is None or CLEAN.fullmatch(number)


@given(st.text("0123456789+", max_size=18), any_site, st.booleans())
def test_normalising_twice_changes_nothing(text: str, site: Site, dialled: bool) -> None:
    number = normalise(text, site, dialled=dialled)
    assert number is None or normalise(number, site) == number


@given(real_numbers(), any_site)
def test_what_we_write_is_read_back(number: str, site: Site) -> None:
    for text in (number, international(number), national(number, site), f"tel:{number}"):
        assert normalise(text, site) == number, text


@given(real_numbers(), any_site)
def test_what_we_dial_reaches_that_number(number: str, site: Site) -> None:
    keys = dialable(number, site)
    assert re.fullmatch(r"\+?[0-9]{3,20}", keys)
    assert normalise(keys, site, dialled=True) == number


@given(real_numbers().flatmap(lambda number: st.tuples(st.just(number), scattered(number))))
def test_separators_say_nothing(number_and_text: tuple[str, str]) -> None:
    number, text = number_and_text
    assert normalise(text, BERLIN) == number


@given(st.text("123456789", min_size=1).flatmap(lambda a: st.just(a[:4])), any_site)
def test_extensions_come_back_as_they_went_in(extension: str, site: Site) -> None:
    if len(extension) < site.shortest_extension or seems_outside(extension, site):
        return
    number = normalise(extension, site, dialled=True)
    assert number is not None
    assert extension_of(number, site) == readable(number, site) == dialable(number, site)
    assert extension_of(number, site) == extension


def test_a_short_number_that_is_surely_an_outside_one_is_no_extension() -> None:
    wide = Site("DE", "+4930555", 10)
    assert normalise("0301234567", wide) == "+49301234567"
    assert normalise("1234567890", wide) == "+49305551234567890"


def test_out_it_goes_as_extension_national_or_international() -> None:
    assert (readable(OWN, BERLIN), readable("+491701234567", BERLIN)) == ("101", "+49 170 1234567")
    assert national(OWN, BERLIN) == "030 555101"
    assert national("+12125550100", BERLIN) == "+1 212-555-0100"
    assert international("101") == readable("101", BARE) == national("101", BARE) == "101"


@pytest.mark.parametrize(
    ("number", "site", "keys"),
    [
        (OWN, BERLIN, "101"),
        (OWN, GRAZ, "0004930555101"),
        ("+491701234567", BERLIN, "001701234567"),
        ("+491701234567", OPEN, "01701234567"),
        ("+442079460958", BOSTON, "9011442079460958"),
        ("+12125550100", BOSTON, "912125550100"),
        ("+390612345678", ROME, "00612345678"),
        (OWN, Site("BR"), OWN),
        ("101", BARE, "101"),
    ],
)
def test_a_telephone_of_the_site_dials_it_so(number: str, site: Site, keys: str) -> None:
    assert dialable(number, site) == keys


def test_an_extension_that_begins_like_an_outside_call_is_dialled_in_full() -> None:
    assert dialable("+49305550112", BERLIN) == "00305550112"
    assert dialable("+49305550112", OPEN) == "0305550112"
    assert dialable("+49305550", BERLIN) == "00305550"


@pytest.mark.feature_part("SITE-01", "internal callers are recognised over all sites")
def test_internal_is_every_number_of_every_site() -> None:
    sites = (BERLIN, GRAZ)
    for number in (OWN, "+43316877", "+433168771234", "101", "+4930556101", "+493055510155", ""):
        assert is_internal(number, sites) is (number in {OWN, "+433168771234"}), number
    assert is_internal("101", (BERLIN, BARE))
    assert not is_internal(OWN, ())


def test_of_nested_blocks_the_narrower_one_owns_a_number() -> None:
    branch = replace(BERLIN, base_number="+49305559", name="branch")
    assert site_of("+493055591", (BERLIN, branch, BARE)) == branch
    assert site_of("+493055581", (BERLIN, branch, BARE)) == BERLIN
    assert site_of("+493055581", (GRAZ,)) is None


def test_a_site_may_be_given_in_parts() -> None:
    assert base_number("DE", "30", "555") == BERLIN.base_number
    assert (BERLIN.country_code, BERLIN.subscriber, GRAZ.subscriber) == ("49", "555", "877")


def test_good_sites_have_no_problems() -> None:
    assert [problems_of(site) for site in (*SITES, Site())] == [()] * (len(SITES) + 1)


@pytest.mark.parametrize(
    ("site", "hint"),
    [
        (Site("XX"), "two letters"),
        (replace(BERLIN, base_number="030555"), "base number"),
        (replace(BERLIN, base_number="+4989555"), "+4930"),
        (replace(BERLIN, area="030"), "without the first 0"),
        (replace(BERLIN, area="3o"), "area code"),
        (replace(BERLIN, outside_prefix="*9"), "outside-line prefix"),
        (replace(BERLIN, shortest_extension=5), "extensions"),
    ],
)
def test_bad_sites_are_named(site: Site, hint: str) -> None:
    assert any(hint in problem for problem in problems_of(site)), problems_of(site)
