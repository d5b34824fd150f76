"""Received faxes on the disk: from the dialplan's files to messages of the spool.

    fax/<facts>.tif  <facts>.txt   received by the dialplan, and what it says of that
    tmp/<id>/                      being made a message
    new/<id>/  facts.json fax.tif fax.pdf    a message, delivered like every other one

The rename from ``tmp/`` to ``new/`` makes it a message; only then the dialplan's files go. The id
comes from the file's name, so a crash in between makes no second one.
"""

import asyncio
import functools
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from vm_ari.adapters import durable
from vm_ari.adapters.fax_spool_pages import prepared
from vm_ari.adapters.spool import DIRECTORY_MODE
from vm_ari.adapters.spool_records import Kept, facts_to_json
from vm_ari.adapters.spool_takes import share
from vm_ari.domain.messages import CallFacts
from vm_ari.ports import SpoolFull
from vm_ari.ports.fax import ArrivedFax, PreparedFax

DIRECTORY = "fax"
PAGES, PDF = "fax.tif", "fax.pdf"
LONGEST_NOTE = 4000
OLD_NOTE = 3600.0
"""Seconds after which a note without pages goes."""
_MESSAGES = ("new", "done", "hold")

T = TypeVar("T")


class FileFaxSpool:
    """`ports.fax.FaxSpool` beside a `FileSpool`, which has claimed *root*."""

    def __init__(self, root: Path, *, directory_mode: int = DIRECTORY_MODE) -> None:
        self._root = root
        self._mode = directory_mode
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="fax spool")

    def close(self) -> None:
        """What is under way still ends."""
        self._threads.shutdown(wait=False)

    async def claim(self) -> None:
        """Make the directory into which Asterisk writes. Raises `SpoolFull`."""
        await self._run(durable.ensure_directory, self._root / DIRECTORY, self._mode)

    async def arrived(self) -> Sequence[ArrivedFax]:
        """See `FaxSpool`."""
        found = await self._run(lambda: list(self._arrived()))
        return sorted(found, key=lambda fax: (fax.modified, fax.name))

    def path(self, name: str) -> Path:
        """See `FaxSpool`."""
        if Path(name).name != name:
            raise ValueError("not the name of a file")
        return self._root / DIRECTORY / name

    def id_of(self, name: str) -> str:
        """See `FaxSpool`."""
        return hashlib.sha256(b"fax/" + os.fsencode(name)).hexdigest()[:32]

    async def is_kept(self, name: str) -> bool:
        """See `FaxSpool`."""
        places = [self._root / state / self.id_of(name) for state in _MESSAGES]
        return await self._run(lambda: any(place.exists() for place in places))

    async def prepare(self, name: str) -> PreparedFax:
        """See `FaxSpool`."""
        try:
            return await prepared(self.path(name))
        except OSError as error:
            raise _full(error, self._root) from error

    async def keep(self, name: str, facts: CallFacts, *, partial: bool, made: PreparedFax) -> None:
        """See `FaxSpool`."""
        await self._run(self._keep, name, facts, Kept(PAGES, 0.0, partial), made.pdf)

    async def forget(self, name: str) -> None:
        """See `FaxSpool`."""
        await self._run(self._forget, name)

    async def set_aside(self, name: str, reason: str) -> None:
        """See `FaxSpool`."""
        await self._run(self._set_aside, name, reason)

    # -- blocking; OSError as the system raises it

    def _arrived(self) -> Iterator[ArrivedFax]:
        for path in (self._root / DIRECTORY).iterdir():
            if path.is_symlink() or not path.is_file() or path.name.startswith("."):
                continue
            state = path.stat()
            if path.suffix == ".tif":
                when = datetime.fromtimestamp(state.st_mtime, UTC)
                yield ArrivedFax(path.name, state.st_size, when, _text(path.with_suffix(".txt")))
            elif path.suffix == ".txt" and not path.with_suffix(".tif").exists():
                _erase_old(path, state.st_mtime)

    def _keep(self, name: str, facts: CallFacts, kept: Kept, pdf: bytes) -> None:
        half_made = self._root / "tmp" / facts.id
        shutil.rmtree(half_made, ignore_errors=True)
        durable.make_directory(half_made, self._mode)
        share(self.path(name), half_made / PAGES)
        if pdf:
            durable.write_file(half_made / PDF, pdf)
        durable.write_file(half_made / "facts.json", facts_to_json(facts, kept))
        durable.sync(half_made)
        durable.move(half_made, self._root / "new" / facts.id)
        self._forget(name)

    def _forget(self, name: str) -> None:
        pages = self.path(name)
        pages.unlink(missing_ok=True)
        pages.with_suffix(".txt").unlink(missing_ok=True)
        durable.sync(pages.parent)

    def _set_aside(self, name: str, reason: str) -> None:
        grave = self._root / "corrupt" / f"fax-{secrets.token_hex(8)}"
        durable.ensure_directory(grave, self._mode)
        durable.write_file(grave / "reason.txt", reason.encode())
        note = self.path(name).with_suffix(".txt")
        if note.is_file():
            durable.move(note, grave / note.name)
        durable.move(self.path(name), grave / name)

    async def _run(self, work: Callable[..., T], *args: object) -> T:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, functools.partial(work, *args))
        except OSError as error:
            raise _full(error, self._root) from error


def _full(error: OSError, root: Path) -> SpoolFull:
    return SpoolFull(f"{error.strerror or error}: {error.filename or root}")


def _text(note: Path) -> str:
    try:
        with note.open("rb") as file:
            return file.read(LONGEST_NOTE).decode("ascii", "replace")
    except FileNotFoundError:
        return ""


def _erase_old(note: Path, modified: float) -> None:
    if datetime.now(UTC).timestamp() - modified > OLD_NOTE:
        note.unlink(missing_ok=True)
