"""Conferences of an earlier controller, or from before a gap: looked for once on each connection.

The telephone system may not answer just then. Nobody is sent out of a conference for that: it is
tried again, and until then they talk without us.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from vm_ari.ports import SpoolFull
from vm_ari.ports.conference import MemoryFailed
from vm_ari.services.conference_room import Seat
from vm_ari.services.conferences import Alive, Conferences

log = structlog.get_logger("vm_ari.conferences")

PATIENCE = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0)
"""Seconds between tries while somebody waits to be told whether he is in a conference."""
LOOK_AGAIN = 5.0


@dataclass
class TakeOver:
    """*connection* is another object after each gap, and raises while there is none."""

    conferences: Conferences
    is_alive: Alive
    connection: Callable[[], object]
    _done: object = None
    """The connection on which it has been done."""
    _failed: bool = False
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def attempt(self) -> bool:
        """Is it done by now? Never raises: a conference is no reason not to answer calls."""
        try:
            await self._look()
        except Exception as error:
            log.warning("conferences not taken over yet", reason=str(error) or repr(error))
            self._failed = True
            return False
        self._failed = False
        return True

    async def seat_of(self, channel: str) -> Seat | None:
        """The place of somebody whose script is gone; None: he is in no conference.

        A disk that cannot be read is not waited for: then nobody knows.
        """
        for pause in PATIENCE:
            try:
                await self._look()
                break
            except (MemoryFailed, SpoolFull) as error:
                log.error("conferences cannot be found again", reason=str(error))
                break
            except Exception as error:
                log.warning("somebody is adopted later", call=channel, reason=str(error))
                await asyncio.sleep(pause)
        return await self.conferences.seat_left(channel)

    async def run(self) -> None:
        """Look again where it was not possible before, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_AGAIN)
            if self._failed:
                await self.attempt()

    async def _look(self) -> None:
        async with self._turn:
            connection = self.connection()
            if connection is not self._done:
                await self.conferences.reconnected(self.is_alive)
                self._done = connection
