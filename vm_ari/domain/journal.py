"""The journal: what the system remembers of each call and message (STORE-05).

Never what was said or typed: no content, no digits, no PIN.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from vm_ari.domain.callers import Caller
from vm_ari.domain.fallback_name import id_in_name
from vm_ari.domain.numbers import Site, extension_of, normalise

LONGEST_TEXT = 300
"""Characters of a text in an entry."""
_SHORT = 3
"""Digits that a shortened number keeps, and the fewest letters by which a name is found."""
_MOST_WORDS = 12
_NAME, _NUMBER = "w ", "n "


class Kind(StrEnum):
    """What an entry is about."""

    CALL = "call"
    """Somebody has reached a mailbox."""
    TRANSFER = "transfer"
    """The same, and he was connected with somebody."""
    REMOTE_INQUIRY = "remote-inquiry"
    """An owner has logged in by telephone, or somebody has tried to."""
    MESSAGE_SENT = "message-sent"
    """A user has sent something by telephone."""
    MESSAGE_RECEIVED = "message-received"
    """A user here has got it."""
    FAX = "fax"
    """A fax machine has called."""
    FAX_SENT = "fax-sent"
    """A user has sent a fax; pages, calls and cause are in its *why*."""
    SPOKEN_SENT = "spoken-sent"
    """A user had a text read to somebody on the telephone; calls and cause are in its *why*."""
    MISSED_CALL = "missed-call"
    NOTIFICATION = "notification"
    CONFERENCE = "conference"
    """Somebody has taken part in a conference, or has tried to."""
    SYSTEM_CALL = "system-call"
    """The system has called a user: to play a message, to record a greeting, to tell of news."""


class Result(StrEnum):
    """What came of it."""

    UNKNOWN = "unknown"
    """It goes on still, or nobody saw its end."""
    HUNG_UP = "hung-up"
    """Before anything else had happened."""
    MESSAGE_LEFT = "message-left"
    FAX_RECEIVED = "fax-received"
    """As far as it came: *partial* tells whether that is all of it."""
    NOTHING_SAID = "nothing-said"
    """The tone was heard, and nothing was said."""
    NOT_STORED = "not-stored"
    """A fault of ours or a full disk cost the message."""
    HEARD_GREETING = "heard-greeting"
    """The greeting is an announcement, and was heard to its end."""
    DISABLED = "disabled"
    NO_MAILBOX = "no-mailbox"
    TRANSFERRED = "transferred"
    NOT_CONNECTED = "not-connected"
    """A transfer was wanted, and came to nothing."""
    LEFT_TO_DIALPLAN = "left-to-dialplan"
    """To the operator, the assistant, or to take the message by itself."""
    LOGGED_IN = "logged-in"
    LOGIN_FAILED = "login-failed"
    REFUSED = "refused"
    """By a rule: a loop, a rejected message, no right."""
    FAILED = "failed"
    """A fault, or something that did not answer."""
    SERVED = "served"
    """A call of the system did what it was for."""
    NO_ANSWER = "no-answer"
    QUEUED = "queued"
    """It is on its way."""
    SENT = "sent"
    MISSED = "missed"


class Teller(StrEnum):
    """Who has told it."""

    EVENT = "event"
    """Whatever happened itself: the call, the notice."""
    OUTBOX = "outbox"
    """The message that was found; it knows less of the call."""


@dataclass(frozen=True)
class JournalEntry:
    """One call, message or notice. All texts are harmless lines."""

    id: str
    """The same for everything that is told of one occasion: of a call its channel (`call_id`)."""
    kind: Kind
    started: datetime
    """UTC."""
    ended: datetime | None = None
    """UTC; None: not yet, or nobody has seen it."""
    result: Result = Result.UNKNOWN
    user_id: str = ""
    """Whose entry it is; empty: nobody's."""
    mailbox: str = ""
    """That user's, as lamp and login know it."""
    caller: Caller = field(default_factory=Caller)
    withheld: bool = False
    """Did the caller hide the number?"""
    called: str = ""
    """E.164, extension, or for what was sent the mail address."""
    redirected_from: str = ""
    """Who has sent the call on to us, where somebody did."""
    greeting: str = ""
    """Which rung of the ladder played: the name of a `greeting_choice.Rung` in small letters."""
    profile: str = ""
    """The profile that answered; empty for none."""
    why: str = ""
    """Why that greeting, or why this result: one sentence."""
    connected_with: str = ""
    """Number; of a missed call who answered in the end."""
    message_id: str = ""
    """Of the mail that was made of it, with its angle brackets; empty: there is none."""
    seconds: float = 0.0
    """Of the message's audio."""
    partial: bool = False
    """Is the audio cut by a fault?"""
    delivered: bool = False
    """Is the message in the mailbox of *user_id*?"""
    entrusted: bool = False
    """It was for nobody of ours: only the default recipient, who got it, sees it (STORE-02)."""
    node: str = ""
    """Which controller."""
    cost_centre: str = ""
    """That user's, when it was written (UM-05)."""
    told_by: Teller = Teller.EVENT


