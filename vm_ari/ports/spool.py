"""The disk between the caller and the mailbox."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from vm_ari.domain.delivery import Attempts, FallbackFile
from vm_ari.domain.messages import CallFacts, VoiceMessage
from vm_ari.domain.recording import Take


class SpoolFull(Exception):
    """There is no room (or no permission) to keep a recording."""


class SpoolInUse(Exception):
    """Another controller works on the same recordings; two would deliver everything twice."""


class RecordingUnreadable(Exception):
    """What Asterisk left is not the audio it should be. The text says what is wrong."""


@dataclass(frozen=True)
class Whole:
    """What every part of a divided message gets."""

    audio: str
    """Path of a WAV file on the spool's file system; empty for none."""
    seconds: float
    with_original: bool = True


class Spool(Protocol):
    """The disk between the caller and the mailbox; states are directories (design §4).

    Every method that waits raises `SpoolFull` when the disk does not do what it should.
    """

    async def begin(self, facts: CallFacts) -> None:
        """Make the facts durable before the tone; again, when they have changed."""
        ...

    def recording_name(self, facts_id: str, take: int) -> str:
        """Under which name Asterisk shall record that take."""
        ...

    def recording_path(self, facts_id: str, take: int) -> Path:
        """Where that take lies; without extension, as Asterisk plays it."""
        ...

    async def inspect(self, facts_id: str, take: int) -> Take | None:
        """Length and speech of a take (its header mended if need be); None if there is no audio.

        Raises `RecordingUnreadable`.
        """
        ...

    def was_cut(self, facts_id: str, take: int) -> bool:
        """Did `inspect` find that Asterisk had died while writing it, or had no room?"""
        ...

    async def attach(self, facts_id: str, source: Path) -> None:
        """Copy what is answered or forwarded beside the facts, durably."""
        ...

    async def keep(self, facts: CallFacts, take: int | None, *, partial: bool) -> VoiceMessage:
        """From here on it will be delivered: all on disk, fsynced. A cut take is partial.

        None instead of a take: what is attached goes without a word. Raises `RecordingUnreadable`.
        """
        ...

    async def divide(self, message: VoiceMessage, parts: Sequence[CallFacts], whole: Whole) -> None:
        """Make each of *parts* a message that waits, too; those that there are already stay.

        The message itself waits until it is `done`; only then its parts can be forgotten.
        """
        ...

    async def set_aside(self, facts: CallFacts, take: int, reason: str) -> None:
        """Keep a take that cannot be read for a person to look at; the item stays open."""
        ...

    async def discard(self, facts_id: str) -> None:
        """Nothing was said: forget it."""
        ...

    async def unfinished(self) -> Sequence[tuple[CallFacts, Sequence[int]]]:
        """Facts and takes of calls that were never kept or discarded (after a crash).

        A call is left out while somebody holds the very facts it was begun with: its dialogue.
        """
        ...

    async def fallback_files(self) -> Sequence[FallbackFile]:
        """What the dialplan recorded by itself, oldest first."""
        ...

    async def fallback_id(self, name: str) -> str:
        """The id for the facts of that file: the same however often the import is begun."""
        ...

    async def import_fallback(self, name: str, facts: CallFacts) -> None:
        """Make that file the first take of an open item, in one step."""
        ...

    async def set_aside_fallback(self, name: str) -> None:
        """Keep a file whose name tells nothing for a person to look at."""
        ...

    async def waiting(self) -> Sequence[tuple[VoiceMessage, Attempts, bool]]:
        """What is to be delivered, oldest first; the flag tells that an attempt was begun."""
        ...

    async def mark_attempt(self, message: VoiceMessage) -> None:
        """Durable note that a delivery begins now."""
        ...

    async def clear_attempt(self, message: VoiceMessage, attempts: Attempts) -> None:
        """The attempt has ended without success; keep its history."""
        ...

    async def done(self, message: VoiceMessage) -> None:
        """Delivered."""
        ...

    async def hold(self, message: VoiceMessage, attempts: Attempts) -> None:
        """Refused for good: keep it for the admin."""
        ...

    async def held(self) -> Sequence[tuple[CallFacts, Attempts]]:
        """What was refused for good."""
        ...

    async def release(self, facts_id: str) -> None:
        """Try a held message again."""
        ...

    async def sweep(self, now: datetime) -> None:
        """Erase delivered audio after its grace period."""
        ...
