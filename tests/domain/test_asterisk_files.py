"""A block of ours in somebody else's configuration file: in and out again, whatever is there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.asterisk_files import (
    Statement,
    has_block,
    is_broken,
    statements,
    with_block,
    without_block,
)

BODY = "#include vm_ari/extensions.conf"
FILES = st.lists(
    st.sampled_from(
        [b"[general]", b"a = b", b"\n", b"\r\n", b";", b" ", b"\xff", b"; >>> vm_", b"#include x"]
    ),
    max_size=12,
).map(b"".join)


@given(FILES)
def test_a_block_leaves_no_trace(before: bytes) -> None:
    after = with_block(before, BODY)
    assert has_block(after)
    assert not is_broken(after)
    assert BODY.encode() in after
    assert without_block(after) == before


@given(FILES, FILES)
def test_what_others_write_later_stays(before: bytes, later: bytes) -> None:
    left = without_block(with_block(before, BODY) + later)
    assert left is not None or not before + later
    assert (left or b"").replace(b"\n", b"") == (before + later).replace(b"\n", b"")


@given(FILES)
def test_a_second_time_changes_nothing_and_a_new_text_takes_its_place(before: bytes) -> None:
    once = with_block(before, BODY)
    assert with_block(once, BODY) == once
    other = with_block(once, "#include other.conf")
    assert BODY.encode() not in other
    assert without_block(other) == before


def test_a_file_made_for_it_goes_with_it() -> None:
    made = with_block(None, BODY)
    assert without_block(made) is None
    assert without_block(made + b"own = line\n") == b"own = line\n"
    assert without_block(with_block(b"", BODY)) == b""


@pytest.mark.parametrize("cut", [10, 60, -10])
def test_a_damaged_block_is_seen(cut: int) -> None:
    assert is_broken(with_block(b"[general]\n", BODY)[:cut] + b"\n") is (cut != 10)
    twice = with_block(b"", BODY) + with_block(b"", BODY)
    assert is_broken(twice)


def test_what_a_file_says() -> None:
    text = """\
; a comment
[general]           ; another
bindaddr=127.0.0.1  ; behind a value
Enabled = yes
;--
enabled = no
--;
password = a\\;b
[101](!,house)
#include "some file.conf"
#tryinclude other/*.conf
exten => *98,1,Goto(a,b,1)
"""
    assert list(statements(text)) == [
        Statement("general", "", ""),
        Statement("general", "bindaddr", "127.0.0.1"),
        Statement("general", "enabled", "yes"),
        Statement("general", "password", "a;b"),
        Statement("101", "", ""),
        Statement("101", "#include", "some file.conf"),
        Statement("101", "#include", "other/*.conf"),
        Statement("101", "exten", "*98,1,Goto(a,b,1)"),
    ]


@given(st.text(max_size=200))
def test_no_text_is_too_strange(text: str) -> None:
    assert isinstance(list(statements(text)), list)
