"""The outbox: what was said after the tone is delivered (design §4, ADR 0002)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import structlog

from vm_ari.domain.delivery import Attempts
from vm_ari.domain.messages import CallFacts, VoiceMessage
from vm_ari.domain.settings import Rules
from vm_ari.domain.users import User
from vm_ari.ports import Clock, Courier, Directory, Spool, SpoolFull
from vm_ari.services.adoption import Adoption, Alive, Fate
from vm_ari.services.deliveries import Deliveries, Pace, Refused
from vm_ari.services.message_records import MessageRecords

log = structlog.get_logger("vm_ari.outbox")

QUIET = timedelta(seconds=3)
"""A file of the dialplan that was written to so lately is left alone, whatever channels there are
(Asterisk writes every 2 s of audio)."""
LOOK_AGAIN = 5.0
LOOK_AGAIN_SOON = 2.0
"""Seconds between looks for left recordings, sooner while one could not be adopted yet. A look
costs two small directories; Asterisk is asked only when something lies in them."""


class Outbox:
    """Adopts what was left behind, and delivers that and what the dialogues keep."""

    def __init__(
        self,
        spool: Spool,
        directory: Directory,
        courier: Courier,
        clock: Clock,
        *,
        rules: Rules,
        host: str,
        pace: Pace | None = None,
        quiet: timedelta = QUIET,
        on_delivered: Callable[[User], Awaitable[None]] | None = None,
        on_refused: Refused | None = None,
        on_sent: Callable[[VoiceMessage], Awaitable[None]] | None = None,
        records: MessageRecords | None = None,
    ) -> None:
        self._adoption = Adoption(spool, clock, rules, host, quiet)
        self._deliveries = Deliveries(
            spool=spool,
            directory=directory,
            courier=courier,
            clock=clock,
            rules=rules,
            pace=pace or Pace(),
            on_delivered=on_delivered,
            on_refused=on_refused,
            on_sent=on_sent,
            records=records,
        )
        self._adopting = asyncio.Lock()
        self._alive: Alive | None = None

    def wake(self) -> None:
        """A message has been kept: deliver it now."""
        self._deliveries.wake()

    def take(self, message: VoiceMessage) -> None:
        """The same, where it is known which."""
        self._deliveries.take(message)

    def waiting(self) -> Sequence[tuple[CallFacts, Attempts]]:
        """What is to be delivered, and how often that was tried."""
        return self._deliveries.waiting()

    async def adopt(self, alive: Alive, *, finished: str = "") -> dict[Fate, int]:
        """Finish recordings whose channel is gone: at start, and on every connect to Asterisk.

        *finished* is a channel that has ended its recording, though it is still there.
        `run` looks again with the same *alive* from time to time. Raises what *alive* raises, and
        `SpoolFull`.
        """
        self._alive = alive

        async def talks(channel_id: str) -> bool:
            return channel_id != finished and await alive(channel_id)

        async with self._adopting:
            fates = await self._adoption.run(talks)
        if any(n for fate, n in fates.items() if fate is not Fate.STILL_TALKING):
            log.info("left recordings", **{fate.name.lower(): n for fate, n in fates.items() if n})
        if fates[Fate.KEPT]:
            self.wake()
        return fates

    async def run(self) -> None:
        """Deliver, and look for left recordings, until cancelled."""
        looking = asyncio.create_task(self._keep_looking(), name="adoption")
        try:
            await self._deliveries.run()
        finally:
            looking.cancel()

    async def _keep_looking(self) -> None:
        pause = LOOK_AGAIN_SOON
        while True:
            await asyncio.sleep(pause)
            pause = await self._look_again()

    async def _look_again(self) -> float:
        """Adopt once more; in how many seconds to look again."""
        if self._alive is None:
            return LOOK_AGAIN_SOON
        try:
            fates = await self.adopt(self._alive)
        except SpoolFull as error:
            log.error("left recordings cannot be read", reason=str(error))
            return LOOK_AGAIN_SOON
        except Exception as error:  # Asterisk is away: the next connect adopts
            log.debug("not looking for left recordings", why=type(error).__name__)
            return LOOK_AGAIN
        waits = fates[Fate.STILL_TALKING] + fates[Fate.NOT_NOW]
        return LOOK_AGAIN_SOON if waits else LOOK_AGAIN
