"""A search asks for a number in the spellings that directories hold."""

import pytest
from hypothesis import given

from tests.domain.telephone_sites import BARE, BERLIN, BOSTON, any_site, real_numbers
from vm_ari.domain.numbers import Site, normalise
from vm_ari.domain.spellings import spellings

OWN = "+49305550101"


def without_blanks(text: str) -> str:
    """What ``telephoneNumberMatch`` compares."""
    return text.replace(" ", "").replace("-", "")


@pytest.mark.parametrize(
    "written",
    [
        "+49305550101",
        "+49 30 5550101",
        "+49 30 555 0101",
        "+49 30 555-0101",
        "+4930555-0101",
        "+49 (30) 555-0101",
        "+49 (0)30 555-0101",
        "+49 (0) 30 5550101",
        "+49-30-5550101",
        "+49 30/5550101",
        "030 5550101",
        "030 555-0101",
        "030/555-0101",
        "030 / 5550101",
        "(030) 555-0101",
        "0305550101",
        "0049 30 5550101",
    ],
)
def test_what_people_write_is_asked_for(written: str) -> None:
    assert written in spellings(OWN, BERLIN)
    assert without_blanks(written) in spellings(OWN, BERLIN, blanks_matter=False)


def test_e164_and_the_international_form_come_first() -> None:
    assert spellings(OWN, BERLIN)[:2] == (OWN, "+49 30 5550101")


def test_american_groups_are_asked_for() -> None:
    expected = {"+1 (212) 555-0100", "+1-212-555-0100", "+1 212-555-0100", "(212) 555-0100"}
    assert expected <= set(spellings("+12125550100", BOSTON))


@given(real_numbers(), any_site)
def test_every_spelling_is_that_number_and_there_are_not_too_many(number: str, site: Site) -> None:
    written = spellings(number, site)
    assert len(set(written)) == len(written) <= 32
    assert {normalise(text, site) for text in written} == {number}


@given(real_numbers(), any_site)
def test_a_server_that_ignores_blanks_is_asked_less(number: str, site: Site) -> None:
    short = spellings(number, site, blanks_matter=False)
    assert {without_blanks(text) for text in spellings(number, site)} == set(short)
    assert len(short) <= 10


def test_an_extension_is_only_cut_off_behind_the_area_code() -> None:
    narrow = Site("DE", "+493", 9)
    assert {normalise(text, narrow) for text in spellings("+493055501", narrow)} == {"+493055501"}


def test_a_bare_extension_is_only_asked_for_on_demand() -> None:
    assert "0101" not in spellings(OWN, BERLIN)
    assert spellings(OWN, BERLIN, with_extension=True)[-1] == "0101"
    assert spellings("101", BARE) == ("101",)
