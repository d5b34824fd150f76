"""What the telephone system tells of a call that was to bring a fax (Asterisk's SendFAX).

The dialplan writes one line when the call is over: ``key=value`` words, numbers and names of ours,
and what the other machine calls itself in Base64. All of it is judged here.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass

from vm_ari.domain.callers import printable
from vm_ari.domain.fax_orders import Cause, Ending

LONGEST = 4000
"""Characters of such a line."""
_WORD = re.compile(r"([a-z]{1,12})=([A-Za-z0-9+/=_.-]{0,400})")
_END = "end=1"
_MOST_PAGES = 10_000
_BY_HANGUP: Mapping[int, Cause] = {
    1: Cause.NO_NUMBER,
    2: Cause.NO_NUMBER,
    3: Cause.NO_NUMBER,
    17: Cause.BUSY,
    18: Cause.NO_ANSWER,
    19: Cause.NO_ANSWER,
    20: Cause.NO_ANSWER,
    21: Cause.DECLINED,
    22: Cause.NO_NUMBER,
    28: Cause.NO_NUMBER,
}
"""Causes of ITU-T Q.850; every other one is a trouble of ours or of the network."""


@dataclass(frozen=True)
class FaxReportLine:
    """One such line, understood."""

    answered: bool
    hangup: int
    """Cause of Q.850; 0: not known."""
    status: str
    """SUCCESS or FAILED; empty: no fax was begun."""
    pages: int
    error: str
    station: str
    seconds: int


def read_report(text: str) -> FaxReportLine | None:
    """What the dialplan has written; None while it has not written all of it."""
    words = text[:LONGEST].split()
    if _END not in words:
        return None
    found = {match[1]: match[2] for word in words if (match := _WORD.fullmatch(word))}
    return FaxReportLine(
        answered=found.get("answered") == "1",
        hangup=_number(found.get("cause", "")),
        status=found.get("status", ""),
        pages=min(_number(found.get("pages", "")), _MOST_PAGES),
        error=found.get("error", ""),
        station=_decoded(found.get("station", "")),
        seconds=_number(found.get("seconds", "")),
    )


def ending_of(report: FaxReportLine) -> Ending:
    """How the call ended, for the order."""
    said = f"{report.error or 'no error'}, hang-up cause {report.hangup}"
    if not report.answered:
        cause = _BY_HANGUP.get(report.hangup, Cause.TROUBLE)
        return Ending(cause, reason=f"not answered: hang-up cause {report.hangup}")
    return Ending(_cause(report), report.pages, float(report.seconds), report.station, said)


_OURS = {
    "FILE_ERROR",
    "INIT_ERROR",
    "INVALID_ARGUMENTS",
    "LIBRARY_ERROR",
    "MEMORY_ERROR",
    "NO_DATA",
}
"""Errors of SendFAX that nobody on the other side can help (Asterisk: ``res_fax.c``)."""
NEVER_MADE = Ending(Cause.TROUBLE, reason="the call was never made")
VANISHED = Ending(Cause.DROPPED, reason="the telephone system lost the call")
"""It was answered, and nobody has seen its end: pages may be there already."""


def not_dialled(why: str) -> Ending:
    """The telephone system knows no way to that number."""
    return Ending(Cause.TROUBLE, reason=why)


def _cause(report: FaxReportLine) -> Cause | None:
    """Of a call that was answered."""
    if report.status == "SUCCESS":
        return None
    if report.error in _OURS:
        return Cause.TROUBLE
    return Cause.DROPPED if report.pages or report.station else Cause.NO_FAX


def _number(text: str) -> int:
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else 0


def _decoded(text: str) -> str:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return ""
    return printable(raw.decode("utf-8", "replace"), 40)
