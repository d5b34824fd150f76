"""The journal of a migration between stores: a file that knows after any crash what is done.

Its lines: the head, everybody who is meant, that all of these are there; then one before each
copy, one after it, and one at the end of each user. It holds no word of any message.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from vm_ari.adapters.durable import sync
from vm_ari.adapters.work_journal import Record, WorkJournal
from vm_ari.domain.callers import printable
from vm_ari.domain.store_moving import (
    Fate,
    MigrationInUse,
    MigrationUnusable,
    StoreKind,
    Tally,
)

COMMAND = "vm-ari store migrate"
VERSION = 1
_LONGEST_REASON = 500


@dataclass(frozen=True)
class Head:
    """What the whole journal is about."""

    directory: str
    """Where the users are, so that nobody else's messages are moved by mistake."""
    source: StoreKind
    remove: bool
    """Messages are taken away where they were."""
    users: tuple[str, ...]


class MigrationJournal:
    """`services.store_migration.Journal`, locked against others until it is closed."""

    def __init__(self, lines: WorkJournal, head: Head) -> None:
        self.path = lines.path
        self.head = head
        self._lines = lines
        self._sent: dict[tuple[str, str], str] = {}
        self._held: dict[str, dict[str, bool]] = {}
        self._tallies = {user: Tally(user) for user in head.users}

    @classmethod
    def create(cls, path: Path, head: Head) -> Self:
        """A new one. Raises `MigrationUnusable`, also where there is one already; blocks."""
        try:
            lines = WorkJournal.create(path, _beginning(head))
        except BlockingIOError:
            raise _in_use(path) from None
        except OSError as error:
            raise _unusable(path, error) from error
        return cls(lines, head)

    @classmethod
    def open(cls, path: Path) -> Self:
        """One that a run has left behind. Raises `MigrationUnusable`, `MigrationInUse`; blocks."""
        try:
            lines = WorkJournal.open(path)
        except BlockingIOError:
            raise _in_use(path) from None
        except OSError as error:
            raise _unusable(path, error) from error
        try:
            return cls._read(lines)
        except BaseException as error:
            lines.close()
            if isinstance(error, OSError):
                raise _unusable(path, error) from error
            raise

    @property
    def tallies(self) -> Sequence[Tally]:
        """Everybody, in the order of the beginning, as far as each has come."""
        return list(self._tallies.values())

    @property
    def is_finished(self) -> bool:
        """Is there nothing left to do?"""
        return all(one.fate is Fate.DONE for one in self._tallies.values())

    def sent(self, user: str, spot: str) -> str | None:
        """How far the folder had come before a copy whose end nobody has seen."""
        return self._sent.get((user, spot))

    def held(self, user: str) -> Mapping[str, bool]:
        """Spots whose messages are at the new place; True: by this migration."""
        return self._held.get(user, {})

    async def note_sent(self, user: str, spot: str, stand: str) -> None:
        """A copy begins."""
        await self._write({"copy": spot, "user": user, "stand": stand})
        self._sent[user, spot] = stand

    async def note_held(self, user: str, spot: str, *, ours: bool) -> None:
        """It is at the new place."""
        await self._write({"there": spot, "user": user, "ours": ours})
        self._held.setdefault(user, {})[spot] = ours

    async def note_end(self, tally: Tally) -> None:
        """All that could be done for a user was done."""
        told = printable(tally.reason, _LONGEST_REASON)
        await self._write({"end": {**asdict(tally), "reason": told}})
        self._tallies[tally.user] = tally

    def close(self) -> None:
        """Let others have it."""
        self._lines.close()

    def put_away(self) -> Path:
        """Close it under a name of its own, as a record; where it lies then. Blocks."""
        kept = aside(self.path)
        self.close()
        return kept

    async def _write(self, record: Record) -> None:
        try:
            await self._lines.write(record)
        except OSError as error:
            raise _unusable(self.path, error) from error

    @classmethod
    def _read(cls, lines: WorkJournal) -> Self:
        path, (texts, torn) = lines.path, lines.lines()
        try:
            records = [json.loads(text) for text in texts]
            head, rest = _head(path, records)
            journal = cls(lines, head)
            for record in rest:
                journal._take(record)
        except (ValueError, KeyError, TypeError) as error:
            told = printable(str(error), 100)
            raise MigrationUnusable(f"{path}: no journal of a migration: {told}") from None
        lines.cut(torn)
        return journal

    def _take(self, record: Any) -> None:
        """One line of the work. Raises ValueError, KeyError, TypeError."""
        match record:
            case {"copy": str(spot), "user": str(user), "stand": str(stand)}:
                self._sent[user, spot] = stand
            case {"there": str(spot), "user": str(user), "ours": bool(ours)}:
                self._held.setdefault(user, {})[spot] = ours
            case {"end": {"user": str(user)}} if user in self._tallies:
                said = record["end"]
                self._tallies[user] = Tally(**{**said, "fate": Fate(said["fate"])})
            case _:
                raise ValueError("a line that does not belong here")


def aside(path: Path) -> Path:
    """Rename a journal, so that another can begin; its new name. Raises `MigrationUnusable`."""
    kept = path.with_name(f"{path.stem}-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}{path.suffix}")
    try:
        path.rename(kept)
        sync(path.parent)
    except OSError as error:
        raise _unusable(path, error) from error
    return kept


def _beginning(head: Head) -> Sequence[Record]:
    first = {
        "journal": COMMAND,
        "version": VERSION,
        "directory": head.directory,
        "from": head.source.value,
        "remove": head.remove,
        "written": datetime.now(UTC).isoformat(),
    }
    return [first, *({"user": user} for user in head.users), {"complete": len(head.users)}]


def _head(path: Path, records: Sequence[Any]) -> tuple[Head, Sequence[Any]]:
    """The head, and the lines of the work. Raises ValueError, KeyError, `MigrationUnusable`."""
    whole = all(isinstance(record, dict) for record in records)
    if not records or not whole or records[0].get("journal") != COMMAND:
        raise ValueError("it begins otherwise")
    first = records[0]
    if first["version"] != VERSION:
        raise ValueError(f"it has version {first['version']}, and this program knows {VERSION}")
    end = next((at for at, line in enumerate(records) if "complete" in line), None)
    if end is None:
        raise MigrationUnusable(
            f"{path}: this migration had not begun, and has moved nothing. Begin a new one: --anew."
        )
    users = tuple(str(line["user"]) for line in records[1:end])
    if records[end]["complete"] != len(users):
        raise ValueError("its list of users is not whole")
    head = Head(str(first["directory"]), StoreKind(first["from"]), bool(first["remove"]), users)
    return head, records[end + 1 :]


def _in_use(path: Path) -> MigrationInUse:
    return MigrationInUse(f"{path}: another migration works on it; let it end.")


def _unusable(path: Path, error: OSError) -> MigrationUnusable:
    return MigrationUnusable(f"The journal {path} cannot be used: {error.strerror or error}")