def call_id(node: str, channel_id: str) -> str:
    """The id for a call's entry: channels of two nodes may have the same name.

    The channel is spelt as the dialplan does it, so that what that records is of the same call.
    """
    return f"{node}/{id_in_name(channel_id)}"


def merged(old: JournalEntry, new: JournalEntry) -> JournalEntry:
    """One entry of two tales of the same occasion.

    The call knows best how it went; the outbox, what became of the message and who has it.
    """
    best, other = (old, new) if _rank(old) > _rank(new) else (new, old)
    has_it = old if old.delivered and not new.delivered else new
    owner = has_it if has_it.delivered else (best if best.user_id else other)
    message = best if best.message_id else other
    return replace(
        best,
        kind=Kind.FAX if Kind.FAX in (old.kind, new.kind) else best.kind,
        result=_result(best, other),
        why=other.why if _tells_of_fax(other) else best.why,
        ended=best.ended or other.ended,
        user_id=owner.user_id,
        mailbox=owner.mailbox,
        entrusted=owner.entrusted,
        cost_centre=owner.cost_centre or _same_payer(owner, best, other),
        delivered=old.delivered or new.delivered,
        message_id=message.message_id,
        seconds=message.seconds or best.seconds or other.seconds,
        partial=old.partial or new.partial,
    )


def _same_payer(owner: JournalEntry, *tales: JournalEntry) -> str:
    """One of two tales of the same user may have been told while nobody knew the cost centre."""
    known = (one.cost_centre for one in tales if one.user_id == owner.user_id)
    return next(filter(None, known), "")


def _result(best: JournalEntry, other: JournalEntry) -> Result:
    """A message that was kept after all counts more than whatever went wrong before."""
    message_came = other.result is Result.MESSAGE_LEFT or _tells_of_fax(other)
    return other.result if message_came or best.result is Result.UNKNOWN else best.result


def _tells_of_fax(entry: JournalEntry) -> bool:
    """Only the outbox knows what has come; for the call it ends at the dialplan."""
    return entry.kind is Kind.FAX and entry.told_by is Teller.OUTBOX


def _rank(entry: JournalEntry) -> tuple[bool, bool]:
    """Of the outbox's tales, that of a message knows who called; that of an orphan may not."""
    by_event = entry.told_by is Teller.EVENT
    return by_event, entry.ended is not None if by_event else bool(entry.message_id)


# --- searching


@dataclass(frozen=True)
class Search:
    """What is looked for; everything that is given must be true."""

    user_id: str = ""
    number: str = ""
    """Of the caller, dialled, or connected with: in any spelling."""
    name: str = ""
    """Beginnings of words of the caller's name."""
    kind: Kind | None = None
    result: Result | None = None
    since: datetime | None = None
    until: datetime | None = None
    """Before this time."""
    with_message: bool = False
    """Only where a message was left."""


@dataclass(frozen=True)
class Viewer:
    """Who looks into the journal, and whose entries that may be. The service enforces it."""

    user_id: str
    people: frozenset[str] = frozenset()
    """Users for whom he acts (an administrator on that user's page)."""
    everybody: bool = False
    """An operator: all entries but those that were entrusted to the default recipient."""


