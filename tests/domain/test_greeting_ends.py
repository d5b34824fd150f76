"""Ends of greetings as people write them, and what a recording call is for."""

from contextlib import suppress
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.domain.ends import BadEnd, coming_end, end_of
from vm_ari.domain.greetings import GreetingKey, Slot
from vm_ari.domain.recording_call import BadRecordingCall, arguments_for, key_in

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("2026-06-30", datetime(2026, 6, 30, 22, tzinfo=UTC)),
        ("2026-12-31", datetime(2026, 12, 31, 23, tzinfo=UTC)),
        (" 2026-12-31 ", datetime(2026, 12, 31, 23, tzinfo=UTC)),
        ("2026-03-28", datetime(2026, 3, 28, 23, tzinfo=UTC)),
        ("2026-03-29", datetime(2026, 3, 29, 22, tzinfo=UTC)),
        ("2026-12-31T18:00", datetime(2026, 12, 31, 17, tzinfo=UTC)),
        ("2026-12-31T18:00+05:00", datetime(2026, 12, 31, 13, tzinfo=UTC)),
        ("2026-12-31T18:00Z", datetime(2026, 12, 31, 18, tzinfo=UTC)),
        ("never", None),
    ],
)
def test_a_day_counts_to_its_end_where_the_user_is(text: str, end: datetime | None) -> None:
    assert end_of(text, BERLIN) == end


@pytest.mark.parametrize("text", ["", "tomorrow", "2026-13-01", "31.12.2026", "9999-12-31"])
def test_what_is_no_date_says_what_to_write(text: str) -> None:
    with pytest.raises(BadEnd, match="write the last day as 2026-12-31"):
        end_of(text, BERLIN)


def test_what_begins_now_cannot_be_over() -> None:
    now = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)
    assert coming_end("2026-11-25", BERLIN, now), "which has begun there"
    assert coming_end("never", BERLIN, now) is None
    for text in ("2026-11-24", "2026-11-25T00:30", "1999-12-31"):
        with pytest.raises(BadEnd, match="is over already; write the last day"):
            coming_end(text, BERLIN, now)


@given(st.text(max_size=40))
def test_any_text_is_an_end_or_is_refused(text: str) -> None:
    try:
        end = end_of(text, BERLIN)
    except BadEnd:
        return
    assert end is None or end.tzinfo is UTC


@given(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.sampled_from(Slot),
    st.sampled_from(["de", "en", "pt-BR"]),
)
def test_a_recording_call_knows_its_greeting_whatever_the_owner_is_called(
    owner: str, slot: Slot, language: str
) -> None:
    key = GreetingKey(owner, slot, language)
    arguments = arguments_for(key)
    assert arguments.isascii()
    assert arguments.isprintable()
    assert key_in(arguments.split(",")) == key


@given(st.lists(st.text(max_size=20), max_size=6))
def test_other_arguments_name_no_greeting(arguments: list[str]) -> None:
    with pytest.raises(BadRecordingCall):
        key_in(["leave", *arguments])
    with suppress(BadRecordingCall):
        assert isinstance(key_in(["record", *arguments]), GreetingKey)
