"""Where it is kept what has happened."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from vm_ari.domain.journal import JournalEntry, Search, Viewer
from vm_ari.domain.log_lines import LogPage, LogQuery


class JournalUnavailable(Exception):
    """The journal can neither be searched nor changed now. The text says why."""


class Journal(Protocol):
    """Where everybody notes what has happened."""

    async def note(self, entry: JournalEntry) -> None:
        """Never raises, and never waits: it is written later, or lost with a line in the log.

        What is told of the same id becomes one entry (`domain.journal.merged`).
        """
        ...


class JournalStore(Protocol):
    """What the journal remembers. Every method raises `JournalUnavailable`."""

    async def write(self, entries: Sequence[JournalEntry]) -> None:
        """Durably, each merged with what is there of the same id."""
        ...

    async def entry(self, entry_id: str) -> JournalEntry | None:
        """One of them."""
        ...

    async def page(
        self,
        viewer: Viewer,
        search: Search,
        *,
        numbers: Collection[str] = (),
        names: Sequence[str] = (),
        after: tuple[datetime, str] | None = None,
        limit: int = 50,
    ) -> Sequence[JournalEntry]:
        """What *viewer* may see of it, the newest first, all older than *after*.

        That is the time and the id of the last one that was seen. *numbers* and *names* are terms
        of `domain.journal`: one of the former, all of the latter as beginnings.
        """
        ...

    async def oldest(self, before: datetime, limit: int) -> Sequence[JournalEntry]:
        """The oldest entries that began before that time."""
        ...

    async def remove(self, ids: Sequence[str]) -> int:
        """How many there were."""
        ...

    async def shorten(self, before: datetime, limit: int) -> int:
        """Shorten the numbers of so many entries that began before that time; how many it were."""
        ...


class LogsUnavailable(Exception):
    """The program's own log cannot be read. The text says why, and what to do."""


class Logs(Protocol):
    """The program's own log, wherever it is written to."""

    async def newest(self, query: LogQuery, *, after: str = "", limit: int = 200) -> LogPage:
        """At most *limit* lines, the newest first; *after* is the ``older`` of the page before.

        One look goes back a bounded way only. Raises `LogsUnavailable`.
        """
        ...
