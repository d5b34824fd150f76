"""Where old entries of the journal go: files of JSON Lines, packed with gzip."""

import asyncio
import gzip
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from vm_ari.adapters.durable import replace_file
from vm_ari.domain.journal import JournalEntry, as_record
from vm_ari.ports import JournalUnavailable


class JournalArchive:
    """One file for each batch, for our own user only, named by its first entry.

    The same batch makes the same file, however often it is begun.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def keep(self, entries: Sequence[JournalEntry]) -> None:
        """On the disk when this returns. Raises `JournalUnavailable`."""
        try:
            await asyncio.to_thread(self._keep, entries)
        except OSError as error:
            where = error.filename or self._directory
            raise JournalUnavailable(f"The archive: {error.strerror or error}: {where}") from error

    def _keep(self, entries: Sequence[JournalEntry]) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        target = self._directory / file_name(entries[0])
        lines = "".join(json.dumps(as_record(one), ensure_ascii=False) + "\n" for one in entries)
        replace_file(target, gzip.compress(lines.encode(), mtime=0))


def file_name(first: JournalEntry) -> str:
    """Sorted by time when sorted by name."""
    mark = hashlib.sha256(first.id.encode("utf-8", "replace")).hexdigest()[:8]
    return f"journal-{first.started:%Y-%m-%d-%H%M%S}-{mark}.jsonl.gz"
