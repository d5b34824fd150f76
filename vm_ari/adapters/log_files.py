"""Reading our own log back from its end: a file, and the one that was moved away before it.

Bounded: one look reads a few megabytes, and says from where the next one goes on.
"""

import asyncio
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import BinaryIO

from vm_ari.domain.log_lines import LogLine, LogPage, LogQuery, parse
from vm_ari.ports import LogsUnavailable

MOST_BYTES = 4_000_000
"""Read in one look: about 25,000 lines, a tenth of a second."""
BLOCK = 65_536
LONGEST = 64_000
"""Bytes of one line; what is longer is no line of ours, and cut."""


@dataclass(frozen=True)
class FileLogs:
    """`ports.Logs` on a file."""

    path: Path

    async def newest(self, query: LogQuery, *, after: str = "", limit: int = 200) -> LogPage:
        """See `Logs`."""
        return await asyncio.to_thread(self._newest, query, after, limit)

    def _newest(self, query: LogQuery, after: str, limit: int) -> LogPage:
        found: list[LogLine] = []
        left, needles = MOST_BYTES, query.needles()
        try:
            for opened, end in self._backwards(after):
                with opened:
                    inode, above = os.fstat(opened.fileno()).st_ino, end
                    for start, raw in _lines_before(opened, end, needles):
                        left, above = left - (above - start), start
                        text = raw[:LONGEST].decode("utf-8", "replace")
                        if text and query.matches(line := parse(text)):
                            found.append(line)
                        if len(found) >= limit or left <= 0:
                            return LogPage(tuple(found), f"{inode}:{start}")
        except OSError as error:
            where = error.filename or self.path
            raise LogsUnavailable(f"{where}: {error.strerror or error}") from error
        return LogPage(tuple(found))

    def _backwards(self, after: str) -> Iterator[tuple[BinaryIO, int]]:
        """Each file, opened, and the place from which it is to be read back; the newest first."""
        inode, offset = _place(after)
        begun = not inode
        for path in (self.path, self.path.with_name(f"{self.path.name}.1")):
            try:
                opened = _opened(path)
            except FileNotFoundError:
                if path == self.path:
                    raise
                return
            state = os.fstat(opened.fileno())
            if begun:
                yield opened, state.st_size
            elif state.st_ino == inode:
                begun = True
                yield opened, min(offset, state.st_size)
            else:
                opened.close()


def _opened(path: Path) -> BinaryIO:
    """Raises OSError for anything but a file: a pipe would never end."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    if not S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(0, "is no file", str(path))
    return os.fdopen(handle, "rb")


def _lines_before(
    opened: BinaryIO, end: int, needles: Sequence[re.Pattern[bytes]]
) -> Iterator[tuple[int, bytes]]:
    """The lines with all *needles* that end before that place, the last one first.

    Each with where it begins; blocks without any such line are one empty line. A line longer than
    memory allows is passed over.
    """
    rest = b""
    while end > 0:
        begin = max(0, end - BLOCK)
        opened.seek(begin)
        block = opened.read(end - begin) + rest
        first, *lines = block.split(b"\n") if begin else [b"", *block.split(b"\n")]
        place = begin + len(block)
        if all(one.search(block) for one in needles):
            for line in reversed(lines):
                place -= len(line)
                if line and all(one.search(line) for one in needles):
                    yield place, line
                place -= 1
        rest = first if len(first) < LONGEST else b""
        end = begin
        yield begin + len(first), b""


def _place(text: str) -> tuple[int, int]:
    """What `LogPage.older` says; the beginning for anything else."""
    inode, _, offset = text.partition(":")
    if inode.isdecimal() and offset.isdecimal() and len(text) < 50:
        return int(inode), int(offset)
    return 0, 0
