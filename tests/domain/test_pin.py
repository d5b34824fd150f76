"""How PINs are compared."""

import pytest

from vm_ari.domain.pin import same_pin


@pytest.mark.parametrize(
    ("known", "typed", "same"),
    [
        ("123456", "123456", True),
        ("123456", "12345", False),
        ("123456", "", False),
        ("", "", False),
        ("123456", "12345\udcff", False),
    ],
)
def test_only_the_whole_pin_opens_and_none_opens_nothing(
    known: str, typed: str, same: bool
) -> None:
    assert same_pin(known, typed) is same
