"""What the spool writes about a message: facts and history as JSON."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vm_ari.domain.callers import Caller
from vm_ari.domain.delivery import Attempts
from vm_ari.domain.faxes import Fax, FaxQuality
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


class BadRecord(ValueError):
    """A file of the spool that does not hold what we once wrote into it."""


@dataclass(frozen=True)
class Kept:
    """Which take became the message."""

    audio: str
    """File name in the item's directory; empty where a user forwards without a word."""
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
    if facts.sending is not None:
        record["sending"] = _sending_record(facts.sending)
    if facts.fax is not None:
        record["fax"] = vars(facts.fax) | {"quality": facts.fax.quality.value}
    if facts.conference:
        record["conference"] = True
    if kept is not None:
        record["kept"] = vars(kept)
    return json.dumps(record).encode()


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
        sending=_sending(record["sending"]) if "sending" in record else None,
        fax=_fax(record["fax"]) if "fax" in record else None,
        conference=bool(record.get("conference", False)),
    )


def _fax(record: dict[str, Any]) -> Fax:
    return Fax(**(record | {"quality": FaxQuality(record["quality"])}))


def _sending_record(sending: Sending) -> dict[str, Any]:
    quoted = sending.quoted
    return {
        "errand": sending.errand.value,
        "sender": sending.sender,
        "recipients": [_recipient_record(one) for one in sending.recipients],
        "original": sending.original.value if sending.original else None,
        "quoted": quoted and {**vars(quoted.caller), "received": quoted.received.isoformat()},
        "reply_to": sending.reply_to,
        "part_of": sending.part_of,
    }


def _sending(record: dict[str, Any]) -> Sending:
    return Sending(
        errand=Errand(record["errand"]),
        sender=record["sender"],
        recipients=tuple(_recipient(one) for one in record["recipients"]),
        original=MessageKind(record["original"]) if record["original"] else None,
        quoted=_quoted(record["quoted"]) if record["quoted"] else None,
        reply_to=record["reply_to"],
        part_of=record["part_of"],
    )


def _quoted(record: dict[str, Any]) -> Quoted:
    caller = Caller(number=record["number"], name=record["name"])
    return Quoted(caller, datetime.fromisoformat(record["received"]))


def _recipient_record(recipient: Recipient) -> dict[str, str]:
    match recipient:
        case Colleague(user_id):
            return {"user": user_id}
        case Correspondent(address):
            return {"address": address}
        case Telephone(number, line):
            return {"number": number, "line": line.value}


def _recipient(record: dict[str, str]) -> Recipient:
    if "user" in record:
        return Colleague(record["user"])
    if "address" in record:
        return Correspondent(record["address"])
    return Telephone(record["number"], Line(record["line"]))


def attempts_to_json(attempts: Attempts) -> bytes:
    """The content of ``attempts.json``."""
    record = vars(attempts) | {
        "not_before": attempts.not_before.isoformat() if attempts.not_before else None
    }
    if not attempts.hurried:
        del record["hurried"]  # vm_ari of before knows no such thing
    return json.dumps(record).encode()


def attempts_from_json(content: bytes) -> Attempts:
    """The history. Raises BadRecord."""
    try:
        record = json.loads(content)
        if record["not_before"] is not None:
            record["not_before"] = datetime.fromisoformat(record["not_before"])
        return Attempts(**record)
    except (ValueError, TypeError, KeyError) as error:
        raise BadRecord(f"attempts: {error!r}") from error
