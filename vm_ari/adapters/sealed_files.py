"""Records on the disk that nobody else can read: one sealed file each, in directories by state.

Each step is one rename, so several processes may look, add and move. A seal is bound to the name
and to what the file is for: one that is copied elsewhere does not open.
"""

import asyncio
import json
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import structlog

from vm_ari.adapters import durable
from vm_ari.adapters.sealing import KeyRing, KeysUnusable, SealBroken

T = TypeVar("T")

CORRUPT = "corrupt"
DIRECTORY_MODE = 0o700
HALF_WRITTEN = timedelta(hours=1)
"""A file that old, which a crash has left half written, is nobody's any more."""
MALFORMED = (ValueError, KeyError, TypeError, AttributeError)
"""What a record raises that is not as it should be."""
_SAFE_ID = re.compile("[a-z0-9]{1,64}")

log = structlog.get_logger("vm_ari.queues")


class SealedFiles:
    """Files below *root*; *unavailable* is raised, with a text, where the disk refuses.

    The methods that do not wait block: they are for `run`.
    """

    def __init__(
        self,
        root: Path,
        keys: KeyRing,
        states: Sequence[str],
        purpose: str,
        unavailable: Callable[[str], Exception],
        *,
        moving: bool = False,
        threads: int = 1,
    ) -> None:
        """*moving*: the same record goes from state to state; else each state has its own kind.

        With one thread nobody here sees a step of somebody else half done.
        """
        self._root = root
        self._keys = keys
        self._states = (*states, CORRUPT)
        self._purpose = purpose
        self._unavailable = unavailable
        self._moving = moving
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=purpose.replace(" ", "-"))
        self._unreadable: set[str] = set()

    async def run(self, work: Callable[[], T]) -> T:
        """Do it in a thread of these files. Raises what *unavailable* makes."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, work)
        except OSError as error:
            where = error.filename or self._root
            raise self._unavailable(f"{error.strerror or error}: {where}") from error
        except KeysUnusable as error:
            raise self._unavailable(str(error)) from error

    def close(self) -> None:
        """Let running work end."""
        self._threads.shutdown()

    # --- blocking

    def create(self) -> None:
        """The directories."""
        self._root.parent.mkdir(parents=True, exist_ok=True)
        for directory in (self._root, *(self._root / state for state in self._states)):
            with suppress(FileExistsError):  # another process is as fast
                durable.ensure_directory(directory, DIRECTORY_MODE)
        durable.sync(self._root)

    def place(self, state: str, name: str) -> Path:
        """Where that record is, or would be."""
        if not _SAFE_ID.fullmatch(name):
            raise ValueError("not the id of a record")
        return self._root / state / name

    def is_there(self, name: str, *states: str) -> bool:
        """In one of these states?"""
        return any(self.place(state, name).exists() for state in states)

    def names(self, state: str) -> list[str]:
        """Of all records in that state."""
        directory = self._root / state
        if not directory.is_dir():
            return []
        return sorted(path.name for path in directory.iterdir() if _SAFE_ID.fullmatch(path.name))

    def oldest_first(self, state: str) -> list[str]:
        """The same, by the time of the last change."""
        found = []
        for name in self.names(state):
            with suppress(FileNotFoundError):
                found.append((self.place(state, name).stat().st_mtime_ns, name))
        return [name for _time, name in sorted(found)]

    def write(self, state: str, name: str, record: Any) -> None:
        """As JSON; the old content or the new one survives a crash."""
        sealed = self._keys.seal(json.dumps(record), owner=name, attribute=self._bound(state))
        durable.replace_file(self.place(state, name), sealed.encode())

    def read(self, state: str, name: str) -> Any:
        """None for one that is gone, and for one that cannot be read, which goes out of the way."""
        try:
            raw = self.place(state, name).read_bytes().decode("ascii")
            return json.loads(self._keys.open(raw, owner=name, attribute=self._bound(state)))
        except FileNotFoundError:
            return None
        except PermissionError as error:  # kept by a command that another account has run
            if name not in self._unreadable:
                self._unreadable.add(name)  # said once: it is looked at every few seconds
                log.error("a record cannot be read", of=self._purpose, id=name, why=error.strerror)
        except (SealBroken, ValueError) as error:
            self.put_aside(state, name, error)
        return None

    def read_as(self, state: str, name: str, of_record: Callable[[str, Any], T]) -> T | None:
        """What *of_record* makes of its name and content; None as in `read`."""
        record = self.read(state, name)
        try:
            return None if record is None else of_record(name, record)
        except MALFORMED as error:
            self.put_aside(state, name, error)
            return None

    def put_aside(self, state: str, name: str, error: Exception) -> None:
        """It makes no sense, and shall not stop the others."""
        log.error("a record cannot be read", of=self._purpose, id=name, why=type(error).__name__)
        with suppress(FileNotFoundError):
            self.move(state, CORRUPT, name)

    def move(self, source: str, target: str, name: str) -> None:
        """From one state to another."""
        durable.move(self.place(source, name), self.place(target, name))

    def mark(self, state: str, name: str) -> None:
        """An empty file: that it is there is all it says."""
        durable.write_file(self.place(state, name), b"")
        durable.sync(self._root / state)

    def remove(self, state: str, name: str) -> None:
        """Harmless where it is gone."""
        self.place(state, name).unlink(missing_ok=True)

    def forget(self, state: str, age: timedelta) -> None:
        """Remove what has not been changed for so long."""
        for name in self.names(state):
            _unlink_if_older(self.place(state, name), age)

    def sweep(self) -> None:
        """Remove what crashes have left half written."""
        for state in self._states:
            for path in (self._root / state).glob(f"*{durable.UNFINISHED}"):
                _unlink_if_older(path, HALF_WRITTEN)

    def _bound(self, state: str) -> str:
        """Records of one order are of different kinds, all under its name."""
        return self._purpose if self._moving else f"{self._purpose} {state}"


def _unlink_if_older(path: Path, age: timedelta) -> None:
    with suppress(FileNotFoundError):
        if path.stat().st_mtime < time.time() - age.total_seconds():
            path.unlink()
