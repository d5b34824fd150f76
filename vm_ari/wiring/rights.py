"""What users may send, as configured (UM-05)."""

import asyncio
from dataclasses import dataclass

import structlog

from vm_ari.adapters.rights_database import DatabaseCounts
from vm_ari.config import Config
from vm_ari.ports import Clock
from vm_ari.ports.rights import CountsUnavailable
from vm_ari.services.rights import Rights
from vm_ari.wiring.directories import blamed

log = structlog.get_logger("vm_ari.rights")

SWEEP_SECONDS = 6 * 3600


@dataclass(frozen=True)
class OpenRights:
    """For any process; to be closed."""

    rights: Rights
    _counts: DatabaseCounts

    async def run(self) -> None:
        """Forget old days, until cancelled."""
        while True:
            try:
                await self.rights.sweep()
            except CountsUnavailable as error:
                log.error("old days are not forgotten", reason=str(error))
            await asyncio.sleep(SWEEP_SECONDS)

    async def close(self) -> None:
        """Let what is under way be finished."""
        await self._counts.close()

    def shut(self) -> None:
        """The same, for those who cannot wait otherwise."""
        self._counts.shut()


def open_rights(config: Config, clock: Clock) -> OpenRights:
    """Nothing is connected yet. Raises `BadConfig`."""
    with blamed("rights.url"):
        counts = DatabaseCounts(config.rights.url or config.directory.url)
    return OpenRights(Rights(counts, clock, config.rights.caps(), config.rules().sites), counts)
