"""The pulse of the event loop: how late it turns, and a sign of life for the service manager."""

import asyncio
from collections import deque
from collections.abc import Callable

from vm_ari.adapters.service_manager import ServiceManager

BEAT = 0.5
"""Seconds."""
REMEMBERED = 120
"""Beats: the worst of the latest minute is told, so a scrape every minute misses none."""
STATUS_EVERY = 10


class Pulse:
    """Beats as long as the loop turns; when it does not, the service manager starts us anew."""

    def __init__(self, manager: ServiceManager, status: Callable[[], str]) -> None:
        """*status* is a line for ``systemctl status``; it must neither wait nor raise."""
        self._manager = manager
        self._status = status
        self._late: deque[float] = deque(maxlen=REMEMBERED)

    @property
    def latest(self) -> float:
        """Seconds that the loop was late at the worst, within the latest minute."""
        return max(self._late, default=0.0)

    async def run(self) -> None:
        """Say that we are ready, then beat until cancelled."""
        loop = asyncio.get_running_loop()
        told, beats = self._status(), 0
        self._manager.ready(told)
        try:
            while True:
                due = loop.time() + BEAT
                await asyncio.sleep(BEAT)
                self._late.append(max(0.0, loop.time() - due))
                self._manager.alive()
                beats += 1
                if beats % STATUS_EVERY == 0 and (now := self._status()) != told:
                    told = now
                    self._manager.status(told)
        finally:
            self._manager.stopping()
