"""What was recorded while nobody looked: after a crash, a lost connection, or by the dialplan."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum

import structlog

from vm_ari.domain.callers import caller_from
from vm_ari.domain.delivery import FallbackFile
from vm_ari.domain.fallback_name import FallbackFacts, parse
from vm_ari.domain.messages import CallFacts
from vm_ari.domain.recording import Ending, worth_keeping
from vm_ari.domain.redirection import Claims, redirection
from vm_ari.domain.settings import Rules
from vm_ari.ports import Clock, RecordingUnreadable, Spool, SpoolFull

log = structlog.get_logger("vm_ari.outbox")

Alive = Callable[[str], Awaitable[bool]]
"""Is there still a channel of that id? May raise: then nothing more is adopted for now."""

FIRST_TAKE = 1
CUT_BY_RECORD = 0.25
"""Seconds that the dialplan's Record() takes away before a "#"; no message is lost for that."""


class Fate(Enum):
    """What became of a recording that was found."""

    KEPT = "kept"
    NOTHING_SAID = "nothing said"
    UNREADABLE = "unreadable"
    STILL_TALKING = "still talking"
    NOT_NOW = "the disk refused"


@dataclass(frozen=True)
class Adoption:
    """Finishes the recordings whose caller has gone."""

    spool: Spool
    clock: Clock
    rules: Rules
    host: str
    """Right side of new Message-IDs."""
    quiet: timedelta
    """A fallback file that grew so lately is still being written, whatever its name says."""

    async def run(self, alive: Alive) -> dict[Fate, int]:
        """Adopt everything whose channel is gone and that no dialogue has in hand."""
        fates = dict.fromkeys(Fate, 0)
        for facts, takes in await self.spool.unfinished():
            fates[await self._call(facts, takes, alive)] += 1
        for file in await self.spool.fallback_files():
            fates[await self._file(file, alive)] += 1
        return fates

    # -- calls that we had begun

    async def _call(self, facts: CallFacts, takes: Sequence[int], alive: Alive) -> Fate:
        if await alive(facts.channel_id):
            return Fate.STILL_TALKING
        try:
            fate = await self._finish(facts, takes)
        except SpoolFull as error:
            log.error("recording not adopted", call=facts.id, reason=str(error))
            return Fate.NOT_NOW
        log.info("recording adopted", call=facts.id, fate=fate.value)
        return fate

    async def _finish(self, facts: CallFacts, takes: Sequence[int]) -> Fate:
        """The newest take worth keeping becomes the message."""
        fate = Fate.NOTHING_SAID
        for take in reversed(takes):
            try:
                if await self._is_message(facts.id, take):
                    await self.spool.keep(facts, take, partial=False)
                    return Fate.KEPT
            except RecordingUnreadable as error:
                log.error("recording unreadable", call=facts.id, take=take, reason=str(error))
                await self.spool.set_aside(facts, take, str(error))
                fate = Fate.UNREADABLE
        await self.spool.discard(facts.id)
        return fate

    async def _is_message(self, facts_id: str, take: int) -> bool:
        found = await self.spool.inspect(facts_id, take)
        if found is None:
            return False
        cut_short = self.spool.was_cut(facts_id, take)
        ending = Ending.FAULT if cut_short else Ending.HANG_UP
        shortest = self.rules.limits.shortest - CUT_BY_RECORD
        return worth_keeping(found, replace(self.rules.limits, shortest=shortest), ending)

    # -- calls that the dialplan took alone

    async def _file(self, file: FallbackFile, alive: Alive) -> Fate:
        if abs(self.clock.now() - file.modified) < self.quiet:
            return Fate.STILL_TALKING
        try:
            name = parse(file.name)
        except ValueError as error:
            return await self._strange(file, str(error))
        if await alive(name.unique_id):
            return Fate.STILL_TALKING
        try:
            facts = self._facts(name, await self.spool.fallback_id(file.name))
            await self.spool.import_fallback(file.name, facts)
        except SpoolFull as error:
            log.error("recording of the dialplan not adopted", reason=str(error))
            return Fate.NOT_NOW
        return await self._call(facts, [FIRST_TAKE], _gone)

    async def _strange(self, file: FallbackFile, reason: str) -> Fate:
        log.error("strange file among the dialplan's recordings", reason=reason, bytes=file.size)
        try:
            await self.spool.set_aside_fallback(file.name)
        except SpoolFull as error:
            log.error("it could not be set aside", reason=str(error))
            return Fate.NOT_NOW
        return Fate.UNREADABLE

    def _redirected_from(self, name: FallbackFacts) -> str:
        """Whom a call to the common number meant; the directory is not asked here."""
        site = self.rules.site
        claims = Claims(network=(name.redirecting, name.last_redirecting))
        likeliest = redirection(claims, site).likeliest(site)
        return likeliest.number if likeliest else name.redirecting

    def _facts(self, name: FallbackFacts, facts_id: str) -> CallFacts:
        return CallFacts(
            id=facts_id,
            message_id=f"<{facts_id}@{self.host}>",
            channel_id=name.unique_id,
            called=name.called or self._redirected_from(name),
            user_id=None,
            caller=caller_from(name.caller_number, name.caller_name, self.rules.site),
            started=datetime.fromtimestamp(name.epoch, UTC),
        )


async def _gone(_: str) -> bool:
    return False
