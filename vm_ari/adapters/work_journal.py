"""The journal of work that a crash may interrupt: a locked file of one JSON object a line.

Each line is on the disk before the work goes on, so at most the last one can be torn.
"""

import asyncio
import fcntl
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Self

from vm_ari.adapters.durable import sync

Record = Mapping[str, object]
_MODE = 0o600


class WorkJournal:
    """Open, and locked against others until it is closed or the process ends."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._file = descriptor
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._broken: OSError | None = None

    @classmethod
    def create(cls, path: Path, records: Iterable[Record]) -> Self:
        """A new one that begins with these. Raises OSError, also where there is one; blocks."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW
        journal = cls._locked(path, os.open(path, flags, _MODE))
        try:
            _append(journal._file, b"".join(map(_line, records)))
            sync(path.parent)
        except OSError:
            journal.close()
            raise
        return journal

    @classmethod
    def open(cls, path: Path) -> Self:
        """One that is there. Raises BlockingIOError where somebody has it open, OSError; blocks."""
        return cls._locked(path, os.open(path, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW))

    @classmethod
    def _locked(cls, path: Path, descriptor: int) -> Self:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise
        return cls(path, descriptor)

    def lines(self) -> tuple[list[bytes], int]:
        """Those that are whole, and of how many octets the torn one is after them. Blocks."""
        with os.fdopen(os.dup(self._file), "rb") as file:
            file.seek(0)
            lines = file.read().split(b"\n")
        return lines, len(lines.pop())

    def cut(self, torn: int) -> None:
        """Take so many octets away from the end. Blocks."""
        if torn:
            os.ftruncate(self._file, os.fstat(self._file).st_size - torn)
            os.fsync(self._file)

    async def write(self, record: Record) -> None:
        """On the disk when this returns. Lines that come together are written together.

        Raises OSError; from then on nothing more is written, for the last line may be torn.
        """
        written = asyncio.get_running_loop().create_future()
        self._waiting.append((_line(record), written))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all(), name="journal")
        await written

    async def _write_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                if self._broken:
                    raise self._broken
                text = b"".join(line for line, _ in batch)
                await asyncio.to_thread(_append, self._file, text)
            except OSError as error:
                self._broken = error
            for _, written in batch:
                _settle(written, self._broken)

    def close(self) -> None:
        """Let others have it."""
        os.close(self._file)


def _settle(written: "asyncio.Future[None]", error: OSError | None) -> None:
    """Nobody waits any more for what was cancelled."""
    if written.done():
        return
    if error:
        written.set_exception(error)
    else:
        written.set_result(None)


def _line(record: Record) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"


def _append(descriptor: int, text: bytes) -> None:
    rest = memoryview(text)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.fsync(descriptor)
