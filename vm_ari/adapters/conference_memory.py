"""The memory of conferences below the spool: what goes on, and the names that were said.

conferences/<id>.json         a conference that goes on, for the next controller
conferences/names/<id>.wav    a name, recorded at the door
"""

import re
import secrets
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import structlog

from vm_ari.adapters import durable
from vm_ari.adapters.conference_records import (
    BadConference,
    conference_from_json,
    conference_to_json,
)
from vm_ari.adapters.short_takes import DIRECTORY_MODE, inspected, on_takes
from vm_ari.domain.conferences import Conference
from vm_ari.domain.recording import Take
from vm_ari.ports import GreetingTake
from vm_ari.ports.conference import MemoryFailed

FOLDER, NAMES = "conferences", "names"
FORGOTTEN = 2 * 86_400
"""Seconds after which a name is nobody's any more: no conference lasts so long."""
_SAFE_ID = re.compile(r"[A-Za-z0-9]{1,64}")

T = TypeVar("T")
log = structlog.get_logger("vm_ari.conferences")


class FileConferenceMemory:
    """The port `ConferenceMemory` below the *spool*, which one controller has claimed."""

    def __init__(self, spool: Path) -> None:
        self._spool = spool.absolute()
        self._folder = self._spool / FOLDER

    async def keep(self, conference: Conference) -> None:
        """See `ConferenceMemory`."""
        text = conference_to_json(conference).encode()
        await self._do(lambda: self._write(self._file(conference.id), text))

    async def forget(self, conference: Conference) -> None:
        """See `ConferenceMemory`."""
        await self._do(lambda: self._forget(conference))

    async def all(self) -> Sequence[Conference]:
        """See `ConferenceMemory`; also sweeps up names that nobody needs any more."""
        return await self._do(self._all)

    def new_name(self) -> GreetingTake:
        """See `ConferenceMemory`."""
        name = secrets.token_hex(12)
        return GreetingTake(
            f"{self._spool.name}/{FOLDER}/{NAMES}/{name}", self._folder / NAMES / name
        )

    async def inspect(self, take: GreetingTake) -> Take | None:
        """See `ConferenceMemory`."""
        return await self._do(lambda: inspected(take.file))

    def prepare(self) -> None:
        """Make the folders, blocking: Asterisk must find them. Raises `OSError`."""
        self._spool.mkdir(parents=True, exist_ok=True)
        for folder in (self._folder, self._folder / NAMES):
            durable.ensure_directory(folder, DIRECTORY_MODE)

    def _file(self, conference_id: str) -> Path:
        if not _SAFE_ID.fullmatch(conference_id):
            raise ValueError("not the id of a conference")
        return self._folder / f"{conference_id}.json"

    def _write(self, file: Path, content: bytes) -> None:
        if not self._folder.is_dir():
            self.prepare()
        durable.replace_file(file, content)

    def _forget(self, conference: Conference) -> None:
        self._file(conference.id).unlink(missing_ok=True)
        for name in conference.names:
            path = Path(name)
            if path.parent == self._folder / NAMES:
                path.with_name(f"{path.name}.wav").unlink(missing_ok=True)

    def _all(self) -> Sequence[Conference]:
        self.prepare()
        found = [one for one in map(_read, sorted(self._folder.glob("*.json"))) if one]
        used = {Path(name).name for one in found for name in one.names}
        for file in (self._folder / NAMES).iterdir():
            if file.stem not in used and time.time() - file.stat().st_mtime > FORGOTTEN:
                file.unlink(missing_ok=True)
        return found

    async def _do(self, work: Callable[[], T]) -> T:
        return await on_takes(work, self._folder, MemoryFailed)


def _read(file: Path) -> Conference | None:
    """What cannot be read is put out of the way: its bridge will be removed, and nobody lost."""
    try:
        return conference_from_json(file.read_bytes())
    except BadConference as error:
        log.error("conference not found again", file=file.name, reason=str(error))
        file.rename(file.with_suffix(".bad"))
        return None
