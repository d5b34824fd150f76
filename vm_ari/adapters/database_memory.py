"""Users who were looked up in the embedded directory, as long as they are certainly the same.

Each question reads the stamp (`database_stamp`) anew, so nothing older is answered than what was
committed before it, by whichever process. It is read before the users are, so no answer is ever
kept under a stamp that is newer than itself.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from enum import Enum, auto

from vm_ari.adapters.database_file import sqlite_path
from vm_ari.adapters.database_stamp import Stamp, StampReader
from vm_ari.domain.users import User

MOST = 10_000
"""Answers, "nobody" among them: callers choose what is asked for."""
LONGEST = 100
"""Characters of what is asked for; an answer to more is not kept."""
_PATIENCE = 0.001
"""Seconds that all calls wait for a stamp, usually a tenth of it: going on with others meanwhile
costs as much again as reading it."""
_LAST_PATIENCE = 0.1
"""Seconds that one call waits, and others go on; then the directory itself is asked, which may be
able to say what it is."""
_THREADS = 2
"""One reads, and one may wait for it."""

Ask = Callable[[], Awaitable[User | None]]


class Field(Enum):
    """By what a user is looked up."""

    ID = auto()
    NUMBER = auto()


class RememberedUsers:
    """To be closed; what is not SQLite's is asked each time."""

    def __init__(self, url: str) -> None:
        path = sqlite_path(url)
        self._stamps = StampReader(path) if path else None
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="directory-stamp")
        self._reading: Future[Stamp | None] | None = None
        self._answers: OrderedDict[tuple[Field, str], User | None] = OrderedDict()
        self._forgotten = 0
        self._as_of: tuple[int, Stamp] | None = None

    async def find(self, field: Field, text: str, ask: Ask) -> User | None:
        """Whom that text leads to; raises what *ask* does, which is called if need be."""
        stamp = await self._stamp()
        if stamp is None or len(text) > LONGEST:
            return await ask()
        as_of = (self._forgotten, stamp)
        if as_of != self._as_of:
            self._answers.clear()
            self._as_of = as_of
        if (field, text) in self._answers:
            self._answers.move_to_end((field, text))
            return self._answers[field, text]
        found = await ask()
        if as_of == self._as_of:
            self._keep(field, text, found)
        return found

    def forget(self) -> None:
        """What is remembered, and what is being asked at this moment."""
        self._forgotten += 1

    async def close(self) -> None:
        """Let go of the database."""
        await asyncio.to_thread(self._threads.shutdown)
        if self._stamps:
            self._stamps.close()

    async def _stamp(self) -> Stamp | None:
        """As it is now; None: it cannot be told, or the one before us still waits for the disk."""
        if self._stamps is None or (self._reading and not self._reading.done()):
            return None
        self._reading = reading = self._threads.submit(self._stamps.read)
        with suppress(TimeoutError):
            return reading.result(_PATIENCE)
        loop = asyncio.get_running_loop()
        with suppress(TimeoutError):
            return await loop.run_in_executor(self._threads, reading.result, _LAST_PATIENCE)
        return None

    def _keep(self, field: Field, text: str, found: User | None) -> None:
        self._answers[field, text] = found
        if found:  # calls ask by number first, and by id when the message is delivered
            self._answers[Field.ID, found.id] = found
        while len(self._answers) > MOST:
            self._answers.popitem(last=False)
