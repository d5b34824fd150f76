"""The last good answers of a directory, for the time when it does not answer (DIR-08)."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog

from vm_ari.adapters.directory_memory import DirectoryMemory, Item, Kind
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.login_state import Decide, LoginChange, LoginState
from vm_ari.domain.pin import PinCheck
from vm_ari.domain.users import User
from vm_ari.ports import CallDirectory, Clock, DirectoryUnavailable

log = structlog.get_logger("vm_ari.directory")

_TRY_AGAIN = 60.0
"""Seconds until everybody is asked for again, where that failed."""
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
        directory: CallDirectory,
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
            return await self.refresh()
        except DirectoryUnavailable as error:
            remembered = await self._memory.recall_all(self._oldest())
            if remembered is None:
                raise
            self._note_failure(str(error))
            return remembered

    async def refresh(self) -> Sequence[User]:
        """Everybody, as the directory says now; remembered. Raises `DirectoryUnavailable`."""
        users = await self._directory.all_users()
        self._note_success()
        items = await asyncio.to_thread(_items_of, users)
        self._written = {hash(item): self._mark(user) for item, user in items.items()}
        self._memory.replace_all(items, self._now())
        return users

    async def keep_fresh(self) -> None:
        """Ask for everybody now and then, for ever: also who is seldom called is remembered."""
        while True:
            try:
                count = len(await self.refresh())
            except DirectoryUnavailable as error:
                log.warning("not everybody is remembered for an outage", reason=str(error))
                await asyncio.sleep(min(_TRY_AGAIN, self._max_age / _REFRESH))
            except Exception:  # calls go on, whatever this is
                log.exception("not everybody is remembered for an outage")
                await asyncio.sleep(self._max_age / _REFRESH)
            else:
                log.info("everybody is remembered for an outage", users=count)
                await asyncio.sleep(self._max_age / _REFRESH)

    async def check_pin(self, user_id: str, pin: str) -> PinCheck:
        """See `Directory`; never from memory."""
        return await self._directory.check_pin(user_id, pin)

    async def login_state(self, user_id: str) -> LoginState:
        """See `LoginRecords`; never from memory."""
        return await self._directory.login_state(user_id)

    async def change_login(self, user_id: str, decide: Decide) -> LoginChange:
        """See `LoginRecords`; nothing of it is remembered here."""
        return await self._directory.change_login(user_id, decide)

    async def change_settings(self, user_id: str, new: Mapping[str, str | None]) -> None:
        """See `SettingsStore`; never in memory alone."""
        await self._directory.change_settings(user_id, new)
        await self._learn_anew(user_id)

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

    async def _learn_anew(self, user_id: str) -> None:
        """What was remembered of a user is out of date: better nobody than a wrong destination."""
        await self._memory.settle()
        old = await self._memory.recall(Item(Kind.ID, user_id), self._oldest())
        found = [item for item in _items_of([old] if old else ()) if await self._is_of(item, old)]
        try:
            user = await self._directory.user_by_id(user_id)
        except DirectoryUnavailable:
            user = None
        for item in found:
            if user is None:
                self._written.pop(hash(item), None)
                self._memory.forget(item)
            else:
                self._written[hash(item)] = self._mark(user)
        if user is not None:
            self._memory.remember(dict.fromkeys(found, user), self._now())

    async def _is_of(self, item: Item, user: User | None) -> bool:
        remembered = await self._memory.recall(item, self._oldest())
        return remembered is not None and user is not None and remembered.id == user.id

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
