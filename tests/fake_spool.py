"""The spool in memory: it sees what a `FakeChannel` has recorded, when both share their takes.

Passes the same contract tests as the one on a disk (`tests/adapters/test_spool_contract.py`).
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from weakref import WeakValueDictionary

from vm_ari.domain.delivery import Attempts, FallbackFile
from vm_ari.domain.messages import CallFacts, VoiceMessage
from vm_ari.domain.recording import Take
from vm_ari.ports import RecordingUnreadable, SpoolFull, Whole

ROOT = Path("/recordings")
Waiting = tuple[VoiceMessage, Attempts, bool]


@dataclass
class FakeSpool:
    """Facts and takes by id; *refuses* names the methods whose disk is full."""

    takes: dict[str, Take] = field(default_factory=dict)
    """Audio by recording name."""
    unreadable: set[str] = field(default_factory=set)
    """Recording names under which something lies that is no audio."""
    cut_short: set[str] = field(default_factory=set)
    """Recording names whose end could not be written."""
    fallbacks: dict[str, tuple[FallbackFile, Take]] = field(default_factory=dict)
    refuses: set[str] = field(default_factory=set)
    seconds: float = 0.0
    """How long the disk takes for everything that must be safe."""
    open: dict[str, CallFacts] = field(default_factory=dict)
    new: dict[str, Waiting] = field(default_factory=dict)
    delivered: dict[str, VoiceMessage] = field(default_factory=dict)
    holding: dict[str, tuple[VoiceMessage, Attempts]] = field(default_factory=dict)
    originals: dict[str, Path] = field(default_factory=dict)
    """What is answered or forwarded, by facts."""
    corrupt: list[tuple[str, str]] = field(default_factory=list)
    """Names and reasons."""
    _in_hand: WeakValueDictionary[str, CallFacts] = field(default_factory=WeakValueDictionary)
    _cut: set[str] = field(default_factory=set)

    @property
    def kept(self) -> list[VoiceMessage]:
        """What waits to be delivered, in the order in which it was kept."""
        return [message for message, _, _ in self.new.values()]

    def new_controller(self) -> None:
        """Its dialogues have nothing in hand."""
        self._in_hand.clear()

    async def begin(self, facts: CallFacts) -> None:
        """A copy of the facts is kept, as on a disk."""
        self._in_hand[facts.id] = facts
        await self._write("begin")
        self.open[facts.id] = replace(facts)

    def recording_name(self, facts_id: str, take: int) -> str:
        return f"vm-ari/open/{facts_id}/take-{take}"

    def recording_path(self, facts_id: str, take: int) -> Path:
        return ROOT / self.recording_name(facts_id, take)

    async def inspect(self, facts_id: str, take: int) -> Take | None:
        self._check("inspect")
        name = self.recording_name(facts_id, take)
        self._readable(name)
        if name in self.cut_short:
            self._cut.add(name)
        return self.takes.get(name)

    def was_cut(self, facts_id: str, take: int) -> bool:
        return self.recording_name(facts_id, take) in self._cut

    async def attach(self, facts_id: str, source: Path) -> None:
        await self._write("attach")
        self.originals[facts_id] = source

    async def keep(self, facts: CallFacts, take: int | None, *, partial: bool) -> VoiceMessage:
        await self._write("keep")
        message = self._message(facts, take, partial=partial)
        self._forget(facts.id)
        self.new[facts.id] = (message, Attempts(), False)
        return message

    def _message(self, facts: CallFacts, take: int | None, *, partial: bool) -> VoiceMessage:
        original = str(self.originals.get(facts.id, ""))
        if take is None:
            if not original:
                raise RecordingUnreadable("there is nothing to be forwarded")
            return VoiceMessage(facts, "", 0.0, original=original)
        name = self.recording_name(facts.id, take)
        self._readable(name)
        if name not in self.takes or facts.id not in self.open:
            raise RecordingUnreadable(f"{name}: there is no audio")
        audio = ROOT / name.replace("/open/", "/new/")
        partial = partial or self.was_cut(facts.id, take)
        seconds = self.takes[name].seconds
        return VoiceMessage(facts, f"{audio}.wav", seconds, partial, original=original)

    async def set_aside(self, facts: CallFacts, take: int, reason: str) -> None:
        await self._write("set_aside")
        name = self.recording_name(facts.id, take)
        self.takes.pop(name, None)
        self.unreadable.discard(name)
        self.corrupt.append((name, reason))

    async def discard(self, facts_id: str) -> None:
        await self._write("discard")
        self._forget(facts_id)

    async def unfinished(self) -> Sequence[tuple[CallFacts, Sequence[int]]]:
        self._check("unfinished")
        free = [facts for facts in self.open.values() if facts.id not in self._in_hand]
        return [(facts, self._takes_of(facts.id)) for facts in free]

    async def fallback_files(self) -> Sequence[FallbackFile]:
        self._check("fallback_files")
        files = [file for file, _ in self.fallbacks.values()]
        return sorted(files, key=lambda file: (file.modified, file.name))

    async def fallback_id(self, name: str) -> str:
        used = {*self.new, *self.delivered, *self.holding}
        names = (f"{abs(hash((name, again))):016x}" for again in range(len(used) + 1))
        return next(name for name in names if name not in used)

    async def import_fallback(self, name: str, facts: CallFacts) -> None:
        await self._write("import_fallback")
        _, take = self.fallbacks.pop(name)
        self.open[facts.id] = replace(facts)
        self.takes[self.recording_name(facts.id, 1)] = take

    async def set_aside_fallback(self, name: str) -> None:
        await self._write("set_aside_fallback")
        del self.fallbacks[name]
        self.corrupt.append((name, "strange name"))

    async def waiting(self) -> Sequence[Waiting]:
        self._check("waiting")
        return sorted(self.new.values(), key=lambda entry: entry[0].facts.started)

    async def divide(self, message: VoiceMessage, parts: Sequence[CallFacts], whole: Whole) -> None:
        await self._write("divide")
        original = message.original if whole.with_original else ""
        for part in parts:
            if part.id not in {*self.new, *self.delivered, *self.holding}:
                made = VoiceMessage(
                    part, whole.audio, whole.seconds, message.partial, original=original
                )
                self.new[part.id] = (made, Attempts(), False)

    async def mark_attempt(self, message: VoiceMessage) -> None:
        await self._write("mark_attempt")
        _, attempts, _ = self.new[message.facts.id]
        self.new[message.facts.id] = (message, attempts, True)

    async def clear_attempt(self, message: VoiceMessage, attempts: Attempts) -> None:
        await self._write("clear_attempt")
        self.new[message.facts.id] = (message, attempts, False)

    async def done(self, message: VoiceMessage) -> None:
        await self._write("done")
        self.delivered[message.facts.id] = self.new.pop(message.facts.id)[0]

    async def hold(self, message: VoiceMessage, attempts: Attempts) -> None:
        await self._write("hold")
        del self.new[message.facts.id]
        self.holding[message.facts.id] = (message, attempts)

    async def held(self) -> Sequence[tuple[CallFacts, Attempts]]:
        return [(message.facts, attempts) for message, attempts in self.holding.values()]

    async def release(self, facts_id: str) -> None:
        await self._write("release")
        message, attempts = self.holding.pop(facts_id)
        self.new[facts_id] = (message, replace(attempts, not_before=None), False)

    async def sweep(self, now: datetime) -> None:
        """Memory is patient: nothing is erased."""

    async def _write(self, method: str) -> None:
        await asyncio.sleep(self.seconds)
        self._check(method)

    def _check(self, method: str) -> None:
        if method in self.refuses:
            raise SpoolFull(f"{method}: the test says so")

    def _readable(self, name: str) -> None:
        if name in self.unreadable:
            raise RecordingUnreadable(f"{name}: no audio at all")

    def _forget(self, facts_id: str) -> None:
        self.open.pop(facts_id, None)
        for take in self._takes_of(facts_id):
            self.takes.pop(self.recording_name(facts_id, take), None)

    def _takes_of(self, facts_id: str) -> list[int]:
        pattern = re.compile(re.escape(self.recording_name(facts_id, 0)[:-1]) + "([0-9]+)")
        matches = (pattern.fullmatch(name) for name in {*self.takes, *self.unreadable})
        return sorted(int(match[1]) for match in matches if match)
