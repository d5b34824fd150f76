"""What the spool writes about a message is read back, and nothing else is taken for it."""

from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vm_ari.adapters.spool_records import (
    BadRecord,
    Kept,
    attempts_from_json,
    attempts_to_json,
    facts_from_json,
    facts_to_json,
)
from vm_ari.domain.callers import Caller
from vm_ari.domain.delivery import Attempts
from vm_ari.domain.messages import CallFacts, MessageKind
from vm_ari.domain.sending import (
    Colleague,
    Correspondent,
    Errand,
    Line,
    Quoted,
    Recipient,
    Sending,
    Telephone,
)

texts = st.text(max_size=40)
moments = st.datetimes(timezones=st.just(UTC))
callers = st.builds(Caller, number=texts, name=texts)
recipients: st.SearchStrategy[Recipient] = st.one_of(
    st.builds(Colleague, texts),
    st.builds(Correspondent, texts),
    st.builds(Telephone, texts, st.sampled_from(Line)),
)
sendings = st.builds(
    Sending,
    errand=st.sampled_from(Errand),
    sender=texts,
    recipients=st.lists(recipients, max_size=4).map(tuple),
    original=st.none() | st.sampled_from(MessageKind),
    quoted=st.none() | st.builds(Quoted, callers, moments),
    reply_to=texts,
    part_of=texts,
)


@given(
    st.builds(
        CallFacts,
        id=texts,
        message_id=texts,
        channel_id=texts,
        called=texts,
        user_id=st.none() | texts,
        caller=callers,
        started=moments,
        urgent=st.booleans(),
        sending=st.none() | sendings,
    ),
    st.none() | st.builds(Kept, audio=texts, seconds=st.floats(0, 1e6), partial=st.booleans()),
)
def test_facts_are_read_back(facts: CallFacts, kept: Kept | None) -> None:
    assert facts_from_json(facts_to_json(facts, kept)) == (facts, kept)


@given(
    st.builds(
        Attempts,
        failed=st.integers(0),
        faults=st.integers(0),
        unsure=st.integers(0),
        not_before=st.none() | moments,
        last_error=texts,
    )
)
def test_attempts_are_read_back(attempts: Attempts) -> None:
    assert attempts_from_json(attempts_to_json(attempts)) == attempts


@given(st.binary(max_size=60) | st.text(max_size=20).map(lambda text: f'"{text}"'.encode()))
def test_anything_else_is_a_bad_record(content: bytes) -> None:
    for reader in (facts_from_json, attempts_from_json):
        with pytest.raises(BadRecord):
            reader(content)


def test_what_was_written_before_anybody_could_send_is_still_read() -> None:
    facts, kept = facts_from_json(
        b'{"id": "a", "message_id": "<a@b>", "channel_id": "1", "called": "101", "user_id": null,'
        b' "caller": {"number": "", "name": ""}, "started": "2026-03-04T05:06:07+00:00",'
        b' "urgent": false, "kept": {"audio": "take-1.wav", "seconds": 2.5, "partial": false}}'
    )
    assert facts.sending is None
    assert kept == Kept("take-1.wav", 2.5, partial=False)
