"""Lines of our own log, read again: what they are about, and which of them are looked for."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum


class LogKind(StrEnum):
    """What a line is about (OPS-02)."""

    CALLS = "calls"
    """Calls and remote inquiry."""
    PORTAL = "portal"
    WRONG_PIN = "wrong-pin"
    """Logins by telephone, and failed ones in the portal."""
    NOTICES = "notices"
    """Telling users: lamps, notices, missed calls, mails of the system."""
    SYSTEM = "system"
    """Everything else: delivery, directory, stores, connections."""


LEVELS = ("debug", "info", "warning", "error", "critical")
LONGEST_LINE = 4_000
"""Characters that are read of one line."""
_FAILED_LOGINS = frozenset({"login failed", "portal sign-in failed"})
_AREAS = {
    **dict.fromkeys(
        ("calls", "ari", "inbox", "accounts", "greetings", "sending", "app", "live_calls"),
        LogKind.CALLS,
    ),
    **dict.fromkeys(("portal", "invitations", "api"), LogKind.PORTAL),
    **dict.fromkeys(("login", "logins"), LogKind.WRONG_PIN),
    **dict.fromkeys(
        ("notices", "lamps", "watching", "missed_calls", "ringing", "site_mails", "welcome"),
        LogKind.NOTICES,
    ),
    "mail": LogKind.NOTICES,
    "quota": LogKind.NOTICES,
}
_PAIR = re.compile(r'([^\s="]+)=("(?:[^"\\]|\\.)*"|\S*)')
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True)
class LogLine:
    """One line; of one that is not ours everything is in *event*."""

    raw: str
    at: datetime | None = None
    level: str = ""
    event: str = ""
    area: str = ""
    facts: tuple[tuple[str, str], ...] = ()

    @property
    def kind(self) -> LogKind:
        """What it is about."""
        if self.event in _FAILED_LOGINS:
            return LogKind.WRONG_PIN
        return _AREAS.get(self.area, LogKind.SYSTEM)

    def fact(self, key: str) -> str:
        """Empty where it says nothing of that."""
        return next((value for name, value in self.facts if name == key), "")

    @property
    def user_id(self) -> str:
        """Of whom it tells, if of anybody."""
        return self.fact("user") or self.fact("owner")


@dataclass(frozen=True)
class LogQuery:
    """What is looked for; everything that is given must be true."""

    kind: LogKind | None = None
    level: str = ""
    """This one, or a worse one."""
    text: str = ""
    """Anywhere in the line, in any case."""
    user: str = ""
    call: str = ""
    """The id of a call: of its channel, as lines and the live calls have it."""

    def needles(self) -> tuple[re.Pattern[bytes], ...]:
        """What a line must have each of, to be quick: one that has them need not match."""
        found = [
            re.escape(one.encode()) for one in (self.user, self.call) if one and _is_plain(one)
        ]
        if self.kind and self.kind is not LogKind.SYSTEM:
            areas = (area for area, kind in _AREAS.items() if kind is self.kind)
            events = _FAILED_LOGINS if self.kind is LogKind.WRONG_PIN else ()
            found.append("|".join((*(f"area={one}" for one in areas), *events)).encode())
        if self.level in LEVELS[2:]:
            found.append(f"level=(?:{'|'.join(LEVELS[_rank(self.level) :])})".encode())
        if self.text and _is_plain(self.text) and self.text.isascii():
            found.append(b"(?i:" + re.escape(self.text.encode()) + b")")
        return tuple(re.compile(one) for one in found)

    def matches(self, line: LogLine) -> bool:
        """Is it one of those?"""
        return (
            (not self.text or self.text.casefold() in line.raw.casefold())
            and (self.kind is None or line.kind is self.kind)
            and (not self.level or _rank(line.level) >= _rank(self.level))
            and (not self.user or self.user in {line.user_id, line.fact("by")})
            and (not self.call or self.call == line.fact("call"))
        )


@dataclass(frozen=True)
class LogPage:
    """Some lines, the newest first."""

    lines: tuple[LogLine, ...]
    older: str = ""
    """The *after* of the next look, which need not find anything; empty: there is nothing more."""


def parse(raw: str) -> LogLine:
    """Whatever a line holds, this is no more than words."""
    raw = raw[:LONGEST_LINE]
    pairs = [(key, _value(text)) for key, text in _PAIR.findall(raw)]
    told = dict(reversed(pairs))  # the first of a name counts
    if "event" not in told or "level" not in told:
        return LogLine(raw, event=raw)
    known = {"timestamp", "level", "event", "area"}
    return LogLine(
        raw,
        at=_time(told.get("timestamp", "")),
        level=told["level"],
        event=told["event"],
        area=told.get("area", ""),
        facts=tuple((key, value) for key, value in pairs if key not in known),
    )


def _value(text: str) -> str:
    if not text.startswith('"'):
        return text
    return _ESCAPED.sub(lambda found: "\n" if found[1] == "n" else found[1], text[1:-1])


def _time(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.astimezone(UTC)


def _rank(level: str) -> int:
    """One that is not known counts as info: lines of other programs."""
    return LEVELS.index(level) if level in LEVELS else 1


def _is_plain(text: str) -> bool:
    """Is it written in a line as it is?"""
    return not set(text) & {'"', "\\", "\n"}
