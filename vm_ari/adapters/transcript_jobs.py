"""Recordings that are put aside to be transcribed, on the disk (`services.transcripts`).

    <id>/message.json audio.wav    put aside; what becomes of it depends on the message
    <id>/included                  its mail holds the transcript
    <id>/owed                      the transcript follows; the file names the user
    tmp/                           half made or half erased; emptied at start

Where it lies on the spool's file system the audio is a second name of the same file.
"""

import asyncio
import os
import re
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import structlog

from vm_ari.adapters import durable
from vm_ari.adapters.spool_records import BadRecord, Kept, facts_from_json, facts_to_json
from vm_ari.domain.messages import VoiceMessage
from vm_ari.domain.transcript_jobs import Fate, Job
from vm_ari.ports import SpoolFull

T = TypeVar("T")

RECORD, AUDIO, TMP = "message.json", "audio.wav", "tmp"
DIRECTORY_MODE = 0o700
_SAFE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

log = structlog.get_logger("vm_ari.transcripts")


class FileTranscriptJobs:
    """`services.transcripts.TranscriptJobs` on files below *root*."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="transcripts")

    async def put_aside(self, message: VoiceMessage) -> Path:
        """See `TranscriptJobs`."""
        return await self._run(lambda: self._put_aside(message))

    async def note(self, message_id: str, fate: Fate, user_id: str) -> None:
        """See `TranscriptJobs`."""
        await self._run(lambda: self._note(self._item(message_id), fate, user_id))

    async def fate(self, message_id: str) -> Fate | None:
        """See `TranscriptJobs`."""
        return await self._run(lambda: _fate(self._item(message_id)))

    async def owed(self) -> Sequence[Job]:
        """See `TranscriptJobs`."""
        return await self._run(self._owed)

    async def erase(self, message_id: str) -> None:
        """See `TranscriptJobs`."""
        await self._run(lambda: self._erase(self._item(message_id)))

    async def sweep(self, age: timedelta) -> Sequence[str]:
        """See `TranscriptJobs`."""
        return await self._run(lambda: self._sweep(time.time() - age.total_seconds()))

    def close(self) -> None:
        """Let running work end."""
        self._threads.shutdown()

    # --- blocking, in the one thread

    async def _run(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except OSError as error:
            where = error.filename or self._root
            raise SpoolFull(f"{error.strerror or error}: {where}") from error

    def _item(self, message_id: str) -> Path:
        if not _SAFE_ID.fullmatch(message_id) or message_id == TMP:
            raise ValueError("not the id of a message")
        return self._root / message_id

    def _put_aside(self, message: VoiceMessage) -> Path:
        item = self._item(message.facts.id)
        if not item.is_dir():
            half_made = self._bin() / item.name
            shutil.rmtree(half_made, ignore_errors=True)
            durable.make_directory(half_made, DIRECTORY_MODE)
            _same_file(Path(message.audio), half_made / AUDIO)
            kept = Kept(AUDIO, message.seconds, message.partial)
            durable.write_file(half_made / RECORD, facts_to_json(message.facts, kept))
            durable.sync(half_made)
            durable.move(half_made, item)
        return item / AUDIO

    def _bin(self) -> Path:
        durable.ensure_directory(self._root, DIRECTORY_MODE)
        durable.ensure_directory(self._root / TMP, DIRECTORY_MODE)
        return self._root / TMP

    def _note(self, item: Path, fate: Fate, user_id: str) -> None:
        durable.replace_file(item / fate.value, user_id.encode())
        for other in Fate:
            if other is not fate:
                (item / other.value).unlink(missing_ok=True)

    def _items(self) -> list[Path]:
        """Oldest first."""
        if not self._root.is_dir():
            return []
        items = [path for path in self._root.iterdir() if path.name != TMP and path.is_dir()]
        return sorted(items, key=lambda item: (item.stat().st_mtime_ns, item.name))

    def _owed(self) -> list[Job]:
        jobs = (self._job(item) for item in self._items() if _fate(item) is Fate.OWED)
        return [job for job in jobs if job is not None]

    def _job(self, item: Path) -> Job | None:
        """None for one that cannot be read, which goes."""
        try:
            facts, kept = facts_from_json((item / RECORD).read_bytes())
            if kept is None or facts.id != item.name:
                raise BadRecord("this is another message's")
            user_id = (item / Fate.OWED.value).read_text(encoding="utf-8")
        except (BadRecord, UnicodeDecodeError, FileNotFoundError) as error:
            log.error("transcript lost", call=item.name, reason=type(error).__name__)
            self._erase(item)
            return None
        audio = str(item / AUDIO)
        return Job(VoiceMessage(facts, audio, kept.seconds, kept.partial), user_id)

    def _erase(self, item: Path) -> None:
        if item.is_dir():
            durable.erase(item, self._bin())

    def _sweep(self, before: float) -> list[str]:
        lost = []
        for item in self._items():
            if item.stat().st_mtime < before:
                if _fate(item) is Fate.OWED:
                    lost.append(item.name)
                self._erase(item)
        if self._root.is_dir():
            for leftover in self._bin().iterdir():
                shutil.rmtree(leftover, ignore_errors=True)
        return lost


def _fate(item: Path) -> Fate | None:
    return next((fate for fate in Fate if (item / fate.value).is_file()), None)


def _same_file(audio: Path, name: Path) -> None:
    """A second name, or a copy where there can be none."""
    with suppress(OSError):
        os.link(audio, name)
        return
    shutil.copyfile(audio, name)
    durable.sync(name)
