"""The mass reset: one change for each user, noted before and after, many at a time (WELCOME-06)."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vm_ari.domain.directory_text import Unstorable
from vm_ari.domain.entries import Entry
from vm_ari.domain.login_state import WELCOME_DUE, LoginState, state_of
from vm_ari.domain.mass_reset import Item, JournalUnusable, Order, Outcome
from vm_ari.domain.pin import is_locked
from vm_ari.ports import (
    Clock,
    Directory,
    DirectoryReadOnly,
    DirectoryUnavailable,
    LoginRecords,
    MailNotQueued,
    UnknownUser,
)
from vm_ari.services.welcome import Outcome as Sent
from vm_ari.services.welcome import WelcomeMails

AT_ONCE = 8
"""Users who are changed at the same time: more only wait for each other in the directory."""
PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0, 5.0, 5.0)
"""Seconds before one user is tried again: as long as a directory server takes to start anew."""
_TRIES = 3
"""For a user who cannot be changed while the directory answers."""
_OUTAGE = 3 * AT_ONCE
"""So many users in a row, of whom the directory takes nothing: nobody waits for the others."""


class Journal(Protocol):
    """Where tries are noted: on the disk when it returns. Raises `JournalUnusable`."""

    async def begin(self, user: str, at: datetime) -> None:
        """A try begins."""
        ...

    async def end(
        self, user: str, outcome: Outcome, reason: str = "", *, unsure: bool = False
    ) -> None:
        """It has ended; *unsure*: it failed, and may have changed something all the same."""
        ...


Post = Callable[[str], Awaitable[None]]
"""Sends the welcome mail of the user of that id, which is due.

