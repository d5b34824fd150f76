"""What the journal hears of messages that users send, and of notices."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

from tests.clock import run_virtually
from tests.fake_journal import FakeJournalStore
from vm_ari.domain.callers import Caller
from vm_ari.domain.journal import JournalEntry, Kind, Result
from vm_ari.domain.messages import CallFacts, Counts, VoiceMessage
from vm_ari.domain.notifications import Channel, Notice, Topic
from vm_ari.domain.sending import (
    Colleague,
    Correspondent,
    Errand,
    Line,
    Sending,
    Telephone,
)
from vm_ari.domain.sending_parts import parts_of
from vm_ari.domain.users import User
from vm_ari.services.journal_writing import JournalWriter
from vm_ari.services.message_records import MessageRecords
from vm_ari.services.notice_records import NotedOutlet

ANNA = User("anna", "Anna", "101", ("101",), "anna@site.example")
BERT = User("bert", "Bert", "102", ("102",), "bert@site.example")
START = datetime(2026, 3, 4, 12, tzinfo=UTC)
SENDING = Sending(
    Errand.MESSAGE,
    "anna",
    (Colleague("bert"), Correspondent("eve@else.example"), Telephone("+493012345", Line.VOICE)),
)
FACTS = CallFacts("f1", "<f1@pbx>", "chan", "", None, Caller("101", "Anna"), START, sending=SENDING)


def test_what_is_sent_is_noted_for_both_sides() -> None:
    store = FakeJournalStore()
    writer = JournalWriter(store)
    records = MessageRecords(writer, "node")
    whole = VoiceMessage(FACTS, "/a.wav", 4.0)
    parts = [replace(whole, facts=facts) for facts in parts_of(FACTS)]

    async def story() -> None:
        await records.found(whole)
        await records.delivered(whole, ANNA)
        for part in parts:
            await records.found(part)
        await records.delivered(parts[0], BERT)
        await records.delivered(parts[1], ANNA)
        await writer.close()

    run_virtually(story())
    sent, received = sorted(store.entries.values(), key=lambda entry: entry.kind, reverse=True)
    assert sent == JournalEntry(
        id="node/f1",
        kind=Kind.MESSAGE_SENT,
        started=START,
        result=Result.SENT,
        user_id="anna",
        caller=Caller("101", "Anna"),
        called="bert, eve@else.example, +493012345",
        seconds=4.0,
        node="node",
    )
    assert (received.kind, received.user_id, received.mailbox) == (
        Kind.MESSAGE_RECEIVED,
        "bert",
        "102",
    )
    assert (received.message_id, received.delivered) == (parts[0].facts.message_id, True)
    assert (received.result, received.entrusted) == (Result.SENT, False)


class _Outlet:
    """Takes everything."""

    channel = Channel.SMS

    def __init__(self) -> None:
        self.announced: list[str] = []

    def obstacle(self, user: User) -> str:
        return f"no number of {user.id}"

    async def announce(self, user: User, notice: Notice) -> None:
        self.announced.append(notice.id)


def test_a_notice_is_noted_once_however_often_it_is_tried() -> None:
    store, inner = FakeJournalStore(), _Outlet()
    writer = JournalWriter(store)
    outlet = NotedOutlet(inner, writer, "node")
    notice = Notice("ab12", "anna", {Topic.VOICE: 2, Topic.FAX: 1}, Counts(new_voice=2), START)

    async def story() -> None:
        await outlet.announce(ANNA, notice)
        await outlet.announce(ANNA, notice)
        await asyncio.sleep(1)
        await writer.close()

    run_virtually(story())
    [entry] = store.entries.values()
    assert (entry.kind, entry.result, entry.user_id) == (
        Kind.NOTIFICATION,
        Result.QUEUED,
        "anna",
    )
    assert (entry.called, entry.why) == ("sms", "New: 2 voice, 1 fax.")
    assert inner.announced == ["ab12", "ab12"]
    assert (outlet.channel, outlet.obstacle(ANNA)) == (Channel.SMS, "no number of anna")


def test_the_recording_of_a_conference_is_no_call() -> None:
    store = FakeJournalStore()
    writer = JournalWriter(store)
    records = MessageRecords(writer, "node")
    facts = replace(FACTS, sending=None, user_id="anna", called="+49301", conference=True)
    message = VoiceMessage(facts, "/a.wav", 4.0)

    async def story() -> None:
        await records.found(message)
        await records.delivered(message, ANNA)
        await writer.close()

    run_virtually(story())
    [entry] = store.entries.values()
    assert (entry.kind, entry.user_id, entry.delivered) == (Kind.CONFERENCE, "anna", True)
