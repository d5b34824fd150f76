"""What a user sends to several people is divided: one part for each, which goes its own way."""

from dataclasses import replace
from hashlib import sha256

from vm_ari.domain.messages import CallFacts
from vm_ari.domain.sending import (
    Colleague,
    Correspondent,
    Recipient,
    Sending,
    Telephone,
    recipient_key,
)


def parts_of(facts: CallFacts) -> tuple[CallFacts, ...]:
    """One for each recipient; the same ones with the same ids, however often it is asked.

    Raises ValueError for a call in which nobody sent anything.
    """
    if facts.sending is None:
        raise ValueError(f"{facts.id}: nothing is sent")
    return tuple(
        _part(facts, facts.sending, one) for one in dict.fromkeys(facts.sending.recipients)
    )


def _part(facts: CallFacts, sending: Sending, recipient: Recipient) -> CallFacts:
    key = f"{facts.id}\0{recipient_key(recipient)}"
    own_id = sha256(key.encode("utf-8", "replace")).hexdigest()[:32]
    host = facts.message_id.rpartition("@")[2].removesuffix(">")
    return replace(
        facts,
        id=own_id,
        message_id=f"<{own_id}@{host}>",
        called=_outside_name(recipient),
        user_id=recipient.user_id if isinstance(recipient, Colleague) else None,
        sending=replace(sending, recipients=(recipient,), part_of=facts.id),
    )


def _outside_name(recipient: Recipient) -> str:
    """For the admin who looks at what waits; empty for a colleague."""
    match recipient:
        case Colleague():
            return ""
        case Correspondent(address):
            return address
        case Telephone(number):
            return number
