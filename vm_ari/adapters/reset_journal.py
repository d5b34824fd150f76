"""The journal of a mass reset: a file that knows, after any crash, who is done (WELCOME-06).

Its lines: first the head, then everybody who is meant, then that all of these are there; from
then on one before each try and one after it. It holds ids and results, never a PIN.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from vm_ari.adapters.work_journal import Record, WorkJournal
from vm_ari.domain.callers import printable
from vm_ari.domain.mass_reset import (
    Item,
    JournalInUse,
    JournalUnusable,
    Order,
    Outcome,
    order_of,
)

COMMAND = "vm-ari welcome reset"
VERSION = 1
_LONGEST_REASON = 500


@dataclass(frozen=True)
class Head:
    """What the whole journal is about."""

    directory: str
    """Where the users are, so that no other directory is changed by mistake."""
    order: Order
    users: int


class ResetJournal:
    """Open, and locked against others until it is closed or the process ends."""

    def __init__(self, lines: WorkJournal, head: Head, items: dict[str, Item]) -> None:
        self.path = lines.path
        self.head = head
        self._lines = lines
        self._items = items

    @classmethod
    def create(cls, path: Path, directory: str, order: Order, users: Sequence[str]) -> Self:
        """A new one for these users. Raises `JournalUnusable`; blocks."""
        head = Head(directory, order, len(users))
        items = {user: Item(user) for user in users}
        try:
            lines = WorkJournal.create(path, _beginning(head, items))
        except BlockingIOError:
            raise _in_use(path) from None
        except OSError as error:
            raise _unusable(path, error) from error
        return cls(lines, head, items)

    @classmethod
    def open(cls, path: Path, directory: str) -> Self:
        """One that a run has left behind. Raises `JournalUnusable`, `JournalInUse`; blocks."""
        try:
            lines = WorkJournal.open(path)
        except BlockingIOError:
            raise _in_use(path) from None
        except OSError as error:
            raise _unusable(path, error) from error
        try:
            head, items = _read(lines)
            if head.directory != directory:
                raise JournalUnusable(
                    f"{path} belongs to another directory: it was written for {head.directory}, "
                    f"and configured is {directory}. Use the configuration of that run."
                )
        except BaseException as error:
            lines.close()
            if isinstance(error, OSError):
                raise _unusable(path, error) from error
            raise
        return cls(lines, head, items)

    @property
    def items(self) -> Sequence[Item]:
        """Everybody, in the order of the beginning, as far as each has come."""
        return list(self._items.values())

    async def begin(self, user: str, at: datetime) -> None:
        """A try begins; on the disk when this returns. Raises `JournalUnusable`."""
        what = self.head.order.words
        await self._write({"try": user, "what": what, "at": at.astimezone(UTC).isoformat()})
        self._items[user] = self._items[user].tried(at)

    async def end(
        self, user: str, outcome: Outcome, reason: str = "", *, unsure: bool = False
    ) -> None:
        """It has ended, and how; on the disk when this returns. Raises `JournalUnusable`."""
        told = printable(reason, _LONGEST_REASON)
        why = {"reason": told, "unsure": unsure} if reason else {}
        await self._write({"end": user, "result": outcome.value, **why})
        self._items[user] = self._items[user].ended(outcome, told, unsure=unsure)

    def close(self) -> None:
        """Let others have it."""
        self._lines.close()

    async def _write(self, record: Record) -> None:
        try:
            await self._lines.write(record)
        except OSError as error:
            raise _unusable(self.path, error) from error


def _beginning(head: Head, items: dict[str, Item]) -> Iterator[Record]:
    now = datetime.now(UTC).isoformat()
    first = {"journal": COMMAND, "version": VERSION, "directory": head.directory}
    yield {**first, "order": head.order.words, "users": head.users, "written": now}
    for user in items:
        yield {"user": user}
    yield {"complete": head.users}


def _in_use(path: Path) -> JournalInUse:
    return JournalInUse(f"{path}: another reset works on it just now; let it end.")


def _read(journal: WorkJournal) -> tuple[Head, dict[str, Item]]:
    """What it says; a line that a crash has torn is cut off. Raises `JournalUnusable`, OSError."""
    path, (lines, torn) = journal.path, journal.lines()
    head, number = None, 0
    items: dict[str, Item] = {}
    complete = False
    try:
        for number, line in enumerate(lines, start=1):  # noqa: B007 - the last one is named below
            record = json.loads(line)
            match record:
                case {"journal": str(command)} if head is None:
                    head = _head(command, record)
                case {"user": str(user)} if head and not complete and user not in items:
                    items[user] = Item(user)
                case {"complete": int(count)} if head and count == len(items) == head.users:
                    complete = True
                case _ if complete:
                    _take(items, record)
                case _:
                    raise ValueError("it does not belong here")
    except (ValueError, KeyError, TypeError) as error:
        told = printable(str(error), 100)
        raise JournalUnusable(f"{path}, line {number}: no journal of a reset: {told}") from None
    if head is None or not complete:
        raise JournalUnusable(
            f"{path}: this reset had not begun, and has changed nothing. Begin a new one."
        )
    journal.cut(torn)
    return head, items


def _head(command: str, record: dict[str, Any]) -> Head:
    """Raises ValueError, KeyError."""
    if command != COMMAND:
        raise ValueError(f"it was written by “{command}”")
    if record["version"] != VERSION:
        raise ValueError(f"it has version {record['version']}, and this program knows {VERSION}")
    return Head(str(record["directory"]), order_of(str(record["order"])), int(record["users"]))


def _take(items: dict[str, Item], record: object) -> None:
    """One line of the work. Raises ValueError, KeyError."""
    match record:
        case {"try": str(user), "at": str(at)}:
            began = datetime.fromisoformat(at)
            if began.tzinfo is None:
                raise ValueError("a time without a zone")
            items[user] = items[user].tried(began)
        case {"end": str(user), "result": str(result), **more}:
            unsure = more.get("unsure") is True
            reason = str(more.get("reason", ""))
            items[user] = items[user].ended(Outcome(result), reason, unsure=unsure)
        case _:
            raise ValueError("it does not belong here")


def _unusable(path: Path, error: OSError) -> JournalUnusable:
    reason = error.strerror or str(error)
    return JournalUnusable(f"The journal {path} cannot be used: {reason}")
