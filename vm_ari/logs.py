"""One line per decision, on standard error, in systemd's journal or a file; never content or PINs.

A line is logfmt: ``timestamp=… level=info event="no notice" area=notices call=… user=… reason=…``;
*area* is the part of the program that writes it. Whatever others have sent stays within its value.
"""

import contextlib
import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from structlog.typing import Processor

from vm_ari.measures import LOG_LINES

LEVELS = ("debug", "info", "warning", "error")
COUNTED = {"warning", "error"}
FILE_MODE = 0o640
LOOK_EVERY = 2.0
"""Seconds: so late a program follows a wish for another level."""
_LARGEST_WISH = 1000
_ENGINE = structlog.processors.LogfmtRenderer(key_order=("timestamp", "level", "event"))
_PRIORITIES = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}
"""As syslog numbers them."""

Write = Callable[[str], None]


def write_logs(level: str, *more: Processor, file: Path | None = None) -> None:
    """Send our log lines from *level* on (debug, info, warning, error) to *file* or standard error.

    *more* see each of them, too. Where standard error is systemd's journal, each line has its
    priority there.
    """
    write: Write = FileLines(file).write if file else _to_standard_error(sys.stderr)
    for_journal = file is None and is_journal(sys.stderr)
    structlog.configure(
        processors=[
            *more,
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=False),
            structlog.processors.format_exc_info,
            _area,
            _harmless,
            _with_priority if for_journal else _ENGINE,
        ],
        wrapper_class=_from(level),
        logger_factory=lambda *names: Lines(str(names[0]) if names else "", write),
    )


@contextmanager
def logs_of_command(level: str) -> Iterator[None]:
    """While a command runs: warnings, or all where debug is wanted; its results go elsewhere."""
    before = structlog.get_config()
    write_logs("debug" if level == "debug" else "warning")
    try:
        yield
    finally:
        structlog.configure(**before)


def set_level(level: str) -> None:
    """From the next line on."""
    structlog.configure(wrapper_class=_from(level))


class Lines:
    """What structlog writes the lines of one logger with."""

    def __init__(self, name: str, write: Write) -> None:
        self.name = name
        self.msg = self.debug = self.info = self.warning = self.error = write
        self.critical = self.exception = self.fatal = self.log = write


class FileLines:
    """Appends lines to a file that may be moved away at any time (logrotate).

    Every line is one write, so that several programs can share the file. Where it cannot be
    written, lines go to standard error: nothing stops because of a log.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle = -1
        self._known = (0, 0)
        self._cut = False
        self._lock = threading.Lock()

    def write(self, text: str) -> None:
        """One line."""
        with self._lock:
            try:
                self._append(f"{text}\n".encode("utf-8", "replace"))
            except OSError as error:
                _to_standard_error(sys.stderr)(f"{text} not_in_file={error.strerror!r}")

    def _append(self, line: bytes) -> None:
        self._look()
        if self._cut:  # a full disk took a part of the line before
            line = b"\n" + line
        written = os.write(self._handle, line)
        self._cut = written < len(line)

    def _look(self) -> None:
        """Is the file still the one that we have open?"""
        try:
            found = self._path.lstat()
            if (found.st_dev, found.st_ino) == self._known:
                return
        except FileNotFoundError:
            pass
        self._open()

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        handle = os.open(self._path, flags, FILE_MODE)
        if self._handle >= 0:
            os.close(self._handle)
        state = os.fstat(handle)
        self._handle, self._known = handle, (state.st_dev, state.st_ino)


def is_journal(stream: Any) -> bool:
    """Is that stream systemd's journal? ``$JOURNAL_STREAM`` says device and inode."""
    told = os.environ.get("JOURNAL_STREAM", "")
    try:
        state = os.fstat(stream.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return told == f"{state.st_dev}:{state.st_ino}"


# --- another level for a while


def wish_level(file: Path, level: str, until: datetime) -> None:
    """Let programs that follow *file* write from *level* on until then. Raises OSError."""
    wish = json.dumps({"level": level, "until": until.astimezone(UTC).isoformat()})
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    draft.write_text(f"{wish}\n", encoding="ascii")
    draft.chmod(0o644)
    draft.replace(file)


def wished_level(file: Path, usual: str, now: datetime) -> tuple[str, datetime | None]:
    """The level that counts now, and until when; *usual* without a wish, or with a damaged one."""
    try:
        with file.open("rb") as opened:
            told = json.loads(opened.read(_LARGEST_WISH))
        level, until = str(told["level"]), datetime.fromisoformat(told["until"])
        if level in LEVELS and now < until:
            return level, until
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return usual, None


class FollowedLevel:
    """Changes the level of this program as *file* says; to be looked at now and then."""

    def __init__(self, file: Path, usual: str) -> None:
        self._file = file
        self._usual = usual
        self._present = usual

    def look(self, now: datetime) -> None:
        """Follow what is wished now."""
        level, until = wished_level(self._file, self._usual, now)
        if level != self._present:
            self._present = level
            set_level(level)
            log = structlog.get_logger("vm_ari.logs")
            log.warning("log level changed", to=level, until=until.isoformat() if until else "")


# --- what structlog does with each line


def _from(level: str) -> Any:
    return structlog.make_filtering_bound_logger(logging.getLevelName(level.upper()))


def _area(logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The last part of the logger's name; lines that tell of trouble are counted by the way."""
    if (level := str(event.get("level"))) in COUNTED:
        LOG_LINES.add(level)
    name = str(getattr(logger, "name", "") or "")
    if name:
        event["area"] = name.rpartition(".")[2]
    return event


def _harmless(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Nothing that steers a terminal, and no line ends but those that are written as such."""
    for key, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            event[key] = "".join(c if c.isprintable() or c == "\n" else "�" for c in value)
    return event


def _with_priority(logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
    priority = _PRIORITIES.get(str(event.get("level")), 6)
    return f"<{priority}>{_ENGINE(logger, method, event)}"


def _to_standard_error(stream: Any) -> Write:
    def write(text: str) -> None:
        with contextlib.suppress(OSError, ValueError):  # it may be closed, or its reader gone
            print(text, file=stream, flush=True)

    return write
