"""What the dialplan tells of a fax, judged (UM-04)."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.faxes import (
    LONGEST_STATION,
    MOST_PAGES,
    NO_WORD,
    Fax,
    FaxNote,
    FaxPages,
    FaxQuality,
    facts_in,
    judged,
    read_note,
)

NAME = "1795363467_vmari.11_+49305550334_+4989123456__QW5uYQ.tif"
WHOLE = FaxNote(complete=True, pages=3, rate=14400, t38=True, station="+49 89 123456")


def note(**words: str) -> str:
    return " ".join(f"{key}={value}" for key, value in {**words, "end": "1"}.items())


def coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_the_file_name_tells_of_the_call() -> None:
    facts = facts_in(NAME)
    assert (facts.epoch, facts.unique_id) == (1795363467, "vmari.11")
    assert (facts.called, facts.caller_number) == ("+49305550334", "+4989123456")
    assert facts.caller_name == "Anna"


@pytest.mark.parametrize(
    "name",
    [
        "fax.tif",
        NAME.replace(".tif", ".wav"),
        NAME.replace("+49305550334", ""),
        NAME.replace("_vmari", "_../vmari"),
        "x" * 3000 + ".tif",
    ],
)
def test_a_strange_file_is_named(name: str) -> None:
    with pytest.raises(ValueError, match="dialplan"):
        facts_in(name)


def test_the_dialplans_word() -> None:
    text = note(
        status="SUCCESS", pages="3", rate="14400", mode="T38", station=coded("+49 89 123456")
    )
    assert read_note(text) == WHOLE
    cut = note(status="FAILED", pages="1", mode="audio", error=coded("The call dropped"))
    assert read_note(cut) == FaxNote(False, 1, 0, False, "", "The call dropped")


@pytest.mark.parametrize("text", ["", "status=SUCCESS pages=3", "status=SUCCESS end=", "\0" * 9])
def test_a_note_that_is_not_all_there_is_none_yet(text: str) -> None:
    assert read_note(text) is None


def test_what_the_other_machine_says_becomes_harmless() -> None:
    hostile = "x\r\nBcc: y\x1b[2J" + "9" * 100
    found = read_note(note(status="SUCCESS", station=coded(hostile), pages="9" * 9))
    assert found
    assert found.station.isprintable()
    assert len(found.station) <= LONGEST_STATION
    assert found.pages == MOST_PAGES
    assert read_note(note(station="!", rate="1e9", pages="-1")) == FaxNote(False, 0, 0, False, "")


@given(st.text())
def test_no_note_breaks_anything(text: str) -> None:
    found = read_note(f"{text} end=1")
    if found is not None:
        assert 0 <= found.pages <= MOST_PAGES
        assert (found.station + found.error).isprintable()


@pytest.mark.parametrize(
    ("told", "count", "pages", "partial"),
    [
        (WHOLE, 3, 3, False),
        (WHOLE, 2, 2, True),  # a full disk
        (WHOLE, 4, 4, False),
        (FaxNote(False, 1, 0, False, "", "dropped"), 1, 1, True),
        (NO_WORD, 2, 2, True),
    ],
)
def test_pages_count_that_are_there(
    told: FaxNote, count: int, pages: int, *, partial: bool
) -> None:
    fax, part = judged(told, FaxPages(count, 196.0))
    assert (fax.pages, part) == (pages, partial)
    assert bool(fax.error) is partial


def test_the_quality_follows_the_lines() -> None:
    lines = {98.0: FaxQuality.STANDARD, 196.0: FaxQuality.FINE, 391.0: FaxQuality.SUPERFINE}
    for inch, quality in (lines | {0.0: FaxQuality.FINE}).items():
        assert judged(WHOLE, FaxPages(1, inch))[0].quality is quality


def test_a_fax_in_one_line() -> None:
    assert str(Fax(1, rate=9600)) == "1 page, audio, 9600 bit/s"
    assert str(Fax(0, t38=True, error="no carrier")) == "0 pages, T.38: no carrier"
