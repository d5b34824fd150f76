"""Notices of new messages: kept durably, and sent until they are there (NOTIFY-03)."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from traceback import extract_tb
from typing import Protocol

import structlog

from vm_ari.domain.callers import printable
from vm_ari.domain.delivery import Attempts
from vm_ari.domain.notice_jobs import (
    Fate,
    Lane,
    Later,
    NoticeJob,
    Over,
    Pace,
    Refused,
    after_failure,
    begun,
    has_ended,
    is_due,
    job_id,
    put_off,
)
from vm_ari.domain.notifications import Channel
from vm_ari.measures import NOTICES
from vm_ari.ports import Clock, DeliveryPostponed, DeliveryRefused, NoticeJobs, NoticeNotKept

log = structlog.get_logger("vm_ari.notices")

LOOK_AGAIN = 5.0
"""Seconds: a command may have released one."""
BREATHE = timedelta(minutes=1)
"""So long a channel rests after several failures in a row: the other side is down."""
IN_A_ROW = 3
SWEEP_EVERY = 3600.0
LONGEST_REASON = 200
LEAST = timedelta(microseconds=1)
CROWD = 100_000
"""So many jobs that wait would be looked at once in a second, to leave time for calls."""
NEWER = Over("there is a newer one")


class Way(Protocol):
    """Sends the jobs of one channel."""

    @property
    def channel(self) -> Channel:
        """Which one it is."""
        ...

    @property
    def pace(self) -> Pace:
        """How it is tried."""
        ...

    async def hindrance(self, job: NoticeJob) -> Fate | None:
        """What keeps it from being tried at all now; that does not count as a try."""
        ...

    async def send(self, job: NoticeJob) -> Fate:
        """Try once. May also raise `DeliveryPostponed`, `DeliveryRefused`."""
        ...


class NoticeSending:
    """Keeps jobs, and sends them as long as it runs; each user's in their order."""

    def __init__(
        self, jobs: NoticeJobs, clock: Clock, *, luck: Callable[[], float] = random.random
    ) -> None:
        self.jobs = jobs
        self._clock = clock
        self._luck = luck
        self._ways: dict[Channel, Way] = {}
        self._known: dict[str, tuple[NoticeJob, Attempts]] | None = None
        """What waits, by id; None: nobody has looked yet."""
        self._there: set[str] = set()
        """Jobs that are done, but the disk would not take the news."""
        self._busy: dict[tuple[Channel, str], str] = {}
        """By channel and user: the job that is tried just now."""
        self._failures: Counter[Channel] = Counter()
        self._rests: dict[Channel, datetime] = {}
        self._latest = clock.now() - LEAST
        self._stir = asyncio.Event()
        self._keeping = asyncio.Lock()
        self._sweep_at = 0.0

    def serve(self, way: Way) -> None:
        """From now on the jobs of its channel are sent so."""
        self._ways[way.channel] = way

    async def keep(
        self, channel: Channel, user_id: str, occasion: str, content: Mapping[str, str]
    ) -> None:
        """Durable when this returns. The same occasion is kept once. Raises `NoticeNotKept`."""
        own_id = job_id(channel, user_id, occasion)
        async with self._keeping:
            await self._keep(NoticeJob(own_id, channel, user_id, self._moment(), content))

    async def _keep(self, job: NoticeJob) -> None:
        known = await self._look() if self._known is None else self._known
        if job.id in known:
            return
        lane, others = self._ways[job.channel].pace.lane, self._others(job)
        if lane is Lane.FIRST and others:
            await self.jobs.over(job.id)
            return
        if not await self.jobs.add(job):
            return
        known[job.id] = (job, Attempts())
        for other in others if lane is Lane.LATEST else ():
            if other.id not in self._busy.values():
                await self._end(other, NEWER)
        self._stir.set()

    async def run(self) -> None:
        """Send until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._stir.clear()
                try:
                    await self._tidy()
                    for job in self._due(await self._look()):
                        self._busy[job.channel, job.user_id] = job.id
                        group.create_task(self._work(job))
                    pause = LOOK_AGAIN
                except NoticeNotKept as error:
                    log.error("the queue of notices cannot be used", reason=str(error))
                    pause = BREATHE.total_seconds()
                except Exception as error:  # calls go on, whatever this is
                    log.error("no notices are sent", why=_place(error))
                    pause = BREATHE.total_seconds()
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._stir.wait()
                await asyncio.sleep(min(len(self._known or ()) / CROWD, 1.0))

    # --- what there is

    async def _look(self) -> dict[str, tuple[NoticeJob, Attempts]]:
        """What waits; others may have put something there, or taken it away."""
        known = {} if self._known is None else self._known
        before = set(known)
        names = set(await self.jobs.waiting())
        for name in before - names:
            known.pop(name, None)
        for name in names - before:
            if (kept := await self.jobs.read(name)) and name not in known:
                known[name] = kept
        self._known = known
        return known

    def _others(self, job: NoticeJob) -> list[NoticeJob]:
        """Of the same user and channel."""
        lane = (job.channel, job.user_id)
        return [
            other
            for other, _ in (self._known or {}).values()
            if (other.channel, other.user_id) == lane and other.id != job.id
        ]

    def _due(self, known: Mapping[str, tuple[NoticeJob, Attempts]]) -> Iterator[NoticeJob]:
        """The first job of each user and channel, if it may be tried now."""
        now = self._clock.now()
        places = {one: way.pace.at_once for one, way in self._ways.items() if self._is_up(one, now)}
        for channel, _ in self._busy:
            places[channel] = places.get(channel, 0) - 1
        seen = set(self._busy)
        for job, history in sorted(known.values(), key=lambda kept: kept[0].made):
            lane = (job.channel, job.user_id)
            if lane in seen:
                continue
            seen.add(lane)
            if places.get(job.channel, 0) > 0 and is_due(history, now):
                places[job.channel] -= 1
                yield job

    def _is_up(self, channel: Channel, now: datetime) -> bool:
        rest = self._rests.get(channel)
        return rest is None or not now < rest <= now + BREATHE

    def _moment(self) -> datetime:
        """Later than every one before: the order of jobs is that of their times."""
        self._latest = max(self._clock.now(), self._latest + LEAST)
        return self._latest

    async def _tidy(self) -> None:
        if (now := asyncio.get_running_loop().time()) >= self._sweep_at:
            self._sweep_at = now + SWEEP_EVERY
            await self.jobs.sweep()

    # --- one job

    async def _work(self, job: NoticeJob) -> None:
        """Whatever happens to this one, the others go on."""
        try:
            await self._try(job)
        except NoticeNotKept as error:
            log.error("the queue of notices cannot be used", reason=str(error))
            self._rest(job.channel)
        except Exception as error:
            log.error("a notice cannot be sent", id=job.id, why=_place(error))
            self._rest(job.channel)
        finally:
            self._busy.pop((job.channel, job.user_id), None)
            self._stir.set()

    async def _try(self, job: NoticeJob) -> None:
        way, history = self._ways[job.channel], self._history(job)
        if job.id in self._there:
            await self._end(job, Over())
            return
        if has_ended(job, history, way.pace, self._clock.now()):
            await self._give_up(job, history, way.pace)
            return
        match await _guarded(way.hindrance(job)):
            case None:
                await self._send(job, history, way)
            case Later() as fate:
                await self._wait(job, put_off(history, fate, way.pace, self._clock.now()))
            case fate:
                await self._conclude(job, history, fate)

    async def _send(self, job: NoticeJob, history: Attempts, way: Way) -> None:
        if way.pace.counted_first:
            history = begun(history, way.pace, self._clock.now())
            await self._wait(job, history, told=False)
        match await _guarded(way.send(job)):
            case Later() as fate:
                self._count_failure(job.channel, fate)
                now = self._clock.now()
                history = after_failure(history, fate, way.pace, now, luck=self._luck())
                if has_ended(job, history, way.pace, now):
                    await self._give_up(job, history, way.pace)
                elif way.pace.lane is Lane.LATEST and self._others(job):
                    await self._end(job, NEWER)
                else:
                    await self._wait(job, history)
            case (Over() | Refused()) as fate:
                self._failures[job.channel] = 0
                await self._conclude(job, history, fate)
            case None:
                raise TypeError("a try has no fate")

    def _history(self, job: NoticeJob) -> Attempts:
        return (self._known or {}).get(job.id, (job, Attempts()))[1]

    def _count_failure(self, channel: Channel, fate: Later) -> None:
        """Several in a row are not the fault of single jobs."""
        if fate.at is None:
            self._failures[channel] += 1
        if self._failures[channel] >= IN_A_ROW:
            self._rest(channel)

    def _rest(self, channel: Channel) -> None:
        self._rests[channel] = self._clock.now() + BREATHE

    async def _wait(self, job: NoticeJob, history: Attempts, *, told: bool = True) -> None:
        if self._known is not None:
            self._known[job.id] = (job, history)
        await self.jobs.postpone(job, history)
        if told:
            until = str(history.not_before)
            NOTICES.add(job.channel.value, "postponed")
            _line(job).warning("notice not sent yet", reason=history.last_error, until=until)

    async def _conclude(self, job: NoticeJob, history: Attempts, fate: Over | Refused) -> None:
        match fate:
            case Over():
                self._there.add(job.id)
                await self._end(job, fate)
                self._there.discard(job.id)
            case Refused(reason):
                NOTICES.add(job.channel.value, "refused")
                _line(job).error("notice refused for good, held", reason=reason)
                await self._hold(job, history, reason)

    async def _give_up(self, job: NoticeJob, history: Attempts, pace: Pace) -> None:
        NOTICES.add(job.channel.value, "given-up")
        _line(job).warning("notice given up", tries=history.failed, reason=history.last_error)
        if pace.kept_in_vain:
            await self._hold(job, history, history.last_error)
        else:
            await self._end(job, Over("given up"))

    async def _hold(self, job: NoticeJob, history: Attempts, reason: str) -> None:
        tries = max(history.failed, 1)
        held = Attempts(failed=tries, last_error=printable(reason, LONGEST_REASON))
        await self.jobs.hold(job, held)
        self._forget(job)

    async def _end(self, job: NoticeJob, fate: Over) -> None:
        await self.jobs.over(job.id)
        self._forget(job)
        if not fate.note:
            NOTICES.add(job.channel.value, "sent")
        _line(job).info("notice done", note=fate.note or "sent")

    def _forget(self, job: NoticeJob) -> None:
        if self._known is not None:
            self._known.pop(job.id, None)


async def _guarded(step: Awaitable[Fate | None]) -> Fate | None:
    """What came of it, whatever goes wrong: what breaks on one job must not stop the others."""
    try:
        return await step
    except DeliveryPostponed as error:
        return Later(printable(str(error), LONGEST_REASON))
    except DeliveryRefused as error:
        return Refused(str(error))
    except Exception as error:
        return Later(_place(error))


def _line(job: NoticeJob) -> structlog.stdlib.BoundLogger:
    bound: structlog.stdlib.BoundLogger = log.bind(
        channel=job.channel.value, user=job.user_id, id=job.id
    )
    return bound


def _place(error: BaseException) -> str:
    """Kind and place of a fault: its text could hold what is in the notice."""
    frames = extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return type(error).__name__ + where
