"""What is counted and timed while the program runs: in memory, until somebody asks for it.

A count costs some hundred nanoseconds and never fails, so calls can afford it. Labels come from
closed sets, never from callers: no number, no user, nothing that somebody has sent.
"""

import threading
import time
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType

MOST_ROWS = 200
"""Combinations of labels of one measure; a fault of ours must not fill the memory."""
OTHER = "other"
FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
"""Upper ends of classes of times, in seconds."""
SLOW = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)

Labels = tuple[str, ...]


class Tally:
    """How often something has happened since the program was started."""

    def __init__(
        self, name: str, text: str, *labels: str, begins: Sequence[Labels] = ((),)
    ) -> None:
        """*begins*: rows that are there from the start, so that their first step is seen."""
        self.name = name
        self.text = text
        self.labels = labels
        self._rows = {row: 0 for row in begins if len(row) == len(labels)}
        self._lock = threading.Lock()

    def add(self, *values: str, by: int = 1) -> None:
        """Once more; one value for each label. From any thread."""
        with self._lock:
            key = values if values in self._rows or len(self._rows) < MOST_ROWS else self._other
            self._rows[key] = self._rows.get(key, 0) + by

    def rows(self) -> Mapping[Labels, int]:
        """By the values of its labels."""
        with self._lock:
            return dict(self._rows)

    @property
    def _other(self) -> Labels:
        return (OTHER,) * len(self.labels)


class Times:
    """How long something takes: so many in each class of times, and their sum."""

    def __init__(self, name: str, text: str, *labels: str, classes: Sequence[float] = FAST) -> None:
        self.name = name
        self.text = text
        self.labels = labels
        self.classes = tuple(classes)
        self._rows: dict[Labels, tuple[list[int], float]] = {}
        self._lock = threading.Lock()

    def note(self, seconds: float, *values: str) -> None:
        """One more; a clock that was set back gives 0. From any thread."""
        seconds = max(seconds, 0.0)
        with self._lock:
            key = values if values in self._rows or len(self._rows) < MOST_ROWS else self._other
            counts, total = self._rows.get(key) or ([0] * (len(self.classes) + 1), 0.0)
            counts[bisect_left(self.classes, seconds)] += 1
            self._rows[key] = (counts, total + seconds)

    def rows(self) -> Mapping[Labels, tuple[Sequence[int], float]]:
        """By the values of its labels: how many in each class, those above all last; the sum."""
        with self._lock:
            return {key: (tuple(counts), total) for key, (counts, total) in self._rows.items()}

    @property
    def _other(self) -> Labels:
        return (OTHER,) * len(self.labels)


@dataclass(frozen=True)
class Gauge:
    """Something that is now so much: looked at when somebody asks."""

    name: str
    text: str
    rows: Mapping[Labels, float]
    """By the values of its labels."""
    labels: Labels = ()


def _each(*values: str) -> Sequence[Labels]:
    return [(value,) for value in values]


CALLS = Tally("vm_ari_calls", "Calls that have ended, by kind and result.", "kind", "result")
GIVEN_BACK = Tally(
    "vm_ari_calls_given_back",
    "Calls that the dialplan had to serve: too many at once, read too late, or a fault of ours.",
    "why",
    begins=_each("too-many", "too-late", "fault"),
)
FIRST_PROMPT = Times(
    "vm_ari_answer_seconds", "From a call's arrival in Asterisk to the first prompt asked for."
)
LATENESS = Times("vm_ari_event_lateness_seconds", "How late the news of a call is read.")
SERVERS = Times("vm_ari_server_seconds", "How long other servers take for an answer.", "server")
SERVER_FAILURES = Tally(
    "vm_ari_server_failures",
    "Questions without an answer, and refused connections.",
    "server",
    begins=_each("asterisk", "database", "ldap", "imap", "smtp"),
)
DELIVERIES = Tally(
    "vm_ari_deliveries",
    "Tries to deliver a voice message, by what came of them.",
    "result",
    begins=_each("delivered", "later", "refused", "fault", "unsure"),
)
DELIVERY = Times(
    "vm_ari_delivery_seconds", "From a call's begin to its message in the mailbox.", classes=SLOW
)
MAILS = Tally(
    "vm_ari_mails",
    "Tries to send a mail of the system, by what came of them.",
    "result",
    begins=_each("delivered", "later", "refused", "fault"),
)
NOTICES = Tally("vm_ari_notices", "Notices of new messages.", "channel", "result")
LAMPS = Tally(
    "vm_ari_lamps",
    "Lamps told to Asterisk, and lamps found wrong.",
    "result",
    begins=_each("told", "waits", "refused", "failed", "found-wrong"),
)
LOGINS = Tally(
    "vm_ari_logins",
    "Logins, by where and by what came of them.",
    "place",
    "result",
    begins=[
        *(("telephone", one) for one in ("right", "without-pin", "wrong", "locked")),
        *(("telephone", one) for one in ("not-allowed", "too-many-failures")),
        *(("portal", one) for one in ("right", "wrong", "too-many-failures")),
    ],
)
JOURNAL_LOST = Tally("vm_ari_journal_lost", "Entries that the journal has lost.")
LOG_LINES = Tally(
    "vm_ari_log_lines",
    "Lines of the log from warning on.",
    "level",
    begins=_each("warning", "error"),
)

TALLIES = (
    CALLS,
    GIVEN_BACK,
    SERVER_FAILURES,
    DELIVERIES,
    MAILS,
    NOTICES,
    LAMPS,
    LOGINS,
    JOURNAL_LOST,
    LOG_LINES,
)
TIMES = (FIRST_PROMPT, LATENESS, SERVERS, DELIVERY)


class Asking:
    """The time of one question to another server: ``with Asking("directory", ServerLost):``."""

    __slots__ = ("_began", "_faults", "_server")

    def __init__(self, server: str, *faults: type[BaseException]) -> None:
        """*faults* are failures of the server; everything else that is raised is an answer."""
        self._server = server
        self._faults = faults

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None and issubclass(kind, self._faults):
            SERVER_FAILURES.add(self._server)
        else:
            SERVERS.note(time.perf_counter() - self._began, self._server)
