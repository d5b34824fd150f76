"""Mail addresses that stand for telephone numbers are written and read again (MAIL-06)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, example_number_for_type, format_number
from phonenumbers import PhoneNumberType as Plan

from vm_ari.adapters.mail_writing import ascii_address
from vm_ari.domain.number_addresses import BadAddressTemplate, NumberForm, parse
from vm_ari.domain.numbers import Site, normalise

BERLIN = Site(base_number="+4930555", area="30", outside_prefix="0")
NO_BASE = Site(region="FR")
TEMPLATES = (
    "$(phonenumber)@$(addrtype).example.org",
    "${addrtype}=${phonenumber}@gateway.example.org",
    "fax-$(phonenumber)@example.org",
)
REGIONS = ("DE", "AT", "CH", "FR", "GB", "US", "IT", "PL", "JP", "BR")
NUMBERS = [
    format_number(found, PhoneNumberFormat.E164)
    for region in REGIONS
    for plan in (Plan.FIXED_LINE, Plan.MOBILE)
    if (found := example_number_for_type(region, plan))
]


@given(
    st.sampled_from(TEMPLATES),
    st.sampled_from(list(NumberForm)),
    st.sampled_from([BERLIN, NO_BASE]),
    st.sampled_from([*NUMBERS, "+4930555101"]),
    st.sampled_from(["voice", "fax", "sms"]),
)
def test_a_number_is_written_into_an_address_and_read_again(
    text: str, form: NumberForm, site: Site, number: str, kind: str
) -> None:
    template = parse(text, form)
    address = template.address(number, kind, site)
    assert ascii_address(address) == address
    told = kind if "addrtype" in text else ""
    assert template.number_in(address.upper(), site) == (number, told)


@pytest.mark.parametrize(
    ("form", "number", "address"),
    [
        (NumberForm.E164, "+493012345678", "+493012345678@fax.example.org"),
        (NumberForm.DIGITS, "+493012345678", "493012345678@fax.example.org"),
        (NumberForm.NATIONAL, "+493012345678", "03012345678@fax.example.org"),
        (NumberForm.NATIONAL, "+33142686300", "0033142686300@fax.example.org"),
    ],
)
def test_forms_of_a_number(form: NumberForm, number: str, address: str) -> None:
    assert parse(TEMPLATES[0], form).address(number, "fax", BERLIN) == address


@given(st.text(max_size=80) | st.from_regex(r"[0-9+]{0,25}@fax\.example\.org", fullmatch=True))
def test_of_any_other_address_comes_a_clean_number_or_none(address: str) -> None:
    for form in NumberForm:
        found = parse(TEMPLATES[0], form).number_in(address, BERLIN)
        assert found is None or normalise(found[0], BERLIN) == found[0]


@pytest.mark.parametrize(
    ("address", "number"),
    [
        ("+493012345678@fax.example.org.evil.example", None),
        ("+493012345678@fax.example.org\n", None),
        ("x+493012345678@fax.example.org", None),
        ("٠٣٠١٢٣٤٥٦٧٨@fax.example.org", None),
        ("+493012345678@FAX.Example.ORG", "+493012345678"),
        ("101@sms.example.org", "+4930555101"),
    ],
)
def test_addresses_that_look_alike(address: str, number: str | None) -> None:
    found = parse(TEMPLATES[0]).number_in(address, BERLIN)
    assert (found and found[0]) == number


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("$(number)@example.org", r"there is no \$\(number\); there are \$\(phonenumber\)"),
        ("fax@example.org", "must be in it once"),
        ("$(phonenumber)$(phonenumber)@example.org", "must be in it once"),
        ("$(phonenumber)@example.org, x@example.org", "makes no mail address"),
        ("$(phonenumber)", "makes no mail address"),
        ("$(phonenumber)@exa\nmple.org", "makes no mail address"),
    ],
)
def test_a_template_that_cannot_be_meant_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(BadAddressTemplate, match=complaint):
        parse(text)
