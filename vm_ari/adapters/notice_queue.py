"""Notices of new messages on their way to users, on the disk (NOTIFY-03).

    new/<id>    to be sent: the job and the history of its attempts
    hold/<id>   refused for good, or given up
    over/<id>   empty: so that the same occasion is not told twice

Every step is one rename, so a command may release what is held while the controller sends. Numbers
and texts are people's: what lies here is sealed with our keys.
"""

import asyncio
import json
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import structlog

from vm_ari.adapters import durable
from vm_ari.adapters.sealing import KeyRing, KeysUnusable, SealBroken
from vm_ari.adapters.spool_records import attempts_from_json, attempts_to_json
from vm_ari.domain.delivery import Attempts
from vm_ari.domain.notice_jobs import NoticeJob
from vm_ari.domain.notifications import Channel
from vm_ari.ports import NoticeNotKept

T = TypeVar("T")
Kept = tuple[NoticeJob, Attempts]

NEW, HOLD, OVER, CORRUPT = "new", "hold", "over", "corrupt"
_STATES = (NEW, HOLD, OVER, CORRUPT)
DIRECTORY_MODE = 0o700
REMEMBERED = timedelta(days=30)
"""So long it is known that something was told."""
HALF_WRITTEN = timedelta(hours=1)
"""A file that old, which a crash has left half written, is nobody's any more."""
_PURPOSE = "notice queue"
_SAFE_ID = re.compile("[a-z0-9]{1,64}")

log = structlog.get_logger("vm_ari.notices")


