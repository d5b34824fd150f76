"""Star codes that are free, and those that somebody else has."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.asterisk_files import statements
from vm_ari.domain.feature_codes import Codes, choose, is_taken, taken


@pytest.mark.parametrize(
    ("name", "code", "fits"),
    [
        ("*95", "*95", True),
        ("*95", "*96", False),
        ("_*9X", "*95", True),
        ("_*9X", "*955", False),
        ("_*9[4-6]", "*95", True),
        ("_*9[7-9]", "*95", False),
        ("_*95.", "*95", False),
        ("_*95!", "*95", True),
        ("_*9-5", "*95", True),
        ("_*N5", "*95", True),
        ("_*Z6", "*06", False),
        ("_*9[9-0]", "*95", False),  # a range that nobody can mean
    ],
)
def test_patterns_are_read_as_asterisk_reads_them(name: str, code: str, fits: bool) -> None:
    assert is_taken(code, [name]) is fits


def test_the_first_two_free_ones_are_chosen() -> None:
    assert choose([]) == Codes("*95", "*96")
    assert choose(["*95", "*98"]) == Codes("*96", "*94")
    assert choose(["_*9X", "_*8X"]) == Codes("*195", "*196")
    assert choose(["_*!"]) is None


def test_names_are_those_of_extensions_and_not_the_ones_that_take_everything() -> None:
    text = "exten => *97,1,A()\nexten = _*98X.,n,B()\nexten => _X.,1,C()\nexten => *9/101,1,D()\n"
    assert taken(statements(text)) == ["*9", "*97", "_*98X."]


@given(st.text(max_size=30), st.text("*#0123456789", max_size=5))
def test_no_name_is_too_strange(name: str, code: str) -> None:
    assert is_taken(code, [name, f"_{name}"]) in (True, False)