Raises `MailNotQueued`, `DirectoryUnavailable`, `UnknownUser`.
"""


@dataclass(frozen=True)
class Preview:
    """Who is meant, before anything is changed."""

    users: tuple[str, ...]
    """Their ids."""
    unchanged: frozenset[str]
    """For whom there is nothing to do."""
    locked: int
    without_pin: int
    due: int
    """Whose welcome mail is waiting already."""


def preview(entries: Sequence[Entry], order: Order, allowed_failures: int) -> Preview:
    """What the order means for them."""
    states = {entry.id: state_of(entry) for entry in entries}
    return Preview(
        users=tuple(states),
        unchanged=frozenset(user for user, state in states.items() if _is_so(state, order)),
        locked=sum(is_locked(state.failures, allowed_failures) for state in states.values()),
        without_pin=sum(not state.has_pin for state in states.values()),
        due=sum(state.welcome == WELCOME_DUE for state in states.values()),
    )


def _is_so(state: LoginState, order: Order) -> bool:
    return not order.now and order.applied(state) == state


def sending(mails: WelcomeMails, directory: Directory) -> Post:
    """Sends by the service of welcome mails: durably queued when it returns."""

    async def send(user_id: str) -> None:
        user = await directory.user_by_id(user_id)
        if user is None:
            raise UnknownUser(f"There is no user {user_id}.")
        outcome = await mails.send(user)
        if outcome not in {Sent.QUEUED, Sent.NOT_DUE}:  # a call may have been faster
            raise MailNotQueued(f"The mail does not leave now: {outcome.value}.")

    return send


class MassReset:
    """One run over the users whom a journal leaves to do.

    *per_minute* 0: as fast as the directory takes it. *post*: for an order that mails at once.
    """

    def __init__(
        self,
        logins: LoginRecords,
        journal: Journal,
        order: Order,
        clock: Clock,
        *,
        post: Post | None = None,
        per_minute: int = 0,
        at_once: int = AT_ONCE,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self._logins = logins
        self._journal = journal
        self._order = order
        self._clock = clock
        self._post = post
        self._turns = _Turns(60 / per_minute if per_minute else 0.0)
        self._at_once = at_once
        self._pauses = pauses
        self._stop = asyncio.Event()
        self._trouble: Exception | None = None
        self._failures_in_a_row = 0

    def stop(self) -> None:
        """Begin no more users; those who are being changed are finished."""
        self._stop.set()

    async def run(
        self, items: Sequence[Item], progress: Callable[[int], None] = lambda _done: None
    ) -> None:
        """Work until all are done, or `stop`; *progress* hears how many have ended.

        Raises `DirectoryUnavailable` when the directory is away, and `JournalUnusable`: then, too,
        no more users are begun, and the others stay open.
        """
        todo = iter([item for item in items if not item.is_finished])
        async with asyncio.TaskGroup() as workers:
            for number in range(self._at_once):
                workers.create_task(self._work(todo, progress), name=f"reset {number}")
        if self._trouble:
            raise self._trouble

    async def _work(self, todo: Iterator[Item], progress: Callable[[int], None]) -> None:
        """One of those who work side by side."""
        try:
            for item in todo:
                await self._rest(self._turns.seconds_to_mine())
                if self._stop.is_set():
                    return
                await self._reset(item)
                progress(1)
        except (DirectoryUnavailable, JournalUnusable) as error:
            self._trouble = self._trouble or error
            self.stop()

    async def _reset(self, item: Item) -> None:
        """One user, from the line before to the line after."""
        now = self._clock.now()
        await self._journal.begin(item.user, now)
        attempt = _Attempt(item.user, item.begun)
        try:
            outcome = await self._persist(attempt, now)
        except (UnknownUser, Unstorable, DirectoryReadOnly, MailNotQueued) as why:
            await self._fail(attempt, str(why))
        except DirectoryUnavailable as why:
            if self._stop.is_set():
                return  # its end is not known, and the journal says so
            if not await self._answers(item.user):
                raise
            await self._fail(attempt, str(why))
            self._failures_in_a_row += 1
            if self._failures_in_a_row >= _OUTAGE:
                raise
        else:
            self._failures_in_a_row = 0
            await self._journal.end(item.user, outcome)

    async def _persist(self, attempt: "_Attempt", now: datetime) -> Outcome:
        """Try it several times; an answer that was lost may have been a yes."""
        for tries, pause in enumerate(self._pauses, start=1):
            try:
                return await self._try(attempt)
            except DirectoryUnavailable:
                attempt.since = attempt.since or now
                if tries >= _TRIES and await self._answers(attempt.user):
                    raise
            await self._rest(pause)
            if self._stop.is_set():
                break
        return await self._try(attempt)

    async def _try(self, attempt: "_Attempt") -> Outcome:
        order, since = self._order, attempt.since

        def decide(state: LoginState) -> LoginState:
            return order.applied(state) if since is None else order.again(state, since)

        before, after = await self._logins.change_login(attempt.user, decide)
        if order.now and self._post and after.welcome == WELCOME_DUE:
            attempt.since = since or self._clock.now()
            await self._post(attempt.user)
        elif before == after and since is None:
            return Outcome.UNCHANGED
        return Outcome.DONE

    async def _answers(self, user: str) -> bool:
        """Does the directory work, so that it is this one user who cannot be changed?"""
        with suppress(UnknownUser):
            try:
                await self._logins.login_state(user)
            except DirectoryUnavailable:
                return False
        return True

    async def _fail(self, attempt: "_Attempt", why: str) -> None:
        unsure = attempt.since is not None
        await self._journal.end(attempt.user, Outcome.FAILED, why, unsure=unsure)

    async def _rest(self, seconds: float) -> None:
        """A pause that ends at once when no more shall be begun."""
        if seconds > 0:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), seconds)


@dataclass
class _Attempt:
    """What is known of the user who is being changed."""

    user: str
    since: datetime | None
    """From then on a try may have reached the directory without our knowing."""


class _Turns:
    """Spreads the beginnings evenly; *interval* in seconds."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._next = 0.0

    def seconds_to_mine(self) -> float:
        """How long to wait before the next user is begun."""
        now = asyncio.get_running_loop().time()
        mine = max(self._next, now)
        self._next = mine + self._interval
        return mine - now