class NoticeQueue:
    """`ports.NoticeJobs` on files below *root*."""

    def __init__(self, root: Path, keys: KeyRing) -> None:
        self._root = root
        self._keys = keys
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="notice-queue")
        """One: nobody sees a step of somebody else half done."""

    async def add(self, job: NoticeJob) -> bool:
        """See `NoticeJobs`."""

        def work() -> bool:
            if self._is_known(job.id):
                return False
            self._create()
            self._write(NEW, job, Attempts())
            return True

        return await self._run(work)

    async def waiting(self) -> Sequence[str]:
        """See `NoticeJobs`."""
        return await self._run(lambda: self._names(NEW))

    async def read(self, job_id: str) -> Kept | None:
        """See `NoticeJobs`."""
        return await self._run(lambda: self._read(NEW, job_id))

    async def postpone(self, job: NoticeJob, history: Attempts) -> None:
        """See `NoticeJobs`."""
        await self._run(lambda: self._write(NEW, job, history))

    async def hold(self, job: NoticeJob, history: Attempts) -> None:
        """See `NoticeJobs`."""

        def work() -> None:
            self._write(NEW, job, history)
            durable.move(self._place(NEW, job.id), self._place(HOLD, job.id))

        await self._run(work)

    async def held(self) -> Sequence[Kept]:
        """What was refused for good or given up, the oldest first."""
        return await self._run(lambda: self._all_in(HOLD))

    async def all_waiting(self) -> Sequence[Kept]:
        """What is to be sent, the oldest first."""
        return await self._run(lambda: self._all_in(NEW))

    async def retry(self, job_id: str, now: datetime) -> None:
        """Send one that is held as if it were new."""

        def work() -> None:
            if kept := self._read(HOLD, job_id):
                self._write(HOLD, replace(kept[0], made=now), Attempts())
                durable.move(self._place(HOLD, job_id), self._place(NEW, job_id))

        await self._run(work)

    async def over(self, job_id: str) -> None:
        """See `NoticeJobs`. The mark first: a crash between sends a second one rather than none."""

        def work() -> None:
            self._create()
            durable.write_file(self._place(OVER, job_id), b"")
            durable.sync(self._root / OVER)
            self._place(NEW, job_id).unlink(missing_ok=True)

        await self._run(work)

    async def is_known(self, job_id: str) -> bool:
        """See `NoticeJobs`."""
        return await self._run(lambda: self._is_known(job_id))

    async def sweep(self) -> None:
        """See `NoticeJobs`."""
        await self._run(self._sweep)

    def close(self) -> None:
        """Let running work end."""
        self._thread.shutdown()

    # --- blocking

    async def _run(self, work: Callable[[], T]) -> T:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, work)
        except OSError as error:
            where = error.filename or self._root
            raise NoticeNotKept(f"{error.strerror or error}: {where}") from error
        except KeysUnusable as error:
            raise NoticeNotKept(str(error)) from error

    def _create(self) -> None:
        self._root.parent.mkdir(parents=True, exist_ok=True)
        for directory in (self._root, *(self._root / state for state in _STATES)):
            with suppress(FileExistsError):  # another process is as fast
                durable.ensure_directory(directory, DIRECTORY_MODE)
        durable.sync(self._root)

    def _place(self, state: str, job_id: str) -> Path:
        if not _SAFE_ID.fullmatch(job_id):
            raise ValueError("not the id of a notice")
        return self._root / state / job_id

    def _is_known(self, job_id: str) -> bool:
        return any(self._place(state, job_id).exists() for state in (NEW, HOLD, OVER))

    def _names(self, state: str) -> list[str]:
        directory = self._root / state
        if not directory.is_dir():
            return []
        return sorted(path.name for path in directory.iterdir() if _SAFE_ID.fullmatch(path.name))

    def _all_in(self, state: str) -> list[Kept]:
        found = (self._read(state, name) for name in self._names(state))
        return sorted((one for one in found if one), key=lambda kept: kept[0].made)

    def _write(self, state: str, job: NoticeJob, history: Attempts) -> None:
        content = _sealed(job, history, self._keys)
        durable.replace_file(self._place(state, job.id), content)

    def _read(self, state: str, job_id: str) -> Kept | None:
        """None for one that is gone, and for one that cannot be read, which goes out of the way."""
        try:
            return _opened(self._place(state, job_id).read_bytes(), job_id, self._keys)
        except FileNotFoundError:
            return None
        except PermissionError as error:  # kept by a command that another account has run
            log.error("a notice cannot be read", id=job_id, why=error.strerror)
            return None
        except (SealBroken, ValueError, KeyError, TypeError, AttributeError) as error:
            log.error("a notice cannot be read", id=job_id, why=type(error).__name__)
            durable.move(self._place(state, job_id), self._place(CORRUPT, job_id))
            return None

    def _sweep(self) -> None:
        for name in self._names(OVER):
            _unlink_if_older(self._place(OVER, name), REMEMBERED)
        for state in _STATES:
            for half_written in (self._root / state).glob(f"*{durable.UNFINISHED}"):
                _unlink_if_older(half_written, HALF_WRITTEN)


def _unlink_if_older(path: Path, age: timedelta) -> None:
    with suppress(FileNotFoundError):
        if path.stat().st_mtime < time.time() - age.total_seconds():
            path.unlink()


def _sealed(job: NoticeJob, history: Attempts, keys: KeyRing) -> bytes:
    """The seal is bound to the name of the file."""
    plain = {
        "channel": job.channel.value,
        "user": job.user_id,
        "made": job.made.isoformat(),
        "content": dict(job.content),
        "history": json.loads(attempts_to_json(history)),
    }
    return keys.seal(json.dumps(plain), owner=job.id, attribute=_PURPOSE).encode()


def _opened(raw: bytes, job_id: str, keys: KeyRing) -> Kept:
    stored = json.loads(keys.open(raw.decode("ascii"), owner=job_id, attribute=_PURPOSE))
    job = NoticeJob(
        id=job_id,
        channel=Channel(stored["channel"]),
        user_id=str(stored["user"]),
        made=datetime.fromisoformat(stored["made"]).astimezone(UTC),
        content={str(key): str(value) for key, value in stored["content"].items()},
    )
    return job, attempts_from_json(json.dumps(stored["history"]).encode())
