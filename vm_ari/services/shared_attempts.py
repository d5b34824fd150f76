"""Guesses are counted over all nodes: each hears within seconds what failed at the others.

The lock of a mailbox is kept in the directory and exact; this is for one PIN that is tried on many
mailboxes, on many nodes. While the database does not answer, each node counts for itself.
"""

import asyncio

import structlog

from vm_ari.ports import Clock
from vm_ari.ports.attempts import AttemptsExchange, AttemptsNotShared
from vm_ari.services.logins import Attempts

log = structlog.get_logger("vm_ari.accounts")

EVERY = 2.0
"""Seconds between two exchanges: so much later another node refuses."""
PAUSE = 30.0
"""Seconds without asking a database that did not answer."""


class SharedAttempts:
    """Keeps the *attempts* of this node in touch with those of the others."""

    def __init__(self, attempts: Attempts, exchange: AttemptsExchange, clock: Clock) -> None:
        self._attempts = attempts
        self._exchange = exchange
        self._clock = clock
        self._away = False

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(EVERY if await self.look() else PAUSE)

    async def look(self) -> bool:
        """Exchange once; False: the database did not answer."""
        since = self._clock.now() - self._attempts.budget.window
        try:
            heard = await self._exchange.exchange(self._attempts.own(), since)
        except AttemptsNotShared as error:
            if not self._away:
                log.warning("failed logins are counted by this node alone", reason=str(error))
            self._away = True
            return False
        self._attempts.heard(heard)
        if self._away:
            log.info("failed logins are counted over all nodes again")
        self._away = False
        return True
