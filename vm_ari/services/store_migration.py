"""Moving messages from one store to the other, each exactly once (STORE-04).

A message is first copied, whole and durably, and only then taken away where it was. The journal
knows before each copy that it begins, and after it that it is there; what a run that was killed
has done in between is found in the new store by Message-ID and content.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

from vm_ari.domain.store_moving import Carried, Fate, NotTaken, Place, Spot, StoreAway, Tally
from vm_ari.domain.users import User
from vm_ari.ports import MailboxUnavailable, MessageGone

AT_ONCE = 4
"""Users moved side by side."""
PAUSES = (1.0, 2.0, 5.0, 10.0)
"""Seconds before a user is tried again when a store does not answer: as a restart takes."""
_OUTAGE = 3
"""So many users in a row for whom a store was away: nobody waits for thousands of them."""


class Holdings(Protocol):
    """What one user has in one store. Every method raises `StoreAway`, `MailboxUnavailable`."""

    async def spots(self) -> Sequence[Spot]:
        """All messages that can move, but those marked as deleted; makes nothing."""
        ...

    async def read(self, spot: Spot) -> Carried:
        """The whole message. Raises `MessageGone`."""
        ...

    async def remove(self, spot: Spot) -> None:
        """Take it away for good; harmless where it is gone."""
        ...

    async def holds(self, message: Carried, place: Place, since: str = "") -> bool:
        """Is it here: in that folder, the INBOX or among the deleted ones? Makes nothing.

        *since*, of `stand`: whatever came to the folder later under its Message-ID is it, too,
        for some servers rewrite what they are given.
        """
        ...

    async def stand(self, place: Place) -> str:
        """How far the folder has come; it is made when it is not there."""
        ...

    async def keep(self, message: Carried, place: Place) -> None:
        """Durably there when it returns. Raises `NotTaken`."""
        ...


class StoreSide(Protocol):
    """One of the stores, as messages move into it or out of it."""

    def open(self, user: User) -> AbstractAsyncContextManager[Holdings]:
        """Raises `StoreAway`, `MailboxUnavailable`."""
        ...


class Journal(Protocol):
    """What has been done: on the disk when a method returns. Raises `MigrationUnusable`."""

    def sent(self, user: str, spot: str) -> str | None:
        """How far the folder had come before a copy whose end nobody has seen."""
        ...

    def held(self, user: str) -> Mapping[str, bool]:
        """Spots whose messages are at the new place; True: by this migration."""
        ...

    async def note_sent(self, user: str, spot: str, stand: str) -> None:
        """A copy begins."""
        ...

    async def note_held(self, user: str, spot: str, *, ours: bool) -> None:
        """It is at the new place; *ours*: by this migration."""
        ...

    async def note_end(self, tally: Tally) -> None:
        """All that could be done for a user was done."""
        ...


@dataclass
class Migration:
    """From one store to the other; with a *journal* of None it is only looked."""

    source: StoreSide
    target: StoreSide
    journal: Journal | None
    remove: bool = False
    """Take messages away where they were."""
    at_once: int = AT_ONCE
    pauses: Sequence[float] = PAUSES
    _stopped: bool = field(default=False, init=False)
    _away: int = field(default=0, init=False)

    @property
    def stopped(self) -> bool:
        """Was it asked to stop?"""
        return self._stopped

    def stop(self) -> None:
        """Nothing new is begun; the messages under way are finished."""
        self._stopped = True

    async def run(self, users: Sequence[User], ended: Callable[[Tally], None]) -> None:
        """Move the messages of *users*; *ended* hears of each. Raises `MigrationUnusable`."""
        places = asyncio.Semaphore(self.at_once)

        async def one(user: User) -> None:
            async with places:
                if not self._stopped:
                    ended(await self._move(user))

        try:
            async with asyncio.TaskGroup() as group:
                for user in users:
                    group.create_task(one(user))
        except ExceptionGroup as errors:  # of a kind: tell the first
            raise errors.exceptions[0] from None

    async def _move(self, user: User) -> Tally:
        """As often as needed while a store is away for a moment; the end is noted."""
        tally = Tally(user.id)
        for pause in (*self.pauses, None):
            move = _Move(self, user)
            try:
                tally = await move.run()
                self._away = 0
                break
            except StoreAway as error:
                tally = move.cut_short(str(error))
                if pause is None or self._away >= _OUTAGE or self.stopped:
                    self._away += 1
                    break
                await asyncio.sleep(pause)
            except MailboxUnavailable as error:
                tally = move.cut_short(str(error))
                break
        if self.journal and tally.fate is not Fate.OPEN:
            await self.journal.note_end(tally)
        return tally


class _Move:
    """One user's messages, from one store to the other."""

    def __init__(self, order: Migration, user: User) -> None:
        self._order = order
        self._user = user
        self._tally = Tally(user.id)

    async def run(self) -> Tally:
        """What became of them. Raises `StoreAway`, `MailboxUnavailable`."""
        async with self._order.source.open(self._user) as source:
            spots = await source.spots()
            self._count_earlier(spots)
            if spots:
                async with self._order.target.open(self._user) as target:
                    await self._each(spots, source, target)
            if self._order.stopped:
                return self._tally
        fate = Fate.FAILED if self._tally.failed else Fate.DONE
        return replace(self._tally, fate=fate)

    async def _each(self, spots: Sequence[Spot], source: Holdings, target: Holdings) -> None:
        for spot in spots:
            if self._order.stopped:
                return
            with self._failures():
                await self._one(spot, source, target)

    def cut_short(self, reason: str) -> Tally:
        """Nothing more can be done: what was not moved has failed."""
        now = self._tally
        failed = now.failed + now.waiting
        return replace(now, fate=Fate.FAILED, failed=failed, reason=reason)

    def _count_earlier(self, spots: Sequence[Spot]) -> None:
        """What earlier runs of this migration have taken away is part of it, too."""
        listed = {spot.text for spot in spots}
        moved = [ours for spot, ours in self._held().items() if spot not in listed]
        self._tally = Tally(
            self._user.id,
            found=len(listed) + len(moved),
            copied=sum(moved),
            there=len(moved) - sum(moved),
            removed=len(moved) if self._order.remove else 0,
        )

    def _held(self) -> Mapping[str, bool]:
        return self._order.journal.held(self._user.id) if self._order.journal else {}

    def _add(self, what: str) -> None:
        self._tally = replace(self._tally, **{what: getattr(self._tally, what) + 1})

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except MessageGone:
            self._add("gone")
        except NotTaken as error:
            self._add("failed")
            self._tally = replace(self._tally, reason=self._tally.reason or str(error))

    async def _one(self, spot: Spot, source: Holdings, target: Holdings) -> None:
        known = self._held().get(spot.text)
        if known is not None and not self._order.remove:
            self._add("copied" if known else "there")
            return
        message = await source.read(spot)
        ours = await self._copied(message, spot, target, known)
        if ours is None:  # its owner has taken it away there: here it stays
            self._add("copied" if known else "there")
            return
        self._add("copied" if ours else "there")
        if self._order.remove and self._order.journal:
            await source.remove(spot)
            self._add("removed")

    async def _copied(
        self, message: Carried, spot: Spot, target: Holdings, known: bool | None
    ) -> bool | None:
        """See that it is at the new place. True: by this migration; None: it was, once."""
        journal = self._order.journal
        since = journal.sent(self._user.id, spot.text) if journal else None
        if await target.holds(message, spot.place, since or ""):
            ours = since is not None if known is None else known
        elif known is not None:
            return None
        else:
            ours = True
            if journal:
                await journal.note_sent(self._user.id, spot.text, await target.stand(spot.place))
                await target.keep(message, spot.place)
        if journal and known is None:
            await journal.note_held(self._user.id, spot.text, ours=ours)
        return ours


async def spots_of(side: StoreSide, user: User) -> Sequence[Spot]:
    """What a user has in a store. Raises `StoreAway`, `MailboxUnavailable`."""
    async with side.open(user) as holdings:
        return await holdings.spots()
