"""Which number a phone has: by its name, by a table, by what was dialled."""

import re

import pytest

from tests.rung_calls import BERLIN
from vm_ari.domain.phone_numbers import PhoneNumbers, endpoint_of

DESK = {"anna-desk": "101"}


@pytest.mark.parametrize(
    ("channel", "address", "shown", "number"),
    [
        ("PJSIP/101-0000002a", "101", "600", "+49305550101"),
        ("PJSIP/+4930555101-0000002a", "", "", "+4930555101"),
        ("SIP/101-0000002a", "", "", "+49305550101"),
        ("PJSIP/anna-desk-0000002a", "anna-desk", "600", "+49305550101"),
        ("PJSIP/ben-0000002a", "ben", "102", "+49305550102"),
        ("PJSIP/ben-0000002a", "ben/sip:4711@10.1.1.5:5060", "102", "+49305550102"),
        ("PJSIP/trunk-0000002a", "+4930999888@trunk", "102", "+4930999888"),
        ("PJSIP/trunk-0000002a", "trunk/sip:030999888@10.0.0.1", "", "+4930999888"),
        ("DAHDI/i1/030999888-5", "g1/030999888", "", "+4930999888"),
        ("PJSIP/ben-0000002a", "ben", "", ""),
        ("", "", "", ""),
        ("PJSIP/1\r\n01-1", "1\r\n2", "\x00", ""),
    ],
)
def test_the_number_of_a_phone(channel: str, address: str, shown: str, number: str) -> None:
    assert PhoneNumbers(BERLIN, names=DESK).of(channel, address, shown) == number


def test_a_site_that_calls_its_phones_differently() -> None:
    numbers = PhoneNumbers(BERLIN, re.compile(r"PJSIP/desk(?P<number>\d+)[ab]"))
    assert numbers.of("PJSIP/desk101a-0000002a") == "+49305550101"
    assert numbers.of("PJSIP/101-0000002a") == ""


def test_technology_and_name() -> None:
    assert endpoint_of("PJSIP/anna-desk-0000002a") == "PJSIP/anna-desk"
    assert endpoint_of("odd") == "odd"
