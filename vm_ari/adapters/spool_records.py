"""What the spool writes about a message: facts and history as JSON."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vm_ari.domain.callers import Caller
from vm_ari.domain.delivery import Attempts
from vm_ari.domain.messages import CallFacts


class BadRecord(ValueError):
    """A file of the spool that does not hold what we once wrote into it."""


@dataclass(frozen=True)
class Kept:
    """Which take became the message."""

    audio: str
    """File name in the item's directory."""
    seconds: float
    partial: bool


def facts_to_json(facts: CallFacts, kept: Kept | None = None) -> bytes:
    """The content of ``facts.json``."""
    record: dict[str, Any] = {
        "id": facts.id,
        "message_id": facts.message_id,
        "channel_id": facts.channel_id,
        "called": facts.called,
        "user_id": facts.user_id,
        "caller": {"number": facts.caller.number, "name": facts.caller.name},
        "started": facts.started.isoformat(),
        "urgent": facts.urgent,
    }
    if kept is not None:
        record["kept"] = vars(kept)
    return json.dumps(record, indent=1).encode()


def facts_from_json(content: bytes) -> tuple[CallFacts, Kept | None]:
    """The facts, and which take was kept if one was. Raises BadRecord."""
    try:
        record = json.loads(content)
        kept = Kept(**record["kept"]) if "kept" in record else None
        return _facts(record), kept
    except (ValueError, TypeError, KeyError) as error:
        raise BadRecord(f"facts: {error!r}") from error


def _facts(record: dict[str, Any]) -> CallFacts:
    return CallFacts(
        id=record["id"],
        message_id=record["message_id"],
        channel_id=record["channel_id"],
        called=record["called"],
        user_id=record["user_id"],
        caller=Caller(number=record["caller"]["number"], name=record["caller"]["name"]),
        started=datetime.fromisoformat(record["started"]),
        urgent=record["urgent"],
    )


def attempts_to_json(attempts: Attempts) -> bytes:
    """The content of ``attempts.json``."""
    record = vars(attempts) | {
        "not_before": attempts.not_before.isoformat() if attempts.not_before else None
    }
    return json.dumps(record, indent=1).encode()


def attempts_from_json(content: bytes) -> Attempts:
    """The history. Raises BadRecord."""
    try:
        record = json.loads(content)
        if record["not_before"] is not None:
            record["not_before"] = datetime.fromisoformat(record["not_before"])
        return Attempts(**record)
    except (ValueError, TypeError, KeyError) as error:
        raise BadRecord(f"attempts: {error!r}") from error
