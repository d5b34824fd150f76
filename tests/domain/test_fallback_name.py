"""What the dialplan writes into a file name is read back, and nothing else is accepted."""

import base64
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.fallback_name import FallbackFacts, parse

numbers = st.from_regex(r"\+?[0-9]{0,23}", fullmatch=True)
called = st.from_regex(r"\+?[0-9]{1,23}", fullmatch=True)
unique_ids = st.from_regex(r"[0-9A-Za-z.]{1,32}", fullmatch=True)
epochs = st.integers(min_value=0, max_value=10**11)


def dialplan_name(raw: bytes) -> str:
    """As the dialplan does it: BASE64_ENCODE, "/" to "-", the first 96 characters."""
    return base64.b64encode(raw).decode().replace("/", "-")[:96]


def written(facts: FallbackFacts, name: str) -> str:
    numbers = (facts.called, facts.caller_number, facts.redirecting)
    return "_".join((str(facts.epoch), facts.unique_id, *numbers, name)) + ".wav"


@given(epochs, unique_ids, called, numbers, st.text(), numbers)
def test_what_the_dialplan_writes_is_read_back(
    epoch: int, unique_id: str, called: str, caller: str, name: str, redirecting: str
) -> None:
    raw = name.encode("utf-8", "replace")
    facts = parse(
        written(
            FallbackFacts(epoch, unique_id, called, caller, name, redirecting), dialplan_name(raw)
        )
    )
    kept = raw[:72].decode("utf-8", "ignore")  # only the character the cut goes through is lost
    assert facts == FallbackFacts(epoch, unique_id, called, caller, kept, redirecting)


@given(numbers.filter(bool), st.one_of(st.just(""), numbers.filter(bool)))
def test_at_the_common_number_it_tells_who_redirected(first: str, last: str) -> None:
    facts = parse(f"1_a__5_{first}{last and f'-{last}'}_.wav")
    assert (facts.called, facts.redirecting, facts.last_redirecting) == ("", first, last)


@pytest.mark.parametrize("name", ["1_a__5__.wav", "1_a__5_-7_.wav", "1_a__5_7-_.wav"])
def test_a_name_that_tells_no_mailbox_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a recording"):
        parse(name)


@given(st.binary(max_size=200))
def test_a_name_that_is_no_utf8_still_gives_facts(raw: bytes) -> None:
    facts = parse(f"1_a_101___{dialplan_name(raw)}.wav")
    assert raw[:72].decode("utf-8", "replace").startswith(facts.caller_name)
    assert (facts.called, facts.caller_number, facts.redirecting) == ("101", "", "")


@given(st.from_regex(r"[0-9A-Za-z+=-]{0,96}", fullmatch=True))
def test_a_name_that_is_no_base64_is_no_reason_to_lose_the_message(name: str) -> None:
    assert parse(f"1_a_101_5_6_{name}.wav").caller_number == "5"


@given(st.text())
def test_any_other_name_is_refused(name: str) -> None:
    try:
        facts = parse(name)
    except ValueError:
        return
    assert re.fullmatch(r"[0-9A-Za-z.+=_-]+\.wav", name), facts


@pytest.mark.parametrize(
    "name",
    [
        "",
        "note.txt",
        "1763765000_x.1_101___.WAV",
        "1763765000_x.1____.wav",  # nobody was called
        "1763765000_x.1_101__.wav",  # a field is missing
        "1763765000_x.1_101____.wav",  # one too many
        "../1763765000_x.1_101___.wav",
        "1763765000_x.1_101___.wav\n",
        "١٧_x.1_101___.wav",  # digits, but not ours
        "1763765000_" + "x" * 33 + "_101___.wav",
    ],
)
def test_examples_of_other_names(name: str) -> None:
    with pytest.raises(ValueError, match="not a recording made by the dialplan"):
        parse(name)


def test_an_example() -> None:
    name = base64.b64encode("Jürgen Öz?>".encode()).decode().replace("/", "-")
    assert parse(f"1763765000_vmari5060.17_101_+498912345_4711_{name}.wav") == FallbackFacts(
        epoch=1763765000,
        unique_id="vmari5060.17",
        called="101",
        caller_number="+498912345",
        caller_name="Jürgen Öz?>",
        redirecting="4711",
    )
