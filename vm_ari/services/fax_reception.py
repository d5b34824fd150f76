"""Faxes that the dialplan has received become messages (UM-04).

The dialplan works alone: it writes the pages, and at the end a note of how it went. A fax is
adopted when the note is there; or, where Asterisk died before it could write one, when the call is
over.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from traceback import extract_tb

import structlog

from vm_ari.domain.callers import caller_from
from vm_ari.domain.fallback_name import FallbackFacts
from vm_ari.domain.faxes import NO_WORD, Fax, FaxNote, FaxPages, facts_in, judged, read_note
from vm_ari.domain.messages import CallFacts
from vm_ari.domain.numbers import Site
from vm_ari.ports import Clock, FaxUnreadable, SpoolFull
from vm_ari.ports.fax import ArrivedFax, FaxSpool, PreparedFax, Recognise

log = structlog.get_logger("vm_ari.faxes")

LOOK_EVERY = 2.0
"""Seconds; a look costs one small directory."""
BREATHE = 30.0
"""Seconds after the disk could not be used."""
QUIET = timedelta(seconds=20)
"""A file without a note that was written to so lately is still being received, perhaps."""
AT_ONCE = 2
LONGEST_CALL = 86_400.0

Alive = Callable[[str], Awaitable[bool]]
"""Is there still a channel of that id? May raise: then nobody can tell now."""
Failed = Callable[[CallFacts], Awaitable[None]]
"""Hears of a fax of which no page has come."""


async def _nobody_hears(_facts: CallFacts) -> None:
    """No journal."""


@dataclass(frozen=True)
class FaxReception:
    """Looks for faxes that have come, until cancelled."""

    spool: FaxSpool
    clock: Clock
    alive: Alive
    site: Site
    host: str
    """Right side of new Message-IDs."""
    on_kept: Callable[[], None]
    """Wakes the outbox."""
    on_failed: Failed = _nobody_hears
    recognise: Recognise | None = None
    """None: what is written on the pages stays there."""
    _at_work: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)
    _not_before: dict[str, float] = field(default_factory=dict)
    """Loop time, by the names of faxes that could not be adopted."""

    async def run(self) -> None:
        """Adopt what comes, until cancelled; a fax that is half adopted begins anew then."""
        try:
            while True:
                await asyncio.sleep(await self.look())
        finally:
            tasks = list(self._at_work.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def look(self) -> float:
        """Begin to adopt what has come; in how many seconds to look again."""
        try:
            for fax in await self.spool.arrived():
                if len(self._at_work) < AT_ONCE and self._may_be_tried(fax.name):
                    await self._begin(fax)
        except SpoolFull as error:
            log.error("received faxes cannot be read", reason=str(error))
            return BREATHE
        return LOOK_EVERY

    async def settled(self) -> None:
        """Wait for what is being adopted now."""
        await asyncio.gather(*self._at_work.values())

    def _may_be_tried(self, name: str) -> bool:
        waits = self._not_before.get(name, 0.0) > asyncio.get_running_loop().time()
        return name not in self._at_work and not waits

    async def _begin(self, fax: ArrivedFax) -> None:
        note = await self._note_of(fax)
        if note is not None:
            self._at_work[fax.name] = asyncio.create_task(self._work(fax, note), name=fax.name)

    async def _note_of(self, fax: ArrivedFax) -> FaxNote | None:
        """How it went; None while it goes on, or while nobody can tell."""
        if (note := read_note(fax.note)) is not None:
            return note
        if abs(self.clock.now() - fax.modified) < QUIET:
            return None
        try:
            gone = not await self.alive(facts_in(fax.name).unique_id)
        except ValueError:  # a strange file, which the work sets aside
            return NO_WORD
        except Exception as error:  # Asterisk is away
            log.debug("not known whether a fax goes on", why=type(error).__name__)
            return None
        return NO_WORD if gone else None

    async def _work(self, fax: ArrivedFax, note: FaxNote) -> None:
        again = asyncio.get_running_loop().time() + BREATHE
        try:
            await self._adopt(fax, note)
        except SpoolFull as error:
            log.error("fax not adopted yet", reason=str(error))
            self._not_before[fax.name] = again
        except Exception as error:  # one fax must not stop the others
            log.error("fax not adopted", reason=_place(error))
            self._not_before[fax.name] = again
        else:
            self._not_before.pop(fax.name, None)
        finally:
            del self._at_work[fax.name]

    async def _adopt(self, fax: ArrivedFax, note: FaxNote) -> None:
        try:
            call = facts_in(fax.name)
        except ValueError as error:
            log.error("strange file among the faxes", reason=str(error), bytes=fax.size)
            await self.spool.set_aside(fax.name, str(error))
            return
        if await self.spool.is_kept(fax.name):  # we died before its file was erased
            await self.spool.forget(fax.name)
            return
        try:
            made = await self.spool.prepare(fax.name)
        except FaxUnreadable as error:
            log.error("fax unreadable", call=call.unique_id, reason=str(error))
            if not note.pages:
                await self.on_failed(self._facts(fax, call, Fax(0, note.station, error=str(error))))
                await self.spool.set_aside(fax.name, str(error))
                return
            made = PreparedFax(FaxPages(note.pages))  # perhaps its reader can do more than we
        await self._keep(fax, call, note, made)

    async def _keep(
        self, fax: ArrivedFax, call: FallbackFacts, note: FaxNote, made: PreparedFax
    ) -> None:
        received, partial = judged(note, made.pages)
        text = await self.recognise(self.spool.path(fax.name)) if self.recognise else ""
        facts = self._facts(fax, call, replace(received, text=text))
        if not received.pages:
            log.warning("no page of a fax has come", call=call.unique_id, reason=received.error)
            await self.on_failed(facts)
            await self.spool.forget(fax.name)
            return
        await self.spool.keep(fax.name, facts, partial=partial, made=made)
        log.info("fax", call=call.unique_id, pages=received.pages, partial=partial)
        self.on_kept()

    def _facts(self, fax: ArrivedFax, call: FallbackFacts, received: Fax) -> CallFacts:
        facts_id, started = self.spool.id_of(fax.name), datetime.fromtimestamp(call.epoch, UTC)
        seconds = (fax.modified - started).total_seconds()
        return CallFacts(
            id=facts_id,
            message_id=f"<{facts_id}@{self.host}>",
            channel_id=call.unique_id,
            called=call.called,
            user_id=None,
            caller=caller_from(call.caller_number, call.caller_name, self.site),
            started=started,
            fax=replace(received, seconds=min(max(seconds, 0.0), LONGEST_CALL)),
        )


def _place(error: BaseException) -> str:
    frames = extract_tb(error.__traceback__)
    return type(error).__name__ + (f" in {frames[-1].name}" if frames else "")
