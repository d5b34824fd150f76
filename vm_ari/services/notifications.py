"""Users are told of new messages: each count is judged, and what is due is handed to the channels.

What a count has made due is on the disk before anybody is told, and is forgotten when every channel
has taken its notice. Whoever dies in between tells the same notice again after the start; channels
know it by its id, so that nobody is told twice.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from vm_ari.domain.messages import Counts
from vm_ari.domain.notifications import (
    Announcement,
    Channel,
    Notice,
    Outcome,
    Shown,
    State,
    Tally,
    Topic,
    Wishes,
    judge,
    lamp,
)
from vm_ari.domain.users import User
from vm_ari.ports import (
    Clock,
    Directory,
    DirectoryUnavailable,
    NoticeBook,
    NoticeBookUnavailable,
    NoticeNotKept,
    NoticeOutlet,
    NoticeRefused,
)

log = structlog.get_logger("vm_ari.notices")

PATIENCE = 3.0
"""Seconds that a lamp waits for the database."""
PAUSE = 10.0
"""Seconds without asking a database that did not answer."""
LOOK_EVERY = 5.0
"""Seconds: so late a lamp follows a reset by command."""
RETRY_EVERY = 30.0
AT_ONCE = 4
"""Mailboxes counted side by side after a reset."""
TAKE_OVER = timedelta(minutes=10)
"""After so long a controller tells what another one has left."""

Refresh = Callable[[User], Awaitable[None]]
"""Counts one mailbox anew and tells its phones (`LampKeeper.refresh`)."""
NameOfLamp = Callable[[User], Awaitable[str]]


def wishes_of(user: User) -> Mapping[Topic, Wishes]:
    """What that user wants to be told."""
    return {topic: Wishes(user.channels_for(topic), user.told_from(topic)) for topic in Topic}


async def mailbox_of(user: User) -> str:
    """Under which name the telephone knows its lamp, where only the setting tells."""
    return user.lamp_mailbox or user.mailbox


class Notifications:
    """*hears_deliveries*: a delivered message is in the mailbox when its delivery is reported."""

    def __init__(
        self,
        book: NoticeBook,
        outlets: Sequence[NoticeOutlet],
        directory: Directory,
        clock: Clock,
        *,
        node: str,
        refresh: Refresh,
        lamp_name: NameOfLamp = mailbox_of,
        hears_deliveries: bool = True,
    ) -> None:
        self.book = book
        self._outlets = {outlet.channel: outlet for outlet in outlets}
        self._directory = directory
        self._clock = clock
        self._node = node
        self._refresh = refresh
        self._lamp_name = lamp_name
        self._hears_deliveries = hears_deliveries
        self._turns = _Turns()
        self._spreading = _Turns()
        self._tasks: set[asyncio.Task[None]] = set()
        self._under_way: set[str] = set()
        self._missed: set[str] = set()
        """Users whose count could not be judged."""
        self._ask_again = 0.0

    # --- counts

    async def counted(
        self, user: User, counts: Counts, delivered: int = 0, returned: int = 0
    ) -> Shown:
        """Judge a count, set off what is due, and say what the lamp shows; never raises.

        *returned*: so many messages may be new again by their owner's hand.
        While the database does not answer the lamp follows the counts, and the rest comes later.
        """
        wishes = wishes_of(user)
        new = {Topic.VOICE: delivered} if delivered and self._hears_deliveries else {}
        async with self._turns.of(user.id):
            state = await self._judged(
                user, counts, lambda before: judge(before, counts, wishes, new, returned)
            )
        lit, old = lamp(state, counts, wishes)
        return Shown(await self._lamp_name(user), lit, old)

    async def _judged(
        self, user: User, counts: Counts, verdict: Callable[[State | None], Outcome]
    ) -> State | None:
        """What is remembered now; None where that is not known."""
        made: Announcement | None = None
        name = secrets.token_hex(12)
        at = self._clock.now().replace(microsecond=0)

        def decide(before: State | None) -> tuple[State, Announcement | None]:
            nonlocal made
            outcome = verdict(before)
            due = outcome.due
            made = Announcement(name, user.id, self._node, at, counts, due) if due else None
            return outcome.state, made

        if _loop_time() < self._ask_again:
            self._missed.add(user.id)
            return None
        try:
            async with asyncio.timeout(PATIENCE):
                state = await self.book.note(user.id, decide)
        except (NoticeBookUnavailable, TimeoutError) as error:
            self._away(user, error)
            return None
        except Exception:  # neither a call nor a lamp is hurt by it
            log.exception("count not judged", user=user.id)
            return None
        if made is not None:
            self._set_off(made, user)
        return state

    def _away(self, user: User, error: Exception) -> None:
        self._missed.add(user.id)
        self._ask_again = _loop_time() + PAUSE
        log.warning("nobody is told now", user=user.id, reason=str(error) or "slow")

    # --- telling

    def _set_off(self, announcement: Announcement, user: User | None) -> None:
        """Beside whoever counted."""
        if announcement.id in self._under_way:
            return
        self._under_way.add(announcement.id)
        task = asyncio.create_task(self._tell(announcement, user), name=f"notice {announcement.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self, announcement: Announcement, user: User | None) -> None:
        try:
            async with self._spreading.of(announcement.user_id):
                person = user or await self._directory.user_by_id(announcement.user_id)
                for channel in announcement.due:
                    await self._tell_by(channel, announcement, person)
        except (DirectoryUnavailable, NoticeBookUnavailable) as error:
            log.warning("notice waits", user=announcement.user_id, reason=str(error))
        except Exception:
            log.exception("notice waits", user=announcement.user_id)
        finally:
            self._under_way.discard(announcement.id)

    async def _tell_by(
        self, channel: Channel, announcement: Announcement, user: User | None
    ) -> None:
        """One notice; what cannot be kept now is tried again, the others go on."""
        line = log.bind(user=announcement.user_id, channel=channel.value, id=announcement.id)
        if reason := self.obstacle(user, channel):
            line.info("no notice", reason=reason)
        else:
            assert user is not None
            notice = announcement.notice(channel)
            try:
                await self.announce(user, channel, notice)
                line.info("notice", **{one.value: number for one, number in notice.topics.items()})
            except NoticeRefused as error:
                line.warning("no notice", reason=str(error))
            except NoticeNotKept as error:
                line.warning("notice waits", reason=str(error))
                return
        await self.book.taken(announcement.id, channel)

    def obstacle(self, user: User | None, channel: Channel) -> str:
        """Why nobody is told by that channel (NOTIFY-04); empty: nothing is in the way."""
        if user is None:
            return "there is no such user any more"
        if channel is Channel.LAMP:
            return "" if user.lamp_mailbox or user.mailbox else "no mailbox number"
        outlet = self._outlets.get(channel)
        return outlet.obstacle(user) if outlet else "not set up at this site"

    async def announce(self, user: User, channel: Channel, notice: Notice) -> None:
        """Hand a notice to a channel in whose way nothing is. Raises `NoticeNotKept`."""
        await self._outlets[channel].announce(user, notice)

    async def settle(self) -> None:
        """Wait for what counts have set off."""
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- what goes on by itself

    async def run(self) -> None:
        """Tell what was left, and let lamps follow resets, until cancelled."""
        mark: int | None = None
        retry_at = 0.0
        while True:
            try:
                if _loop_time() >= retry_at:
                    retry_at = _loop_time() + RETRY_EVERY
                    await self.tell_unfinished()
                mark = await self._follow_resets(mark)
                await self._recount_missed()
            except NoticeBookUnavailable as error:
                log.warning("notices wait", reason=str(error))
                await asyncio.sleep(PAUSE)
            except Exception:  # calls go on, whatever this is
                log.exception("notices wait")
                await asyncio.sleep(PAUSE)
            await asyncio.sleep(LOOK_EVERY)

    async def tell_unfinished(self) -> None:
        """What was kept and not taken by its channel. Raises `NoticeBookUnavailable`."""
        before = self._clock.now() - TAKE_OVER
        for announcement in await self.book.unfinished(self._node, before):
            self._set_off(announcement, None)

    async def _follow_resets(self, mark: int | None) -> int:
        now, changed = await self.book.changed_since(mark or 0)
        if mark is not None:  # at the start every lamp is told anyway
            await self._refresh_all(changed)
        return now

    async def _recount_missed(self) -> None:
        if self._missed and _loop_time() >= self._ask_again:
            missed, self._missed = self._missed, set()
            await self._refresh_all(missed)

    async def _refresh_all(self, user_ids: Collection[str]) -> None:
        """Who cannot be looked up now is tried again."""
        places, away = asyncio.Semaphore(AT_ONCE), set[str]()

        async def one(user_id: str) -> None:
            async with places:
                try:
                    user = await self._directory.user_by_id(user_id)
                except DirectoryUnavailable:
                    away.add(user_id)
                    return
                if user is not None:
                    await self._refresh(user)

        await asyncio.gather(*(one(user_id) for user_id in user_ids))
        if away:
            log.warning("lamps are told later: no directory answers", users=len(away))
            self._missed |= away

    # --- resets (NOTIFY-06)

    async def lamp_off(self, user: User) -> None:
        """The user's lamp is dark until something new comes. Raises `NoticeBookUnavailable`."""
        if not await self.book.change(Tally.switched_off, [user.id]):
            await self._refresh(user)  # nobody has counted yet: now somebody has
            await self.book.change(Tally.switched_off, [user.id])
        log.info("lamp switched off", user=user.id)
        await self._refresh(user)

    async def close(self) -> None:
        """Leave what is under way to the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class _Turns:
    """One at a time for each user, in the order in which they came."""

    def __init__(self) -> None:
        self._locks: dict[str, tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def of(self, user_id: str) -> AsyncIterator[None]:
        lock, waiting = self._locks.get(user_id, (asyncio.Lock(), 0))
        self._locks[user_id] = lock, waiting + 1
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._locks.pop(user_id)
            if waiting > 1:
                self._locks[user_id] = lock, waiting - 1


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
