"""Calls that go on now, as administrators see them: facts of the journal, and what is being done.

Texts that a caller sends are harmless lines by now (`callers`), and never what was said or typed.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from vm_ari.domain.callers import Caller
from vm_ari.domain.journal import JournalEntry, Kind


class Doing(StrEnum):
    """What happens on the line."""

    ARRIVING = "arriving"
    """Nothing has been said yet."""
    GREETING = "greeting"
    MESSAGE = "message"
    """The caller leaves a message: he speaks, or reviews it."""
    LOGIN = "login"
    """Somebody is asked for mailbox or PIN."""
    REMOTE_INQUIRY = "remote-inquiry"
    TRANSFER = "transfer"
    """Somebody is being called for this caller, or they talk."""
    CONFERENCE = "conference"
    """In a conference, or at its door."""
    SYSTEM_CALL = "system-call"
    """We have called: to play, to record a greeting, to tell of news."""


@dataclass(frozen=True)
class LiveCall:
    """One call that goes on."""

    id: str
    """That of its entry in the journal: unique among all nodes."""
    channel: str
    """As Asterisk names the line."""
    node: str
    doing: Doing
    since: datetime
    """When it came in (UTC)."""
    caller: Caller = field(default_factory=Caller)
    withheld: bool = False
    called: str = ""
    user_id: str = ""
    """Whose mailbox it is; empty: nobody's, or not known yet."""
    greeting: str = ""
    """Which rung of the ladder plays or has played, as in the journal."""
    profile: str = ""
    why: str = ""
    """Why that greeting: one sentence."""
    towards: str = ""
    """Whom a transfer calls."""


@dataclass(frozen=True)
class Node:
    """A controller, and when it was heard of last."""

    name: str
    seen: datetime
    since: datetime
    """When it was started."""
    version: str = ""
    telephony: str = ""
    """What Asterisk says of itself; empty: it is not connected."""


SILENT_AFTER = timedelta(seconds=25)
"""A controller that has said nothing for so long is taken for dead, and its calls for over."""


def lives(node: Node, now: datetime) -> bool:
    """Is that controller there? Clocks of several machines may differ by seconds."""
    return abs(now - node.seen) <= SILENT_AFTER


def live_call(channel: str, entry: JournalEntry, doing: Doing, towards: str = "") -> LiveCall:
    """What is seen of a call of which the journal will say that."""
    if entry.kind is Kind.SYSTEM_CALL:
        doing = Doing.SYSTEM_CALL
    return LiveCall(
        id=entry.id,
        channel=channel,
        node=entry.node,
        doing=doing,
        since=entry.started,
        caller=entry.caller,
        withheld=entry.withheld,
        called=entry.called,
        user_id=entry.user_id,
        greeting=entry.greeting,
        profile=entry.profile,
        why=entry.why,
        towards=towards if doing is Doing.TRANSFER else "",
    )