def may_see(viewer: Viewer, entry: JournalEntry) -> bool:
    """May that entry be shown to *viewer*?"""
    if entry.user_id and entry.user_id == viewer.user_id:
        return True
    return not entry.entrusted and (viewer.everybody or entry.user_id in viewer.people)


def may_hear(viewer: Viewer, entry: JournalEntry) -> bool:
    """May *viewer* have its message? An operator who acts for nobody may not."""
    return may_see(viewer, entry) and entry.user_id in {viewer.user_id, *viewer.people}


def terms_of(entry: JournalEntry) -> frozenset[str]:
    """Under what an entry is found, whoever looks for a number or a name."""
    numbers = (entry.caller.number, entry.called, entry.redirected_from, entry.connected_with)
    return frozenset(_NUMBER + one for one in numbers if one) | {
        _NAME + word for word in words(entry.caller.name)
    }


def words(name: str) -> tuple[str, ...]:
    """The words of a name as they are compared: no case, no accents."""
    spread = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(c for c in spread if not unicodedata.combining(c))
    return tuple(dict.fromkeys(re.findall(r"\w+", plain)))[:_MOST_WORDS]


def name_terms(name: str) -> tuple[str, ...]:
    """What the terms of an entry must begin with, all of them. Raises `BadSearch`."""
    found = words(name)
    if name.strip() and (not found or any(len(word) < _SHORT for word in found)):
        raise BadSearch(f"“{name}”: write at least {_SHORT} letters of each word")
    return tuple(_NAME + word for word in found)


def number_terms(text: str, sites: Iterable[Site]) -> frozenset[str]:
    """The terms one of which an entry must have. Raises `BadSearch` for what is no number."""
    forms: set[str] = set()
    for site in sites:
        if number := normalise(text, site):
            forms |= {number, extension_of(number, site) or number}
    digits = re.sub(r"[^0-9+]", "", text)
    forms |= {digits} if digits else set()
    if not forms:
        raise BadSearch(f"“{text}” is no telephone number")
    return frozenset(_NUMBER + one for one in forms)


class BadSearch(ValueError):
    """What is looked for cannot be found that way. The text says what to write."""


# --- forgetting


def shortened(entry: JournalEntry) -> JournalEntry:
    """What is left of the other side when numbers are shortened: three digits, and no name."""
    return replace(
        entry,
        caller=Caller(short_number(entry.caller.number)),
        redirected_from=short_number(entry.redirected_from),
        connected_with=short_number(entry.connected_with),
        called="…" if "@" in entry.called else _called_later(entry),
    )


def _called_later(entry: JournalEntry) -> str:
    """The mailbox's own number stays; where a message was sent does not."""
    sent = entry.kind is Kind.MESSAGE_SENT
    return short_number(entry.called) if sent else entry.called


def short_number(number: str) -> str:
    """Its last digits; harmless to do twice."""
    return f"…{number[-_SHORT:]}" if len(number) > _SHORT else number


def as_record(entry: JournalEntry) -> dict[str, object]:
    """For files and programs: every field, times as ISO 8601 in UTC."""
    return {
        "id": entry.id,
        "kind": entry.kind.value,
        "started": entry.started.isoformat(),
        "ended": entry.ended.isoformat() if entry.ended else None,
        "result": entry.result.value,
        "user": entry.user_id,
        "mailbox": entry.mailbox,
        "caller_number": entry.caller.number,
        "caller_name": entry.caller.name,
        "withheld": entry.withheld,
        "called": entry.called,
        "redirected_from": entry.redirected_from,
        "greeting": entry.greeting,
        "profile": entry.profile,
        "why": entry.why,
        "connected_with": entry.connected_with,
        "message_id": entry.message_id,
        "seconds": entry.seconds,
        "partial": entry.partial,
        "delivered": entry.delivered,
        "entrusted": entry.entrusted,
        "node": entry.node,
        "cost_centre": entry.cost_centre,
    }
