"""The lamp follows the message store: whoever hears that a mailbox has changed has it counted.

A change is never believed, only counted anew. What cannot be counted is tried again until it can,
and its lamp stays as it is; so an unknown count is never shown as zero.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from vm_ari.domain.messages import Counts
from vm_ari.domain.users import User
from vm_ari.ports import Directory, DirectoryUnavailable
from vm_ari.services.lamps import LampKeeper
from vm_ari.services.recounts import Failed, Recounts

log = structlog.get_logger("vm_ari.watching")

_FIRST_RETRY, _LONGEST_RETRY = 1.0, 30.0
_STRETCH = 0.25
"""Share of a pause by which it is longer or shorter: servers come back, and not all rush there."""
_CALM = 60.0
"""Seconds at least between two rounds that nobody but a recovered store has asked for."""


@dataclass(frozen=True)
class Tempo:
    """How much is done at once, and how often; seconds."""

    at_once: int = 6
    """Mailboxes counted side by side."""
    behind: int = 4
    """Of these, for rounds: callers use the same connections."""
    apart: float = 0.3
    """Between two counts of one mailbox."""
    round: float = 900.0
    """So often everybody's mailbox is counted, whether anything was heard of it or not."""
    most_a_second: float = 25.0
    """Mailboxes counted in such a round: with very many it takes longer."""


USUAL = Tempo()


class Watcher(Protocol):
    """Somebody who hears of changes, and calls `Watch.changed`."""

    def meet(self, users: Sequence[User]) -> None:
        """These users there are now; called before they are counted, and not from a thread."""
        ...

    def counted(self, user: User, counts: Counts) -> None:
        """That mailbox was counted a moment ago."""
        ...


