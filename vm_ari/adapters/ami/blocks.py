"""Events of the manager interface as blocks of lines, and which of them can be believed.

Asterisk writes a caller's number into its events as it came, and a SIP address may hold line ends
(``sip:1%0d%0aEvent:...``): whoever calls can write lines of his own. So an event counts only when
it has all header fields of its kind in their order, and none twice. A number holds 79 bytes, too
few to write those fields, and a caller who tries only makes his own call invisible.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO

LONGEST_LINE = 8192
MOST_LINES = 400
"""Of a block; answers that are lists come as many blocks."""
END = b"\r\n"
_CHANNEL = (
    *("Channel", "ChannelState", "ChannelStateDesc", "CallerIDNum", "CallerIDName"),
    *("ConnectedLineNum", "ConnectedLineName", "AccountCode", "Context", "Exten", "Priority"),
    *("Uniqueid", "Linkedid"),
)
"""What every event says of its channel (Asterisk 13 and later)."""
_DESTINATION = tuple(f"Dest{name}" for name in _CHANNEL)
KINDS: Mapping[str, tuple[str, ...]] = {
    "Newchannel": _CHANNEL,
    "NewCallerid": _CHANNEL,
    "Newstate": _CHANNEL,
    "Hangup": _CHANNEL,
    "DialBegin": _DESTINATION,
    "DialState": _DESTINATION,
    "DialEnd": _DESTINATION,
}
"""The events that are wanted, and what they must hold."""
_ALSO = "ChanVariable"
"""Fields that an administrator may have added, any number of times."""


class TooLong(ValueError):
    """Nobody sends such lines: the other side is not Asterisk, or something is broken."""


def blocks(stream: BinaryIO) -> Iterator[list[bytes]]:
    """Each block without its line ends, until the stream ends. Raises `TooLong`, OSError."""
    block: list[bytes] = []
    while line := _line(stream):
        if line != END:
            block.append(line.removesuffix(END))
        elif block:
            yield block
            block = []
        if len(block) > MOST_LINES:
            raise TooLong("a block of too many lines")


def _line(stream: BinaryIO) -> bytes:
    """Up to CR LF: one of them alone belongs to a value."""
    line = b""
    while not line.endswith(END):
        more = stream.readline(LONGEST_LINE)
        line += more
        if not more:
            return b""
        if len(line) >= LONGEST_LINE:
            raise TooLong("a line that is too long")
    return line


def kind_of(block: Sequence[bytes]) -> str:
    """The event's name; empty for other blocks."""
    name, _, value = block[0].partition(b": ")
    return value.decode("ascii", "replace") if name == b"Event" else ""


def believable(block: Sequence[bytes]) -> Mapping[str, str] | None:
    """The fields of a wanted event; None if somebody else has written on the line."""
    fields: dict[str, str] = {}
    for line in block:
        name, colon, value = line.decode("utf-8", "replace").partition(": ")
        if _ALSO in name:
            continue
        if not colon or name in fields:
            return None
        fields[name] = "" if value == "<unknown>" else value
    return fields if _is_whole(list(fields), fields.get("Event", "")) else None


def _is_whole(names: Sequence[str], kind: str) -> bool:
    """All fields in their order; an event without any of a dialling channel has none."""
    needed = KINDS.get(kind)
    if needed is None or names[:2] != ["Event", "Privilege"]:
        return False
    parts = {tuple(name for name in names if name in part) for part in (_CHANNEL, _DESTINATION)}
    return needed in parts and parts <= {_CHANNEL, _DESTINATION, ()}
