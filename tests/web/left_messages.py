"""Messages in the mailboxes of the portal's house, as callers leave them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.recordings import spoken, wav
from tests.web.portal_house import House, config_of
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.callers import Caller
from vm_ari.domain.journal import JournalEntry, Kind, Result
from vm_ari.domain.messages import CallFacts, StoredMessage, VoiceMessage
from vm_ari.domain.transcripts import Passage, Transcript
from vm_ari.services.own_messages import OwnMessages
from vm_ari.web.user_parts import UserParts
from vm_ari.wiring.journal import open_journal_store
from vm_ari.wiring.store import open_store

BEGAN = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
EVA = Caller("+498912345678", "Eva Eder")


def desk(house: House) -> OwnMessages:
    """What the pages work with."""
    found = [one for one in house.portal.parts.more if isinstance(one, UserParts)]
    assert found[0].messages
    return found[0].messages


async def leave(
    house: House, home: Path, user_id: str, number: int = 1, *, caller: Caller = EVA, **tables: Any
) -> VoiceMessage:
    """The message of that number, a minute after the one before; *tables* as for the house."""
    recording = home / "left.wav"
    recording.write_bytes(wav(spoken(2.5)))
    facts = CallFacts(
        id=f"{number:016x}",
        message_id=f"<{number:016x}@pbx.example>",
        channel_id=f"1700000000.{number}",
        called="101",
        user_id=user_id,
        caller=caller,
        started=BEGAN + timedelta(minutes=number),
    )
    words = Transcript((Passage("Hello, Eva. This is Adam <b>here</b>."),), "en")
    message = VoiceMessage(facts, str(recording), 2.5, transcript=words)
    config = config_of(home, **tables)
    keys = KeyRing(config.directory.keys)
    store = open_store(config, keys, house.directory, home / "listening")
    user = await house.directory.user_by_id(user_id)
    assert user
    try:
        await store.courier.deliver(message, user)
    finally:
        await store.close()
    return message


async def noted(home: Path, message: VoiceMessage, user_id: str) -> JournalEntry:
    """The journal's entry of that call."""
    facts = message.facts
    entry = JournalEntry(
        id=f"node/{facts.channel_id}",
        kind=Kind.CALL,
        started=facts.started,
        result=Result.MESSAGE_LEFT,
        user_id=user_id,
        mailbox="101",
        caller=facts.caller,
        called="101",
        message_id=facts.message_id,
        seconds=message.seconds,
        delivered=True,
    )
    store = open_journal_store(config_of(home))
    try:
        await store.write([entry])
    finally:
        await store.close()
    return entry


async def only_message(house: House, user_id: str) -> StoredMessage:
    """Of a mailbox that holds one."""
    user = await house.directory.user_by_id(user_id)
    assert user
    [message] = (await desk(house).page(user)).messages
    return message
