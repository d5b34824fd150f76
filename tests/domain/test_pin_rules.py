"""Which PINs are refused, and why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.access import LoginRules
from vm_ari.domain.pin_rules import LONGEST_PIN, PinFault, pin_fault, sentence
from vm_ari.services.logins import random_pin

NUMBERS = ("+498142479101", "101")


def fault(pin: str, **more: object) -> PinFault | None:
    return pin_fault(pin, shortest=6, numbers=NUMBERS, **more)  # type: ignore[arg-type]


@pytest.mark.feature_part("LOGIN-02", "trivial PINs are refused with the reason")
@pytest.mark.parametrize(
    ("pins", "expected"),
    [
        (("", "12a456", "12 456", "+12345", "١٢٣٤٥٦", "123456\n"), PinFault.NOT_DIGITS),
        (("7", "73026"), PinFault.TOO_SHORT),
        (("730264" * 4,), PinFault.TOO_LONG),
        (("444444", "121212", "123123", "1231231", "70707", "4040404040"), PinFault.REPEATED),
        (("123456", "987654", "456789", "890123", "321098", "135791", "024680"), PinFault.SEQUENCE),
        (("479101", "814247", "498142479101", "000101", "101000", "8142479"), PinFault.OWN_NUMBER),
        (("730264", "835271", "246813", "112233", "123457"), None),
    ],
)
def test_what_is_wrong_with_a_pin(pins: tuple[str, ...], expected: PinFault | None) -> None:
    shortest = 5 if expected is PinFault.REPEATED else 6
    found = {pin: pin_fault(pin, shortest=shortest, numbers=NUMBERS) for pin in pins}
    assert found == dict.fromkeys(pins, expected)


@pytest.mark.feature_part("LOGIN-02", "the present PIN and the previous 5")
def test_a_pin_that_was_used_before_is_refused() -> None:
    used = ("730264", "835271")
    assert fault("730264", used=used) is fault("835271", used=used) is PinFault.USED_BEFORE
    assert fault("835272", used=used) is None


@pytest.mark.feature_part("LOGIN-02", "a site decides how many digits")
def test_a_site_decides_how_long_a_pin_must_be() -> None:
    assert pin_fault("7302", shortest=4) is None
    assert pin_fault("7302648", shortest=8) is PinFault.TOO_SHORT


def test_an_admin_is_told_the_reason_in_a_sentence() -> None:
    told = {sentence(fault, shortest=8) for fault in PinFault}
    assert len(told) == len(PinFault)
    assert "The PIN is too short; it needs at least 8 digits." in told


@given(st.text(alphabet="0123456789", max_size=LONGEST_PIN + 3), st.integers(4, 12))
def test_a_good_pin_is_never_one_that_everybody_tries(pin: str, shortest: int) -> None:
    if pin_fault(pin, shortest=shortest) is None:
        assert len(pin) >= shortest
        assert len(set(pin)) > 1
        assert pin not in "01234567890123456789"
        assert pin not in "98765432109876543210"


@pytest.mark.feature_part("LOGIN-05", "a random one is generated where needed")
def test_random_pins_are_good_and_different() -> None:
    pins = [random_pin(LoginRules(shortest_pin=8), NUMBERS) for _ in range(500)]
    assert len(set(pins)) > 490
    assert all(pin_fault(pin, shortest=8, numbers=NUMBERS) is None for pin in pins)
