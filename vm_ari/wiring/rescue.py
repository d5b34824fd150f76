"""What a node that does not come back has left in its spool is delivered by another machine.

Nothing is moved: the spool is claimed as its own controller would claim it, so that of both only
one can work on it, and a rescue that is killed can be repeated.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vm_ari.adapters.mail_queue import MailQueue
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.spool import FileSpool
from vm_ari.config import Config
from vm_ari.domain.delivery import Attempts
from vm_ari.services.outbox import Outbox
from vm_ari.wiring.channels import open_notice_queue
from vm_ari.wiring.fax_reception import received_faxes

LOOK_SECONDS = 0.5
SYSTEM_MAILS = "system-mails"


class Rescued:
    """Users to whom something was delivered; noted only while somebody wants to know."""

    def __init__(self) -> None:
        self._ids: set[str] | None = None

    def begin(self) -> None:
        """From now on."""
        self._ids = set()

    def note(self, user_id: str) -> None:
        """That one."""
        if self._ids is not None:
            self._ids.add(user_id)

    @property
    def ids(self) -> Collection[str]:
        """Everybody since `begin`."""
        return self._ids or ()


@dataclass(frozen=True)
class Leftovers:
    """The parts of a controller that work on its spool alone."""

    spool: FileSpool
    outbox: Outbox
    runs: Sequence[Callable[[], Coroutine[Any, Any, None]]]
    rescued: Rescued
    close: Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Rest:
    """What lies in a spool; *late*: tried in vain, and not due yet."""

    due: int = 0
    late: int = 0
    held: int = 0
    reasons: Collection[str] = field(default=frozenset())

    @property
    def any(self) -> bool:
        """Is there anything at all?"""
        return bool(self.due or self.late or self.held)


def config_for(config: Config, spool: Path) -> Config:
    """Ours, but for the spool, and the mails of the system that lie in it."""
    mail = config.mail.model_copy(update={"queue": spool / SYSTEM_MAILS})
    table = config.spool.model_copy(update={"directory": spool})
    return config.model_copy(update={"mail": mail, "spool": table})


async def look(config: Config) -> Rest:
    """What lies there, beside whoever works on it. Raises `SpoolFull` and the like."""
    spool, keys = FileSpool(config.spool.directory), KeyRing(config.directory.keys)
    mails = MailQueue(config.mail.queue or config.spool.directory / SYSTEM_MAILS, keys)
    notices = open_notice_queue(config, keys)
    try:
        waiting: list[Attempts] = [tries for _, tries, _ in await spool.waiting()]
        waiting += [tries for _, tries in await mails.waiting()]
        waiting += [tries for _, tries in await notices.all_waiting()]
        recordings = [*await spool.unfinished(), *await spool.fallback_files()]
        faxes = await received_faxes(config.spool.directory)
        held = [*await spool.held(), *await mails.held(), *await notices.held()]
    finally:
        mails.close()
        notices.close()
    now = datetime.now(UTC)
    late = [tries for tries in waiting if tries.failed and not tries.is_due(now)]
    due = len(waiting) - len(late) + len(recordings) + len(faxes)
    return Rest(due, len(late), len(held), frozenset(tries.last_error for tries in late))


async def deliver(leftovers: Leftovers, rest: Callable[[], Awaitable[Rest]]) -> Collection[str]:
    """Until nothing is due any more; the ids of users to whom something has come.

    Raises `SpoolInUse` while the spool's own controller runs, and `SpoolFull`.
    """
    await leftovers.spool.claim()
    leftovers.rescued.begin()
    await leftovers.outbox.adopt(_nobody_talks)
    running = asyncio.gather(*(run() for run in leftovers.runs))
    try:
        while (await rest()).due:
            await asyncio.wait([running], timeout=LOOK_SECONDS)
            if running.done():
                running.result()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await leftovers.close()
    return leftovers.rescued.ids


async def _nobody_talks(_channel: str) -> bool:
    """The Asterisk of that spool is gone, or has other calls."""
    return False
