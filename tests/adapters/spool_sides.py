"""Asterisk's side of a spool, of the one in memory and of the one on a disk."""

import os
from datetime import datetime
from pathlib import Path
from typing import Protocol

from tests.fake_spool import FakeSpool
from tests.recordings import killed, record, silent, spoken, wav, with_a_hole, without_room
from vm_ari.adapters.spool import FileSpool
from vm_ari.domain.delivery import FallbackFile
from vm_ari.domain.recording import Take


class Asterisk(Protocol):
    """What the other side of the spool does."""

    def records(self, facts_id: str, take: int, seconds: float, *, silence: bool = False) -> None:
        """A whole recording."""

    def dies_recording(self, facts_id: str, take: int, seconds: float) -> None:
        """Killed before it could close the file."""

    def finds_no_room(self, facts_id: str, take: int, seconds: float) -> None:
        """For all of it."""

    def fills_the_disk(self, facts_id: str, take: int, seconds: float) -> None:
        """And its caller hangs up before it notices."""

    def writes_rubbish(self, facts_id: str, take: int) -> None:
        """Something that is no audio."""

    def records_alone(self, name: str, seconds: float, modified: datetime) -> None:
        """The dialplan, without a controller."""


class FakeAsterisk:
    """Feeds the spool in memory."""

    def __init__(self, spool: FakeSpool) -> None:
        self._spool = spool

    def records(self, facts_id: str, take: int, seconds: float, *, silence: bool = False) -> None:
        name = self._spool.recording_name(facts_id, take)
        self._spool.takes[name] = Take(seconds, 0.0 if silence else seconds)

    def dies_recording(self, facts_id: str, take: int, seconds: float) -> None:
        self.records(facts_id, take, seconds)
        self._spool.cut_short.add(self._spool.recording_name(facts_id, take))

    finds_no_room = fills_the_disk = dies_recording

    def writes_rubbish(self, facts_id: str, take: int) -> None:
        self._spool.unreadable.add(self._spool.recording_name(facts_id, take))

    def records_alone(self, name: str, seconds: float, modified: datetime) -> None:
        file = FallbackFile(name, len(wav(spoken(seconds))), modified)
        self._spool.fallbacks[name] = (file, Take(seconds, seconds))


class DiskAsterisk:
    """Writes files into the real spool."""

    def __init__(self, spool: FileSpool, root: Path) -> None:
        self._spool = spool
        self._root = root

    def records(self, facts_id: str, take: int, seconds: float, *, silence: bool = False) -> None:
        samples = silent(seconds) if silence else spoken(seconds)
        record(self._spool.recording_path(facts_id, take), wav(samples))

    def dies_recording(self, facts_id: str, take: int, seconds: float) -> None:
        record(self._spool.recording_path(facts_id, take), killed(spoken(seconds)))

    def finds_no_room(self, facts_id: str, take: int, seconds: float) -> None:
        record(self._spool.recording_path(facts_id, take), without_room(spoken(seconds)))

    def fills_the_disk(self, facts_id: str, take: int, seconds: float) -> None:
        with_a_hole(self._spool.recording_path(facts_id, take), spoken(seconds))

    def writes_rubbish(self, facts_id: str, take: int) -> None:
        record(self._spool.recording_path(facts_id, take), b"this is no audio " * 20)

    def records_alone(self, name: str, seconds: float, modified: datetime) -> None:
        file = self._root / "fallback" / name
        file.write_bytes(wav(spoken(seconds)))
        os.utime(file, (modified.timestamp(), modified.timestamp()))
