"""The journal of a mass reset: a file that knows, after any crash, who is done (WELCOME-06).

One JSON object a line. First the head, then everybody who is meant, then a line that all of these
are there; from then on a line before each try and one after it. Each line is on the disk before
the work goes on, so at most its last line can be torn. It holds ids and results, never a PIN.
"""

import asyncio
import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from vm_ari.adapters.durable import sync
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
_MODE = 0o600
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

    def __init__(self, path: Path, descriptor: int, head: Head, items: dict[str, Item]) -> None:
        self.path = path
        self.head = head
        self._file = descriptor
        self._items = items
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._broken: OSError | None = None

    @classmethod
    def create(cls, path: Path, directory: str, order: Order, users: Sequence[str]) -> Self:
        """A new one for these users. Raises `JournalUnusable`; blocks."""
        head = Head(directory, order, len(users))
        items = {user: Item(user) for user in users}
        descriptor = -1
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW
            descriptor = os.open(path, flags, _MODE)
            _lock(path, descriptor)
            _append(descriptor, b"".join(_beginning(head, items)))
            sync(path.parent)
        except OSError as error:
            if descriptor >= 0:
                os.close(descriptor)
            raise _unusable(path, error) from error
        return cls(path, descriptor, head, items)

    @classmethod
    def open(cls, path: Path, directory: str) -> Self:
        """One that a run has left behind. Raises `JournalUnusable`, `JournalInUse`; blocks."""
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW)
        except OSError as error:
            raise _unusable(path, error) from error
        try:
            _lock(path, descriptor)
            head, items = _read(path, descriptor)
            if head.directory != directory:
                raise JournalUnusable(
                    f"{path} belongs to another directory: it was written for {head.directory}, "
                    f"and configured is {directory}. Use the configuration of that run."
                )
        except BaseException as error:
            os.close(descriptor)
            if isinstance(error, OSError):
                raise _unusable(path, error) from error
            raise
        return cls(path, descriptor, head, items)

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
        os.close(self._file)

    async def _write(self, record: dict[str, object]) -> None:
        """Lines that come together are written together: one fsync is enough for them."""
        written = asyncio.get_running_loop().create_future()
        self._waiting.append((_line(record), written))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all(), name="journal")
        await written

    async def _write_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                if self._broken:  # the last line may be torn: nothing may follow it
                    raise self._broken
                text = b"".join(line for line, _ in batch)
                await asyncio.to_thread(_append, self._file, text)
            except OSError as error:
                self._broken = error
            for _, written in batch:
                _settle(written, _unusable(self.path, self._broken) if self._broken else None)


def _settle(written: "asyncio.Future[None]", error: Exception | None) -> None:
    """Nobody waits any more for what was cancelled."""
    if written.done():
        return
    if error:
        written.set_exception(error)
    else:
        written.set_result(None)


def _beginning(head: Head, items: dict[str, Item]) -> Iterator[bytes]:
    now = datetime.now(UTC).isoformat()
    first = {"journal": COMMAND, "version": VERSION, "directory": head.directory}
    yield _line({**first, "order": head.order.words, "users": head.users, "written": now})
    for user in items:
        yield _line({"user": user})
    yield _line({"complete": head.users})


def _line(record: dict[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"


def _append(descriptor: int, text: bytes) -> None:
    rest = memoryview(text)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.fsync(descriptor)


def _lock(path: Path, descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise JournalInUse(f"{path}: another reset works on it just now; let it end.") from None


def _read(path: Path, descriptor: int) -> tuple[Head, dict[str, Item]]:
    """What it says; a line that a crash has torn is cut off. Raises `JournalUnusable`, OSError."""
    with os.fdopen(os.dup(descriptor), "rb") as file:
        lines = file.read().split(b"\n")
    torn = lines.pop()
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
    if torn:
        os.ftruncate(descriptor, os.fstat(descriptor).st_size - len(torn))
        os.fsync(descriptor)
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
