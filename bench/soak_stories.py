"""What became of callers whose message is not there: which way they went, how long they were heard.

Only what was said after the tone is a promise. Whoever met the dialplan's longer greeting may have
hung up before he had said enough for a message; then nothing is lost, and his recording is gone for
good reason. So recordings are looked at while they are there.
"""

import asyncio
import contextlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path

from vm_ari.adapters.journal_database import DatabaseJournal
from vm_ari.demo.world import World
from vm_ari.domain.fallback_name import parse
from vm_ari.domain.journal import JournalEntry, Kind

EVERY = 0.5
"""Seconds between two looks; the dialplan's recordings lie still for longer before they are taken
away, the controller's are seen as Asterisk writes them, in steps of two seconds."""
BYTES_A_SECOND = 16_000
HEADER = 44
MOST_ENTRIES = 1_000_000


class Way(Enum):
    """Who took the call."""

    CONTROLLER = "controller"
    DIALPLAN = "dialplan"
    NOT_RECORDED = "journal only"
    UNKNOWN = "nowhere"


@dataclass(frozen=True)
class Heard:
    """A recording of a caller, as it was seen last."""

    way: Way
    call: str
    seconds: float


@dataclass(frozen=True)
class Story:
    """One caller's."""

    caller: str
    heard: Heard
    result: str = ""
    """As the journal has it; empty: it knows nothing of him."""

    def is_promise(self, shortest: float) -> bool:
        """Was a message promised to him? Also where nobody can tell."""
        match self.heard.way:
            case Way.UNKNOWN:
                return True
            case Way.NOT_RECORDED:
                return self.result == "message-left"
            case Way.CONTROLLER | Way.DIALPLAN:
                return self.heard.seconds >= shortest or self.result == "message-left"

    def __str__(self) -> str:
        heard = self.heard
        return (
            f"{self.caller}: {heard.way.value}, call {heard.call or '?'}, "
            f"{heard.seconds:.1f} s recorded, journal: {self.result or 'nothing'}"
        )


@dataclass
class Witness:
    """Looks at recordings while they are there."""

    spool: Path
    heard: dict[str, Heard] = field(default_factory=dict)
    """By the caller's number."""
    _facts: dict[str, Mapping[str, str]] = field(default_factory=dict)

    async def looks(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.to_thread(self.look)
            await asyncio.sleep(EVERY)

    def look(self) -> None:
        """At all recordings that are there now. Blocking."""
        for path in (self.spool / "fallback").glob("*.wav"):
            with contextlib.suppress(OSError, ValueError):
                facts, seconds = parse(path.name), _seconds(path)
                self.heard[facts.caller_number] = Heard(Way.DIALPLAN, facts.unique_id, seconds)
        for path in (self.spool / "open").glob("*/take-*.wav"):
            with contextlib.suppress(OSError, ValueError, KeyError):
                caller, call = self._told(path.parent)
                known = self.heard.get(caller)
                if known is None or known.way is not Way.DIALPLAN:
                    self.heard[caller] = Heard(Way.CONTROLLER, call, _seconds(path))

    def _told(self, place: Path) -> tuple[str, str]:
        if place.name not in self._facts:
            facts = json.loads((place / "facts.json").read_text())
            told = {"caller": facts["caller"]["number"], "call": facts["channel_id"]}
            self._facts[place.name] = told
        told_of = self._facts[place.name]
        return told_of["caller"], told_of["call"]

    def stories(self, callers: Iterable[str], journal: Sequence[JournalEntry]) -> Sequence[Story]:
        """Of those callers, by their numbers."""
        noted = {one.caller.number: one for one in journal if one.kind is Kind.CALL}
        return [self._story(caller, noted.get(caller)) for caller in sorted(callers)]

    def _story(self, caller: str, noted: JournalEntry | None) -> Story:
        result = noted.result.value if noted else ""
        if caller in self.heard:
            return Story(caller, self.heard[caller], result)
        if noted:
            return Story(caller, Heard(Way.NOT_RECORDED, noted.id, 0.0), result)
        return Story(caller, Heard(Way.UNKNOWN, "", 0.0))


async def journal_of(world: World) -> Sequence[JournalEntry]:
    """All that the controller has noted."""
    store = DatabaseJournal(f"sqlite:///{world.directory / 'journal.db'}")
    try:
        return await store.oldest(datetime.now(UTC) + timedelta(days=1), MOST_ENTRIES)
    finally:
        await store.close()


def _seconds(path: Path) -> float:
    return max(0, path.stat().st_size - HEADER) / BYTES_A_SECOND
