"""Contacts from hostile address books, and numbers as links."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.contacts import MOST_NUMBERS, Contact, contact_from
from vm_ari.domain.number_links import BadPrefix, link, parse_prefix
from vm_ari.domain.numbers import Site

SITE = Site(base_number="+4930555", area="30")


def test_a_contact_is_made_of_clean_texts_and_numbers() -> None:
    made = contact_from(
        "Jörg\r\nBcc: eve@x",
        "Größe & Söhne",
        "j@x.org",
        ["089/123456", "no", "+49 89 123456"],
        SITE,
    )
    assert made == Contact("Jörg Bcc: eve@x", "Größe & Söhne", "j@x.org", ("+4989123456",))


@pytest.mark.parametrize(
    "mail", ["j@x.org\r\nBcc: eve@x.org", "a@b@c", "<a@b>", "a b@c", "a,b@c.de, c@d", "x" * 300]
)
def test_what_is_no_mail_address_is_left_out(mail: str) -> None:
    made = contact_from("Jörg", "", mail, (), SITE)
    assert made is not None
    assert made.mail == ""


def test_without_a_name_there_is_no_contact() -> None:
    assert contact_from(" \u202e", "\x00", "j@x.org", ["101"], SITE) is None
    firm = contact_from("", "Größe", "", (), SITE)
    assert firm is not None
    assert firm.shown == "Größe"


@given(st.text(), st.text(), st.text(), st.lists(st.text()))
def test_nothing_in_an_address_book_does_harm(
    name: str, organisation: str, mail: str, numbers: list[str]
) -> None:
    made = contact_from(name, organisation, mail, [*numbers, *map(str, range(100, 130))], SITE)
    if made is not None:
        assert (made.name + made.organisation + made.mail).isprintable()
        assert len(made.numbers) <= MOST_NUMBERS


@pytest.mark.parametrize("text", ["tel:", "phone:", "callto:", "sip:", "my-pbx:", "ninechars:"])
def test_prefixes_of_links(text: str) -> None:
    assert link("+4930555101", parse_prefix(text)) == f"{text}+4930555101"


@pytest.mark.parametrize(
    "text",
    ["", "tel", ":", "1tel:", "tencharact:", "javascript:", "vbscript:", "DATA:", "http:", "a b:"],
)
def test_what_cannot_stand_before_a_number(text: str) -> None:
    with pytest.raises(BadPrefix, match="write tel:, phone:, callto:, an own one"):
        parse_prefix(text)


def test_there_need_be_no_links() -> None:
    assert parse_prefix("none") == ""
    assert link("+4930555101", "") == ""
    assert link('101" onclick="x', "tel:") == ""