class Watch:
    """Everything that hears of changes tells it here; `run` does the counting."""

    def __init__(
        self,
        keeper: LampKeeper,
        directory: Directory,
        tempo: Tempo = USUAL,
        *,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._keeper = keeper
        self._directory = directory
        self._tempo = tempo
        self._chance = chance
        self._recounts = Recounts()
        self._failed = Failed()
        self._watchers: list[Watcher] = []
        self._work = asyncio.Event()
        self._retry = asyncio.Event()
        self._hurry = asyncio.Event()
        self._last_round = -_CALM
        self._was_connected = False
        self._soon: asyncio.TimerHandle | None = None
        self.watched = 0
        """Mailboxes of the latest round."""

    def tell(self, watcher: Watcher) -> None:
        """Have it hear of users and counts."""
        self._watchers.append(watcher)

    def changed(self, user_id: str, user: User | None = None) -> None:
        """Something happened in that mailbox: count it soon, and tell the phones. Returns at once.

        The first of many changes is counted at once, then every 0.3 s, and once after the last.
        *user*: where the directory has just been asked for him, to spare it asking again.
        """
        self._recounts.want(user_id, user)
        self._work.set()

    @property
    def uncounted(self) -> int:
        """Mailboxes that could not be counted when that was tried last."""
        return len(self._failed.all())

    def recount_all(self) -> None:
        """Nobody knows what happened: count every mailbox, as quickly as is good for callers."""
        self._hurry.set()

    def connected(self) -> None:
        """Asterisk was told again what we counted last, which may be old: others count, too.

        So everybody is counted anew, but for the first time, and once a minute at most.
        """
        if not self._was_connected:
            self._was_connected = True
        elif self._soon is None:
            loop = asyncio.get_running_loop()
            self._soon = loop.call_at(max(loop.time(), self._last_round + _CALM), self._count_anew)

    def _count_anew(self) -> None:
        self._soon = None
        self.recount_all()

    async def settled(self) -> None:
        """Wait until nothing is to be counted but what cannot be."""
        while self._hurry.is_set() or self._recounts.busy:
            await asyncio.sleep(self._tempo.apart / 4)

    async def run(self) -> None:
        """Count until cancelled; the first thing is everybody's mailbox."""
        self._hurry.set()
        async with asyncio.TaskGroup() as parts:
            parts.create_task(self._rounds(), name="rounds")
            parts.create_task(self._retries(), name="retries")
            for place in range(self._tempo.at_once):
                behind = place < self._tempo.behind
                parts.create_task(self._count_on(behind=behind), name=f"recounts {place}")

    # --- one mailbox

    async def _count_on(self, *, behind: bool) -> None:
        while True:
            if (user_id := self._recounts.take(behind=behind)) is None:
                self._work.clear()
                await self._work.wait()
                continue
            try:
                await self._recount(user_id)
            except Exception:  # one broken mailbox must not keep the others dark
                log.exception("lamp left as it is", user=user_id)
            self._recounts.rest(user_id)
            loop = asyncio.get_running_loop()
            loop.call_later(self._tempo.apart, self._rested, user_id)

    def _rested(self, user_id: str) -> None:
        self._recounts.rested(user_id)
        self._work.set()

    async def _recount(self, user_id: str) -> None:
        try:
            user = self._recounts.known(user_id) or await self._directory.user_by_id(user_id)
        except DirectoryUnavailable as error:
            log.warning("lamp left as it is", user=user_id, reason=str(error))
            self._fail(user_id)
            return
        if user is None:
            self._failed.forget(user_id)
            return
        counts = await self._keeper.recount(user, in_round=self._recounts.in_round(user_id))
        if counts is None:
            self._fail(user_id)
            return
        if self._failed.works(user_id):
            self._recovered()
        for watcher in self._watchers:
            watcher.counted(user, counts)

    # --- what cannot be counted now

    def _fail(self, user_id: str) -> None:
        self._failed.add(user_id)
        self._retry.set()

    def _recovered(self) -> None:
        """One that failed works: so may the others, and nobody knows what they missed."""
        for user_id in self._failed.all():
            self._recounts.want_behind(user_id)
        self._work.set()
        if asyncio.get_running_loop().time() - self._last_round > _CALM:
            log.info("message store works again: all lamps are looked at")
            self.recount_all()

    async def _retries(self) -> None:
        """A few of those that failed, less and less often: a store that is down has its peace."""
        pause = _FIRST_RETRY
        while True:
            self._retry.clear()
            if not self._failed:
                pause = _FIRST_RETRY
                await self._retry.wait()
            before = self._failed.recoveries
            await self._pause(pause)
            for user_id in self._failed.some():
                self.changed(user_id)
            recovered = self._failed.recoveries != before
            pause = _FIRST_RETRY if recovered else min(pause * 2, _LONGEST_RETRY)

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds * (1 + _STRETCH * (2 * self._chance() - 1)))

    # --- everybody's

    async def _rounds(self) -> None:
        while True:
            hurried = self._hurry.is_set()
            users = await self._everybody()
            self._hurry.clear()
            self.watched = len(users)
            self._last_round = asyncio.get_running_loop().time()
            for watcher in self._watchers:
                watcher.meet(users)
            ids = [user.id for user in users]
            if hurried:
                self._recounts.want_all(users)
            del users  # many thousands, for a quarter of an hour
            await (self._hurried_round(len(ids)) if hurried else self._round(ids))

    async def _everybody(self) -> Sequence[User]:
        """Asked for until the directory answers."""
        pause = _FIRST_RETRY
        while True:
            try:
                return await self._directory.all_users()
            except DirectoryUnavailable as error:
                log.warning("lamps left as they are", reason=str(error))
            except Exception:  # whatever it is: calls go on, and so does this
                log.exception("lamps left as they are")
            await self._pause(pause)
            pause = min(pause * 2, _LONGEST_RETRY)

    async def _hurried_round(self, mailboxes: int) -> None:
        """All at once; then it is quiet for as long as usual."""
        began = asyncio.get_running_loop().time()
        self._work.set()
        while self._recounts.behind and not self._hurry.is_set():
            await asyncio.sleep(self._tempo.apart)
        if not self._hurry.is_set():
            seconds = asyncio.get_running_loop().time() - began
            log.info("lamps refreshed", mailboxes=mailboxes, seconds=round(seconds, 1))
        await self._until_hurried(self._tempo.round)

    async def _round(self, user_ids: Sequence[str]) -> None:
        """Spread over its time; what waits longer than that is not asked for twice."""
        apart = max(self._tempo.round / max(len(user_ids), 1), 1 / self._tempo.most_a_second)
        if not user_ids:
            await self._until_hurried(self._tempo.round)
        for user_id in user_ids:
            if self._hurry.is_set():
                return
            self._recounts.want_behind(user_id)
            self._work.set()
            await self._until_hurried(apart)

    async def _until_hurried(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._hurry.wait()
        except TimeoutError:
            return
