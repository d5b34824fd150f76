"""The last good answers of a directory, for the time when it does not answer (DIR-08)."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog

from vm_ari.adapters.directory_memory import DirectoryMemory, Item, Kind
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.pin import PinCheck
from vm_ari.domain.users import User
from vm_ari.ports import Clock, Directory, DirectoryUnavailable

log = structlog.get_logger("vm_ari.directory")

_REFRESH = 10
"""An answer is written anew when a tenth of its life is over."""


class CachedDirectory:
    """`ports.Directory` that answers from memory while the real one is down or slow.

    Whoever was looked up, and everybody after `all_users`, is remembered for *max_age*, sealed, on
    the disk. After *patience* seconds callers get the remembered answer. A PIN is never judged from
    memory: without the directory nobody logs in.
    """

    def __init__(
        self,
        directory: Directory,
        file: Path,
        keys: KeyRing,
        clock: Clock,
        *,
        max_age: timedelta = timedelta(days=1),
        patience: float = 1.5,
    ) -> None:
        self._directory = directory
        self._memory = DirectoryMemory(file, keys)
        self._clock = clock
        self._max_age = max_age.total_seconds()
        self._patience = patience
        self._written: dict[int, int] = {}
        self._asking: set[asyncio.Task[Any]] = set()
        self._down = False

    async def user_by_number(self, number: str) -> User | None:
        """See `Directory`."""
        item = Item(Kind.NUMBER, number)
        return await self._one(item, lambda: self._directory.user_by_number(number))

    async def user_by_id(self, user_id: str) -> User | None:
        """See `Directory`."""
        item = Item(Kind.ID, user_id)
        return await self._one(item, lambda: self._directory.user_by_id(user_id))

    async def all_users(self) -> Sequence[User]:
        """See `Directory`; from memory only, if all of them were told not too long ago."""
        try:
            users = await self._directory.all_users()
        except DirectoryUnavailable as error:
            remembered = await self._memory.recall_all(self._oldest())
            if remembered is None:
                raise
            self._note_failure(str(error))
            return remembered
        self._note_success()
        items = await asyncio.to_thread(_items_of, users)
        self._written = {hash(item): self._mark(user) for item, user in items.items()}
        self._memory.replace_all(items, self._now())
        return users

    async def check_pin(self, user_id: str, pin: str) -> PinCheck:
        """See `Directory`; never from memory."""
        return await self._directory.check_pin(user_id, pin)

    async def settle(self) -> None:
        """Wait until everything that was learnt is on the disk."""
        await asyncio.gather(*self._asking, return_exceptions=True)
        await self._memory.settle()

    async def close(self) -> None:
        """Write what is still to be written; the directory itself stays open."""
        await self.settle()
        await self._memory.close()

    async def _one(self, item: Item, ask: Callable[[], Awaitable[User | None]]) -> User | None:
        asking = asyncio.create_task(self._learn(item, ask))
        self._asking.add(asking)
        asking.add_done_callback(self._asked)
        await asyncio.wait({asking}, timeout=self._patience)
        reason = _failure(asking)
        if reason is None:
            return asking.result()
        remembered = await self._memory.recall(item, self._oldest())
        if remembered is None:
            return await asyncio.shield(asking)
        self._note_failure(reason)
        return remembered

    async def _learn(self, item: Item, ask: Callable[[], Awaitable[User | None]]) -> User | None:
        """Also when nobody waits for the answer any more."""
        user = await ask()
        self._note_success()
        if user is None:
            self._written.pop(hash(item), None)
            self._memory.forget(item)
        elif self._written.get(hash(item)) != self._mark(user):
            self._written[hash(item)] = self._mark(user)
            self._memory.remember({item: user, Item(Kind.ID, user.id): user}, self._now())
        return user

    def _mark(self, user: User) -> int:
        """Changes when the user does, and now and then, so that the written answer stays young."""
        return hash((user, int(self._now() * _REFRESH / self._max_age)))

    def _asked(self, task: asyncio.Task[Any]) -> None:
        self._asking.discard(task)
        if not task.cancelled():
            task.exception()  # told to the caller, if there still is one

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _oldest(self) -> float:
        return self._now() - self._max_age

    def _note_failure(self, reason: str) -> None:
        if not self._down:
            log.warning("users come from the cache: the directory is down", reason=reason)
        self._down = True

    def _note_success(self) -> None:
        if self._down:
            log.info("users come from the directory again")
        self._down = False


def _failure(asking: asyncio.Task[User | None]) -> str | None:
    """Why there is no answer; None if there is one, or an error of another kind."""
    if not asking.done():
        return "no answer in time"
    error = asking.exception()
    return str(error) if isinstance(error, DirectoryUnavailable) else None


def _items_of(users: Iterable[User]) -> dict[Item, User]:
    """Everything by which users are found; a number of several people is nobody's."""
    owners: dict[Item, set[User]] = defaultdict(set)
    for user in users:
        owners[Item(Kind.ID, user.id)].add(user)
        for number in {*user.numbers, user.mailbox} - {""}:
            owners[Item(Kind.NUMBER, number)].add(user)
    return {item: next(iter(found)) for item, found in owners.items() if len(found) == 1}
