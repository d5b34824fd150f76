"""The greetings of a single node: files that Asterisk plays (GREET-03)."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from vm_ari.adapters.audio_intake import AudioIntake
from vm_ari.adapters.greeting_index import BadIndex, Index, Record
from vm_ari.adapters.greeting_tree import GreetingTree, new_generation
from vm_ari.domain.greeting_ends import GreetingEnd
from vm_ari.domain.greetings import SITE, GlobalMode, Greeting, GreetingKey, Source
from vm_ari.ports import GreetingsUnavailable

READERS = 4

T = TypeVar("T")


class FileGreetings:
    """The port `Greetings` on files below *directory*; several processes may share it.

    Reading has threads of its own: a caller never waits for somebody who stores a greeting.
    """

    def __init__(self, directory: Path, *, intake: AudioIntake | None = None) -> None:
        self._tree = GreetingTree(directory)
        self._intake = intake or AudioIntake()
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="greetings")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="keep-greeting")

    async def of(self, owner: str) -> Mapping[GreetingKey, Greeting]:
        """See `Greetings`."""
        return await self._run(self._readers, lambda: self._tree.greetings(owner))

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

        def store() -> Greeting:
            self._tree.write(key.owner, name, sound)
            self._tree.change(key.owner, lambda index: with_record(index, record))
            return record.greeting(key.owner, self._tree.folder(key.owner))

        return await self._run(self._writer, store)

    async def set_expiry(self, key: GreetingKey, expires: datetime | None) -> Greeting | None:
        """See `Greetings`."""

        def change(index: Index) -> Index:
            found = index.find(key)
            return with_record(index, replace(found, expires=expires)) if found else index

        _, after = await self._change(key.owner, change)
        found = after.find(key)
        return found.greeting(key.owner, self._tree.folder(key.owner)) if found else None

    async def delete(self, key: GreetingKey) -> bool:
        """See `Greetings`."""
        before, after = await self._change(key.owner, lambda index: without(index, key))
        return before != after

    async def delete_all(self, owner: str) -> int:
        """See `Greetings`."""
        before, _ = await self._change(owner, lambda index: replace(index, records=()))
        return len(before.records)

    async def for_callers(self, owner: str) -> tuple[Mapping[GreetingKey, Greeting], GlobalMode]:
        """See `Greetings`."""
        return await self._run(self._readers, lambda: self._tree.for_callers(owner))

    async def global_mode(self) -> GlobalMode:
        """See `Greetings`."""
        return await self._run(self._readers, lambda: self._tree.index(SITE).mode)

    async def set_global_mode(self, mode: GlobalMode) -> None:
        """See `Greetings`."""
        await self._change(SITE, lambda index: replace(index, mode=mode))

    async def ending(
        self, owners: Collection[str], after: datetime, until: datetime
    ) -> Sequence[GreetingEnd]:
        """See `Greetings`."""

        def found() -> list[GreetingEnd]:
            whose = frozenset(owners)
            return [
                one
                for one in self._tree.endings()
                if after < one.at <= until and one.key.owner in whose
            ]

        return await self._run(self._readers, found)

    async def sweep(self) -> None:
        """Erase what a crash left behind, or nobody hears any more. Raises as all the others."""
        await self._run(self._writer, self._tree.sweep)

    async def close(self) -> None:
        """Let what is being stored be finished."""
        await asyncio.to_thread(self._writer.shutdown)
        self._readers.shutdown(wait=False)

    async def _change(self, owner: str, change: Callable[[Index], Index]) -> tuple[Index, Index]:
        return await self._run(self._writer, lambda: self._tree.change(owner, change))

    async def _run(self, threads: Executor, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(threads, work)
        except OSError as error:
            where = error.filename or self._tree.root
            raise GreetingsUnavailable(f"{error.strerror or error}: {where}") from error
        except BadIndex as error:
            raise GreetingsUnavailable(str(error)) from error


def with_record(index: Index, record: Record) -> Index:
    """The same with that greeting, in place of an older one; in the order of slots."""
    others = without(index, record.key(index.owner)).records
    ordered = sorted((*others, record), key=lambda one: (one.slot, one.language))
    return replace(index, records=tuple(ordered))


def without(index: Index, key: GreetingKey) -> Index:
    """The same without that greeting."""
    kept = tuple(one for one in index.records if one.key(index.owner) != key)
    return replace(index, records=kept)
