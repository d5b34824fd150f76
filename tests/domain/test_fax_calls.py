"""What the dialplan writes of a call with a fax: hostile in part, judged here."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.fax_calls import ending_of, read_report
from vm_ari.domain.fax_orders import Cause, Ending

STATION = base64.b64encode("Müller\r\nX: y".encode()).decode()
GOOD = f"cause=16 answered=1 status=SUCCESS pages=3 error=HANGUP seconds=40 station={STATION} end=1"


def ending(text: str) -> Ending:
    report = read_report(text)
    assert report
    return ending_of(report)


def test_a_whole_fax() -> None:
    found = ending(GOOD)
    assert (found.cause, found.pages, found.seconds) == (None, 3, 40.0)
    assert "Müller" in found.station
    assert found.station.isprintable()


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("cause=17 answered=0 end=1", Cause.BUSY),
        ("cause=19 answered=0 end=1", Cause.NO_ANSWER),
        ("cause=1 answered=0 end=1", Cause.NO_NUMBER),
        ("cause=21 answered=0 end=1", Cause.DECLINED),
        ("cause=34 answered=0 end=1", Cause.TROUBLE),
        ("cause= answered=0 end=1", Cause.TROUBLE),
        ("cause=16 answered=1 status=FAILED pages=0 end=1", Cause.NO_FAX),
        ("cause=16 answered=1 status= pages= end=1", Cause.NO_FAX),
        ("cause=16 answered=1 status=FAILED pages=0 error=FILE_ERROR end=1", Cause.TROUBLE),
        ("cause=16 answered=1 status=FAILED pages=2 end=1", Cause.DROPPED),
        (f"cause=16 answered=1 status=FAILED pages=0 station={STATION} end=1", Cause.DROPPED),
    ],
)
def test_why_there_is_none(line: str, cause: Cause) -> None:
    assert ending(line).cause is cause


@pytest.mark.parametrize("text", ["", "cause=16 answered=1", GOOD.removesuffix(" end=1")])
def test_half_a_line_is_none(text: str) -> None:
    assert read_report(text) is None


def test_what_another_machine_says_of_itself_changes_no_other_word() -> None:
    line = "cause=17 answered=0 station=status=SUCCESS end=1"
    assert ending(line).cause is Cause.BUSY


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    if report := read_report(f"{text} end=1"):
        assert ending_of(report).pages >= 0
