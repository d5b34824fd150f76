"""Work on many users that goes on while the admin's browser does something else: one at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger("vm_ari.portal")

MOST_REASONS = 20


@dataclass
class Progress:
    """How far it is; the work itself writes it down."""

    kind: str
    by: str
    """Id of who has started it."""
    total: int
    done: int = 0
    changed: int = 0
    failed: int = 0
    reasons: list[str] = field(default_factory=list)
    """Of the first failures."""
    running: bool = True
    broken: bool = False
    """It has ended before its end."""
    journal: str = ""
    """File from which ``vm-ari welcome reset --resume`` goes on; empty: none is needed."""

    def failed_at(self, user_id: str, reason: str) -> None:
        """One user could not be changed."""
        self.failed += 1
        if len(self.reasons) < MOST_REASONS:
            self.reasons.append(f"{user_id}: {reason}")


class MassWork:
    """What runs in this process, or ran last."""

    def __init__(self) -> None:
        self._last: dict[str, Progress] = {}
        self._task: asyncio.Task[None] | None = None

    def of(self, user_id: str) -> Progress | None:
        """What that admin has started last."""
        return self._last.get(user_id)

    @property
    def is_busy(self) -> bool:
        """Does something run, whoever has started it?"""
        return self._task is not None and not self._task.done()

    def start(self, progress: Progress, work: Callable[[Progress], Awaitable[None]]) -> bool:
        """Begin; False where something else runs."""
        if self.is_busy:
            return False
        self._last[progress.by] = progress
        self._task = asyncio.create_task(_run(progress, work), name=f"mass {progress.kind}")
        return True

    async def close(self) -> None:
        """End it; what is done stays done."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)


async def _run(progress: Progress, work: Callable[[Progress], Awaitable[None]]) -> None:
    log.info("mass work begins", kind=progress.kind, by=progress.by, users=progress.total)
    try:
        await work(progress)
    except Exception as error:
        progress.broken = True
        log.exception("mass work broken off", kind=progress.kind, by=progress.by)
        progress.reasons.append(str(error) or type(error).__name__)
    except BaseException:
        progress.broken = True
        raise
    finally:
        progress.running = False
        log.info("mass work has ended", kind=progress.kind, by=progress.by, done=progress.done)
