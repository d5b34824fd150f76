"""Who left a message, said by that person's own voice (INBOX-03)."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import structlog

from vm_ari.domain.callers import Caller
from vm_ari.domain.greetings import Greeting, Slot
from vm_ari.domain.users import User
from vm_ari.ports import Clock, Directory, DirectoryUnavailable, Greetings, GreetingsUnavailable

log = structlog.get_logger("vm_ari.inbox")

PATIENCE = 1.5
"""Seconds: a number said at once is better than a name said late."""


@dataclass(frozen=True)
class SenderNames:
    """The recorded names of those who have a mailbox here."""

    directory: Directory
    greetings: Greetings
    clock: Clock

    async def of(self, listener: User, caller: Caller) -> Path | None:
        """The sound file, without its suffix; None where only the number can be said."""
        if not caller.number:
            return None
        try:
            async with asyncio.timeout(PATIENCE):
                names = await self._names(caller.number)
        except (DirectoryUnavailable, GreetingsUnavailable, TimeoutError) as error:
            log.warning("sender's name not found", user=listener.id, reason=str(error) or "slow")
            return None
        best = names.get(listener.language) or next(iter(names.values()), None)
        return best.path if best else None

    async def _names(self, number: str) -> dict[str, Greeting]:
        """By language; a name is a name in every one."""
        sender = await self.directory.user_by_number(number)
        if sender is None:
            return {}
        now = self.clock.now()
        return {
            key.language: greeting
            for key, greeting in sorted((await self.greetings.of(sender.id)).items(), key=str)
            if key.slot is Slot.NAME and greeting.plays_at(now)
        }
