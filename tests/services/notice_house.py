"""Notices on their way in a test: the real queue on the disk, an outside that the test decides."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.dialogues.exchange import LoopClock
from vm_ari.adapters.notice_queue import NoticeQueue
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.notice_jobs import Fate, Lane, NoticeJob, Over, Pace
from vm_ari.domain.notifications import Channel
from vm_ari.services.notice_sending import NoticeSending


@dataclass
class Outside:
    """A way whose other side takes jobs, or does not."""

    pace: Pace = field(default_factory=lambda: Pace(Lane.EACH))
    channel: Channel = Channel.WEBHOOK
    answer: Callable[[NoticeJob], Fate] = lambda _job: Over()
    in_the_way: Callable[[NoticeJob], Fate | None] = lambda _job: None
    lasts: float = 0.0
    """Seconds that a try takes."""
    tried: list[tuple[float, str, str]] = field(default_factory=list)
    """Minutes from the start, user, and what was to be told."""

    async def hindrance(self, job: NoticeJob) -> Fate | None:
        """See `Way`."""
        return self.in_the_way(job)

    async def send(self, job: NoticeJob) -> Fate:
        """See `Way`."""
        self.tried.append((self.minutes, job.user_id, job.content["text"]))
        await asyncio.sleep(self.lasts)
        return self.answer(job)

    @property
    def minutes(self) -> float:
        """Since the start."""
        return round(asyncio.get_running_loop().time() / 60, 1)

    @property
    def texts(self) -> list[str]:
        """What was tried, in that order."""
        return [text for _, _, text in self.tried]

    @property
    def times(self) -> list[float]:
        """When, in minutes."""
        return [at for at, _, _ in self.tried]


@dataclass
class House:
    """One controller's queue and its sending."""

    place: Path
    outside: Outside
    queue: NoticeQueue = field(init=False)
    sending: NoticeSending = field(init=False)

    def __post_init__(self) -> None:
        self.start_anew()

    def start_anew(self) -> None:
        """The process has died; another one finds what is on the disk."""
        self.queue = NoticeQueue(self.place / "notices", KeyRing(self.place / "keys"))
        self.sending = NoticeSending(self.queue, LoopClock(), luck=lambda: 0.5)
        self.sending.serve(self.outside)

    async def tell(self, text: str, user: str = "anna", occasion: str = "") -> None:
        """Something is to be told."""
        channel = self.outside.channel
        await self.sending.keep(channel, user, occasion or text, {"text": text})

    async def goes_on_for(self, minutes: float) -> None:
        """Send so long."""
        running = asyncio.create_task(self.sending.run())
        await asyncio.sleep(minutes * 60)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    async def waiting(self) -> list[str]:
        """What is to be sent."""
        return [job.content["text"] for job, _ in await self.queue.all_waiting()]

    async def held(self) -> list[tuple[str, str]]:
        """What was refused or given up, and why."""
        found = await self.queue.held()
        return [(job.content["text"], history.last_error) for job, history in found]
