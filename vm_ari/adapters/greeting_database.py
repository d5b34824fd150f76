"""The greetings of several nodes: rows of a database, and on each node the files for Asterisk.

Whoever asks for greetings compares the rows with the local copy and fetches what is new, so that
a change is heard with the next call on every node. While the database does not answer, the
local copy does.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from vm_ari.adapters import greeting_tables as tables
from vm_ari.adapters.audio_intake import AudioIntake
from vm_ari.adapters.database_schema import Database
from vm_ari.adapters.greeting_index import BadIndex, Index, Record, time_text
from vm_ari.adapters.greeting_tree import GreetingTree, new_generation
from vm_ari.domain.greeting_ends import GreetingEnd
from vm_ari.domain.greetings import SITE, GlobalMode, Greeting, GreetingKey, Source
from vm_ari.ports import GreetingsUnavailable

log = structlog.get_logger(__name__)

CONNECTIONS = 4
PATIENCE = 2.0
"""Seconds that a caller waits for the database, before the local copy has to do."""
WRITE_PATIENCE = 30.0
PAUSE = 10.0
"""Seconds without asking a database that did not answer: the next callers do not wait for it."""
TRIES = 5

T = TypeVar("T")


class DatabaseGreetings:
    """The port `Greetings` on a database; *directory* holds this node's copies."""

    def __init__(
        self,
        url: str,
        directory: Path,
        *,
        intake: AudioIntake | None = None,
        patience: float = PATIENCE,
    ) -> None:
        self._database = Database(url, connections=CONNECTIONS, prepare=tables.create_tables)
        self._tree = GreetingTree(directory)
        self._intake = intake or AudioIntake()
        self._patience = patience
        self._asked_again = 0.0
        self._workers = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="greetings")
        self._disk = ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="greeting-files")

    async def of(self, owner: str) -> Mapping[GreetingKey, Greeting]:
        """See `Greetings`; the local copy's while the database does not answer."""
        await self._bring_up_to_date(owner)
        return await self._in(self._disk, lambda: self._tree.greetings(owner))

    async def keep(
        self,
        key: GreetingKey,
        audio: Path,
        source: Source,
        *,
        expires: datetime | None = None,
    ) -> Greeting:
        """See `Greetings`."""
        sound = await self._intake.prepare(audio)
        name, now = new_generation(key), datetime.now(UTC)
        record = Record(key.slot, key.language, name, sound.seconds, now, source, expires)
        await self._change(key.owner, lambda db: tables.put(db, key.owner, record, sound))
        return record.greeting(key.owner, self._tree.folder(key.owner))

    async def set_expiry(self, key: GreetingKey, expires: datetime | None) -> Greeting | None:
        """See `Greetings`."""
        text = time_text(expires) if expires else None
        await self._change(key.owner, lambda db: tables.set_expiry(db, key, text))
        return (await self._in(self._disk, lambda: self._tree.greetings(key.owner))).get(key)

    async def delete(self, key: GreetingKey) -> bool:
        """See `Greetings`."""
        return await self._change(key.owner, lambda db: tables.remove(db, key))

    async def delete_all(self, owner: str) -> int:
        """See `Greetings`."""
        return await self._change(owner, lambda db: tables.remove_all(db, owner))

    async def for_callers(self, owner: str) -> tuple[Mapping[GreetingKey, Greeting], GlobalMode]:
        """See `Greetings`; as far as they are known while the database does not answer."""
        await asyncio.gather(*(self._bring_up_to_date(one) for one in {owner, SITE}))
        return await self._in(self._disk, lambda: self._tree.for_callers(owner))

    async def global_mode(self) -> GlobalMode:
        """See `Greetings`; the last one known while the database does not answer."""
        await self._bring_up_to_date(SITE)
        return await self._in(self._disk, lambda: self._tree.index(SITE).mode)

    async def set_global_mode(self, mode: GlobalMode) -> None:
        """See `Greetings`."""
        await self._change(SITE, lambda db: tables.set_mode(db, mode))

    async def ending(
        self, owners: Collection[str], after: datetime, until: datetime
    ) -> Sequence[GreetingEnd]:
        """See `Greetings`; the database has to answer."""

        def found() -> list[GreetingEnd]:
            with self._database.open().connect() as db:
                return tables.ending(db, owners, after, until)

        return await self._in(self._workers, found)

    async def sweep(self) -> None:
        """Erase local copies that nobody hears any more. Raises as all the others."""
        await self._in(self._disk, self._tree.sweep)

    async def close(self) -> None:
        """Let what is being stored be finished."""
        await asyncio.to_thread(self._workers.shutdown)
        self._disk.shutdown(wait=False)
        self._database.engine.dispose()

    async def _change(self, owner: str, work: Callable[[Connection], T]) -> T:
        """In one transaction, and then in the local copy."""

        def run() -> T:
            with self._database.open().begin() as db:
                return work(db)

        try:
            async with asyncio.timeout(WRITE_PATIENCE):
                result = await self._until_done(run)
                await self._in(self._workers, lambda: self._refresh(owner))
        except TimeoutError:
            raise GreetingsUnavailable("The database of greetings does not answer.") from None
        return result

    async def _until_done(self, run: Callable[[], T]) -> T:
        for _ in range(TRIES):
            with suppress(IntegrityError):  # another node was faster: ours is newer
                return await self._in(self._workers, run)
        raise GreetingsUnavailable("Other nodes change the same greeting all the time.")

    async def _bring_up_to_date(self, owner: str) -> None:
        """The local copy, or let it do. Raises `GreetingsUnavailable` where there is none."""
        reason = "it did not answer a moment ago"
        if time.monotonic() >= self._asked_again:
            try:
                async with asyncio.timeout(self._patience):
                    return await self._in(self._workers, lambda: self._refresh(owner))
            except (TimeoutError, GreetingsUnavailable) as error:
                self._asked_again = time.monotonic() + PAUSE
                reason = str(error) or "it does not answer"
                log.warning("greetings are those of the local copy", reason=reason)
        if not await self._in(self._disk, lambda: self._tree.knows(owner)):
            raise GreetingsUnavailable(f"The database of greetings: {reason}")

    def _refresh(self, owner: str) -> None:
        with self._database.open().connect() as db:
            current = tables.index_of(db, owner)
            for record in current.records:
                if not self._tree.has_files(owner, record):
                    self._fetch(db, owner, record)
        if self._local(owner) != current:
            self._tree.mirror(current)

    def _fetch(self, db: Connection, owner: str, record: Record) -> None:
        sound = tables.sound_of(db, owner, record)
        if sound is not None:
            self._tree.write(owner, record.generation, sound)

    def _local(self, owner: str) -> Index | None:
        try:
            return self._tree.index(owner)
        except BadIndex as error:
            log.warning("local copy of greetings made anew", reason=str(error))
            return None

    async def _in(self, threads: Executor, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(threads, work)
        except IntegrityError:
            raise
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
            raise GreetingsUnavailable(f"The database of greetings: {reason}") from error
        except OSError as error:
            where = error.filename or self._tree.root
            raise GreetingsUnavailable(f"{error.strerror or error}: {where}") from error
        except BadIndex as error:
            raise GreetingsUnavailable(str(error)) from error
