"""What a webhook tells: that there are new messages, and nothing of what is in them (NOTIFY-03)."""

import hmac
import json
from datetime import UTC, datetime
from hashlib import sha256

from vm_ari.domain.notifications import Notice
from vm_ari.domain.users import User

VERSION = 1
NEW_MESSAGES = "messages.new"


def event(user: User, notice: Notice, event_id: str) -> str:
    """The body, as JSON; *event_id* is the same in every attempt."""
    told = {
        "version": VERSION,
        "event": NEW_MESSAGES,
        "id": event_id,
        "time": timestamp(notice.at),
        "user": user.id,
        "mailbox": user.mailbox,
        "topics": {topic.value: count for topic, count in notice.topics.items()},
        "counts": vars(notice.counts),
    }
    return json.dumps(told, separators=(",", ":"))


def signature(secret: str, at: datetime, body: bytes) -> str:
    """The value of the signature's header: the time, and an HMAC of the time and the body.

    A receiver computes the same with the secret, and refuses what is older than it likes.
    """
    seconds = int(at.timestamp())
    signed = f"{seconds}.".encode() + body
    return f"t={seconds},v1={hmac.new(secret.encode(), signed, sha256).hexdigest()}"


def timestamp(moment: datetime) -> str:
    """RFC 3339, in UTC and whole seconds."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
