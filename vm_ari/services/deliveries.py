"""The loop that brings what lies in the spool to the mailboxes, until it is there."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from traceback import extract_tb
from weakref import WeakValueDictionary

import structlog

from vm_ari.domain.callers import printable, tail
from vm_ari.domain.delivery import Attempts, Step, Verdict, after
from vm_ari.domain.messages import CallFacts, VoiceMessage
from vm_ari.domain.settings import Rules
from vm_ari.domain.users import User
from vm_ari.measures import DELIVERIES, DELIVERY
from vm_ari.ports import (
    Clock,
    Courier,
    DeliveryPostponed,
    DeliveryRefused,
    Directory,
    DirectoryUnavailable,
    MailboxUnavailable,
    MailNotQueued,
    Spool,
    SpoolFull,
)
from vm_ari.services.addressees import Addressees
from vm_ari.services.delivery_items import Item
from vm_ari.services.message_records import MessageRecords

log = structlog.get_logger("vm_ari.outbox")

LONGEST_NAP = 60.0
"""Seconds: the wall clock may jump, and another process may release a held message."""
READ_AGAIN = 5.0
"""Seconds until a disk is asked again that could not be read."""
SWEEP_EVERY = 3600.0
LAST_CHANCE = 10.0
"""Seconds that running deliveries get at shutdown."""
LONGEST_REASON = 200
MOST_JUST_OVER = 100

NOT_NOW = (DeliveryPostponed, MailboxUnavailable, DirectoryUnavailable, SpoolFull, MailNotQueued)

Refused = Callable[[VoiceMessage, str], Awaitable[None]]


class CannotLook(Exception):
    """Nobody can tell whether an earlier attempt arrived."""


@dataclass(frozen=True)
class Pace:
    """How hard the loop tries."""

    at_once: int = 8
    """Deliveries side by side."""
    settle: timedelta = timedelta(seconds=60)
    """After a crash a mail server may still be storing what it was given: look so much later."""


class Deliveries:
    """Tries what is due, some users side by side, one message per user at a time."""

    def __init__(
        self,
        *,
        spool: Spool,
        directory: Directory,
        courier: Courier,
        clock: Clock,
        rules: Rules,
        pace: Pace,
        on_delivered: Callable[[User], Awaitable[None]] | None,
        on_refused: Refused | None = None,
        on_sent: Callable[[VoiceMessage], Awaitable[None]] | None = None,
        records: MessageRecords | None = None,
    ) -> None:
        self._spool = spool
        self._courier = courier
        self._clock = clock
        self._addressees = Addressees(directory, rules)
        self._pace = pace
        self._on_delivered = on_delivered
        self._on_refused = on_refused
        self._on_sent = on_sent
        self._records = records
        self._queue: dict[str, Item] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._busy: set[str] = set()
        self._users: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._books = asyncio.Lock()
        """Disk and queue are read and changed together, or a finished item would come back."""
        self._stir = asyncio.Event()
        self._reread = True
        self._kept: list[VoiceMessage] = []
        """New ones that need not be looked for."""
        self._over: deque[str] = deque(maxlen=MOST_JUST_OVER)
        """Ids of what has left the queue."""

    def wake(self) -> None:
        """There is something new on the disk."""
        self._reread = True
        self._stir.set()

    def take(self, message: VoiceMessage) -> None:
        """It has just come to lie on the disk."""
        self._kept.append(message)
        self._stir.set()

    def waiting(self) -> Sequence[tuple[CallFacts, Attempts]]:
        """What is in the queue, with its history."""
        return [(item.message.facts, item.attempts) for item in self._queue.values()]

    async def run(self) -> None:
        """Deliver until cancelled; what is running then gets a last chance to end."""
        sweep_at = _loop_time()
        try:
            while True:
                self._stir.clear()
                readable = await self._read()
                if _loop_time() >= sweep_at:
                    sweep_at = _loop_time() + SWEEP_EVERY
                    await self._sweep()
                nap = self._start_what_is_due()
                await self._nap(nap if readable else min(nap, READ_AGAIN))
        finally:
            await self._last_chance()

    async def _nap(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stir.wait()
        except TimeoutError:
            self._reread = True

    async def _last_chance(self) -> None:
        if self._running:
            _, late = await asyncio.wait(list(self._running.values()), timeout=LAST_CHANCE)
            for task in late:
                task.cancel()

    async def _read(self) -> bool:
        """Bring the queue in line with the disk; the history of what is known stays as it is.

        False if the disk cannot be read.
        """
        readable, known = True, set(self._queue)
        async with self._books:
            if self._reread:
                readable = await self._look()
            self._add_kept()
            new = [item for key, item in self._queue.items() if key not in known]
        if self._records:
            for item in new:
                await self._records.found(item.message)
        return readable

    def _add_kept(self) -> None:
        """Somebody may have found one, and even delivered it, before we were told of it."""
        for message in self._kept:
            if message.facts.id not in self._over:
                item = Item(message, Attempts(), begun=False, seen=_loop_time())
                self._queue.setdefault(item.id, item)
        self._kept.clear()

    async def _look(self) -> bool:
        self._reread = False
        try:
            found = await self._spool.waiting()
        except SpoolFull as error:
            log.error("the spool cannot be read", reason=str(error))
            return False
        now, old = _loop_time(), self._queue
        items = (Item(message, attempts, begun, now) for message, attempts, begun in found)
        self._queue = {item.id: item.known_as(old.get(item.id)) for item in items}
        return True

    async def _sweep(self) -> None:
        try:
            await self._spool.sweep(self._clock.now())
        except SpoolFull as error:
            log.error("delivered recordings cannot be erased", reason=str(error))

    # -- choosing

    def _start_what_is_due(self) -> float:
        """Start what may be tried now, oldest first; seconds until something else may be."""
        nap = LONGEST_NAP
        for item in self._queue.values():
            if len(self._running) >= self._pace.at_once:
                break
            if item.for_whom in self._busy:
                continue
            if pause := self._pause(item):
                nap = min(nap, pause)
            else:
                self._start(item)
        return nap

    def _pause(self, item: Item) -> float:
        """Seconds until it may be tried, 0 for now."""
        settled = item.seen + self._pace.settle.total_seconds() if item.begun else 0.0
        pause, now = max(0.0, settled - _loop_time()), self._clock.now()
        if item.attempts.not_before is not None and not item.attempts.is_due(now):
            pause = max(pause, (item.attempts.not_before - now).total_seconds())
        return pause

    def _start(self, item: Item) -> None:
        self._busy.add(item.for_whom)
        self._running[item.id] = asyncio.create_task(self._deliver(item), name=f"to {item.id}")

    # -- delivering

    async def _deliver(self, item: Item) -> None:
        try:
            user, verdict, reason = await self._attempt(item)
            if verdict is Verdict.DELIVERED and item.message.facts.sending is not None:
                await self._tell_sender(item)
            await self._book(item, verdict, printable(reason, LONGEST_REASON))
            if verdict is Verdict.DELIVERED and user is not None and self._records:
                await self._records.delivered(item.message, user)
            if verdict is Verdict.DELIVERED and user is not None and item.for_colleague:
                await self._tell(user)
        finally:
            del self._running[item.id]
            self._busy.discard(item.for_whom)
            self._stir.set()

    async def _attempt(self, item: Item) -> tuple[User | None, Verdict, str]:
        user = None
        try:
            user = await self._addressees.of(item.message.facts)
            whose = user.id if item.for_colleague else item.for_whom
            async with self._users.setdefault(whose, asyncio.Lock()):
                await self._hand_over(item, user)
        except CannotLook as error:
            return user, Verdict.UNSURE, str(error)
        except NOT_NOW as error:
            return user, Verdict.LATER, str(error)
        except DeliveryRefused as error:
            return user, *await self._refused(item, str(error))
        except Exception as error:  # whatever breaks on this message must not stop the others
            return user, Verdict.FAULT, _place(error)
        return user, Verdict.DELIVERED, ""

    async def _refused(self, item: Item, reason: str) -> tuple[Verdict, str]:
        """Whoever has sent it is told before the item is put aside, or it is tried again."""
        if self._on_refused is not None and item.message.facts.sending is not None:
            try:
                await self._on_refused(item.message, printable(reason, LONGEST_REASON))
            except NOT_NOW as error:
                return Verdict.LATER, f"{reason}; the sender is not told yet: {error}"
            except Exception as error:  # it is put aside all the same
                log.error("sender not told", call=item.id, reason=_place(error))
        return Verdict.REFUSED, reason

    async def _hand_over(self, item: Item, user: User) -> None:
        """Until this returns without an error, the message is not there."""
        if item.delivered or await self._arrived(item, user):
            return
        await self._spool.mark_attempt(item.message)
        plain = item.attempts.plain_envelope
        await self._courier.deliver(item.message, user, plain=plain)

    async def _arrived(self, item: Item, user: User) -> bool:
        """Did an attempt arrive whose end we did not see? Raises CannotLook."""
        if not item.attempts.may_be_there(begun=item.begun):
            return False
        try:
            return await self._courier.has(item.message, user)
        except Exception as error:  # any reason is as good: the answer is missing
            reason = str(error) if isinstance(error, NOT_NOW) else _place(error)
            if not item.attempts.may_risk_a_copy:
                raise CannotLook(reason) from error
            log.warning("delivering without a look", call=item.id, reason=reason)
            return False

    async def _tell(self, user: User) -> None:
        if self._on_delivered is None:
            return
        try:
            await self._on_delivered(user)
        except Exception as error:  # a lamp must not stop deliveries
            log.error("after the delivery", user=user.id, reason=_place(error))

    async def _tell_sender(self, item: Item) -> None:
        """It is there, whatever becomes of the receipt."""
        if self._on_sent is None:
            return
        try:
            await self._on_sent(item.message)
        except Exception as error:
            log.error("no receipt", call=item.id, reason=_place(error))

    # -- book-keeping

    async def _book(self, item: Item, verdict: Verdict, reason: str) -> None:
        step, attempts = after(item.attempts, verdict, reason, self._clock.now())
        _report(item, step, verdict, attempts)
        DELIVERIES.add(verdict.value)
        if step is Step.DONE:
            DELIVERY.note((self._clock.now() - item.message.facts.started).total_seconds())
        async with self._books:
            try:
                await self._write(item, step, attempts)
            except SpoolFull as error:
                log.error("the spool does not take it", call=item.id, reason=str(error))
                _, attempts = after(item.attempts, Verdict.LATER, str(error), self._clock.now())
                self._queue[item.id] = replace(
                    item, attempts=attempts, delivered=step is Step.DONE, begun=False
                )

    async def _write(self, item: Item, step: Step, attempts: Attempts) -> None:
        match step:
            case Step.DONE:
                await self._spool.done(item.message)
                self._forget(item)
                self._reread |= item.message.facts.sending is not None  # there are its parts
            case Step.HOLD:
                await self._spool.hold(item.message, attempts)
                self._forget(item)
            case Step.WAIT:
                await self._spool.clear_attempt(item.message, attempts)
                self._queue[item.id] = replace(item, attempts=attempts, begun=False)

    def _forget(self, item: Item) -> None:
        self._queue.pop(item.id, None)
        self._over.append(item.id)


def _report(item: Item, step: Step, verdict: Verdict, attempts: Attempts) -> None:
    facts = item.message.facts
    line = log.bind(call=facts.id, called=tail(facts.called), tries=item.attempts.failed + 1)
    match step:
        case Step.DONE:
            line.info("delivered", seconds=round(item.message.seconds, 1))
        case Step.WAIT:
            until = str(attempts.not_before)
            level = line.error if verdict is Verdict.FAULT else line.warning
            level("not delivered yet", why=verdict.value, reason=attempts.last_error, until=until)
        case Step.HOLD:
            line.error("refused for good, held", reason=attempts.last_error)


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


def _place(error: BaseException) -> str:
    """Kind and place of a fault: its text could hold what was said or who called."""
    frames = extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return type(error).__name__ + where
