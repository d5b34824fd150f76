"""Notices of new messages on their way to users, on the disk (NOTIFY-03).

    new/<id>    to be sent: the job and the history of its attempts
    hold/<id>   refused for good, or given up
    over/<id>   empty: so that the same occasion is not told twice

Every step is one rename, so a command may release what is held while the controller sends. Numbers
and texts are people's: what lies here is sealed with our keys.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from vm_ari.adapters.sealed_files import SealedFiles
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.spool_records import attempts_from_json, attempts_to_json
from vm_ari.domain.delivery import Attempts
from vm_ari.domain.notice_jobs import NoticeJob
from vm_ari.domain.notifications import Channel
from vm_ari.ports import NoticeNotKept

Kept = tuple[NoticeJob, Attempts]

NEW, HOLD, OVER = "new", "hold", "over"
REMEMBERED = timedelta(days=30)
"""So long it is known that something was told."""


class NoticeQueue:
    """`ports.NoticeJobs` on files below *root*."""

    def __init__(self, root: Path, keys: KeyRing) -> None:
        self._files = SealedFiles(
            root, keys, (NEW, HOLD, OVER), "notice queue", NoticeNotKept, moving=True
        )

    async def add(self, job: NoticeJob) -> bool:
        """See `NoticeJobs`."""

        def work() -> bool:
            if self._is_known(job.id):
                return False
            self._files.create()
            self._write(NEW, job, Attempts())
            return True

        return await self._files.run(work)

    async def waiting(self) -> Sequence[str]:
        """See `NoticeJobs`."""
        return await self._files.run(lambda: self._files.names(NEW))

    async def read(self, job_id: str) -> Kept | None:
        """See `NoticeJobs`."""
        return await self._files.run(lambda: self._read(NEW, job_id))

    async def postpone(self, job: NoticeJob, history: Attempts) -> None:
        """See `NoticeJobs`."""
        await self._files.run(lambda: self._write(NEW, job, history))

    async def hold(self, job: NoticeJob, history: Attempts) -> None:
        """See `NoticeJobs`."""

        def work() -> None:
            self._write(NEW, job, history)
            self._files.move(NEW, HOLD, job.id)

        await self._files.run(work)

    async def held(self) -> Sequence[Kept]:
        """What was refused for good or given up, the oldest first."""
        return await self._files.run(lambda: self._all_in(HOLD))

    async def all_waiting(self) -> Sequence[Kept]:
        """What is to be sent, the oldest first."""
        return await self._files.run(lambda: self._all_in(NEW))

    async def retry(self, job_id: str, now: datetime) -> None:
        """Send one that is held as if it were new."""

        def work() -> None:
            if kept := self._read(HOLD, job_id):
                self._write(HOLD, replace(kept[0], made=now), Attempts())
                self._files.move(HOLD, NEW, job_id)

        await self._files.run(work)

    async def over(self, job_id: str) -> None:
        """See `NoticeJobs`. The mark first: a crash between sends a second one rather than none."""

        def work() -> None:
            self._files.create()
            self._files.mark(OVER, job_id)
            self._files.remove(NEW, job_id)

        await self._files.run(work)

    async def is_known(self, job_id: str) -> bool:
        """See `NoticeJobs`."""
        return await self._files.run(lambda: self._is_known(job_id))

    async def sweep(self) -> None:
        """See `NoticeJobs`."""

        def work() -> None:
            self._files.forget(OVER, REMEMBERED)
            self._files.sweep()

        await self._files.run(work)

    def close(self) -> None:
        """Let running work end."""
        self._files.close()

    # --- blocking

    def _is_known(self, job_id: str) -> bool:
        return self._files.is_there(job_id, NEW, HOLD, OVER)

    def _all_in(self, state: str) -> list[Kept]:
        found = (self._read(state, name) for name in self._files.names(state))
        return sorted((one for one in found if one), key=lambda kept: kept[0].made)

    def _write(self, state: str, job: NoticeJob, history: Attempts) -> None:
        self._files.write(state, job.id, _record(job, history))

    def _read(self, state: str, job_id: str) -> Kept | None:
        return self._files.read_as(state, job_id, _kept)


def _record(job: NoticeJob, history: Attempts) -> dict[str, Any]:
    return {
        "channel": job.channel.value,
        "user": job.user_id,
        "made": job.made.isoformat(),
        "content": dict(job.content),
        "history": json.loads(attempts_to_json(history)),
    }


def _kept(job_id: str, stored: Any) -> Kept:
    job = NoticeJob(
        id=job_id,
        channel=Channel(stored["channel"]),
        user_id=str(stored["user"]),
        made=datetime.fromisoformat(stored["made"]).astimezone(UTC),
        content={str(key): str(value) for key, value in stored["content"].items()},
    )
    return job, attempts_from_json(json.dumps(stored["history"]).encode())
