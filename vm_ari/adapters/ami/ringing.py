"""Events of the manager interface in the words of `domain.ring_events`.

Seen of Asterisk 22: a phone may ring (``Newstate``) before its ``DialBegin``; on pick-up
``DialEnd`` names the phone that took the call; a phone that is not registered leaves no trace;
names are written like texts in C, so that ``O'Neil`` is ``O\\'Neil``, and numbers are not.
"""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from vm_ari.domain.ring_events import (
    Appeared,
    CallerChanged,
    DialBegan,
    DialEnded,
    HungUp,
    Rang,
    RingEvent,
)

RINGING = "5"
"""AST_STATE_RINGING: the phone there rings."""


CLOCKS_AGREE = timedelta(minutes=1)
_ESCAPED = re.compile(r"\\(.)")
_CONTROLS = "abfnrtv"


def happened(fields: Mapping[str, str], now: datetime) -> datetime:
    """When it was: Asterisk's own time, where it is told and our clocks agree; else *now*.

    On a busy machine events may be read late, and what lasted a second would last no time.
    """
    if list(fields)[2] != "Timestamp":  # a caller cannot write there
        return now
    try:
        told = datetime.fromtimestamp(float(fields["Timestamp"]), UTC)
    except (ValueError, OverflowError, OSError):
        return now
    return told if abs(told - now) < CLOCKS_AGREE else now


def ring_event(fields: Mapping[str, str], at: datetime) -> RingEvent | None:
    """What an event means; None for nothing."""
    translate = _MEANINGS.get(fields["Event"])
    return translate(fields, at) if translate else None


def _plain(text: str) -> str:
    """A name as it was before Asterisk's ast_escape_c(); control characters become blanks."""
    return _ESCAPED.sub(lambda found: " " if found[1] in _CONTROLS else found[1], text)


def _appeared(fields: Mapping[str, str], at: datetime) -> Appeared:
    return Appeared(
        at,
        channel=fields["Uniqueid"],
        call=fields["Linkedid"],
        phone=fields["Channel"],
        number=fields["CallerIDNum"],
        name=_plain(fields["CallerIDName"]),
        dialled=fields["Exten"],
    )


def _dial_began(fields: Mapping[str, str], at: datetime) -> DialBegan:
    return DialBegan(
        at,
        call=fields.get("Linkedid", fields["DestLinkedid"]),
        by=fields.get("Uniqueid", ""),
        to=fields["DestUniqueid"],
        phone=fields["DestChannel"],
        address=fields.get("DialString", ""),
        number=fields["DestCallerIDNum"],
        extension=fields.get("Exten", ""),
    )


def _dial_ended(fields: Mapping[str, str], at: datetime) -> DialEnded:
    return DialEnded(
        at,
        by=fields.get("Uniqueid", ""),
        to=fields["DestUniqueid"],
        phone=fields["DestChannel"],
        number=fields["DestCallerIDNum"],
        answered=fields.get("DialStatus") == "ANSWER",
    )


def _caller_changed(fields: Mapping[str, str], at: datetime) -> CallerChanged:
    number, name = fields["CallerIDNum"], _plain(fields["CallerIDName"])
    return CallerChanged(at, fields["Uniqueid"], number, name)


def _new_state(fields: Mapping[str, str], at: datetime) -> Rang | None:
    return Rang(at, fields["Uniqueid"]) if fields["ChannelState"] == RINGING else None


def _dial_state(fields: Mapping[str, str], at: datetime) -> Rang | None:
    rings = fields.get("DialStatus") in {"RINGING", "PROGRESS"}
    return Rang(at, fields["DestUniqueid"]) if rings else None


def _hung_up(fields: Mapping[str, str], at: datetime) -> HungUp:
    return HungUp(at, fields["Uniqueid"])


_MEANINGS: Mapping[str, Callable[[Mapping[str, str], datetime], RingEvent | None]] = {
    "Newchannel": _appeared,
    "NewCallerid": _caller_changed,
    "DialBegin": _dial_began,
    "Newstate": _new_state,
    "DialState": _dial_state,
    "DialEnd": _dial_ended,
    "Hangup": _hung_up,
}
