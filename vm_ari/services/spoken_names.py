"""The names of people who have not recorded theirs, said by the machine (INBOX-13)."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import structlog

from vm_ari.ports import Unspeakable, Voice, VoiceUnavailable

log = structlog.get_logger("vm_ari.inbox")

PATIENCE = 1.5
"""Seconds: a number said at once is better than a name said late."""


@dataclass(frozen=True)
class SpokenNames:
    """By speech synthesis."""

    voice: Voice

    async def of(self, name: str, language: str) -> Path | None:
        """The sound file, without its suffix; None where only the number can be said."""
        try:
            async with asyncio.timeout(PATIENCE):
                sound = await self.voice.spoken(name, language)
        except (Unspeakable, VoiceUnavailable, TimeoutError) as error:
            log.info("name not spoken", reason=str(error) or "slow")
            return None
        return sound.with_suffix("")
