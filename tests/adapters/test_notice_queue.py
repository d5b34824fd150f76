"""Notices on the disk: nothing is lost, nothing is told twice, nothing can be read."""

import asyncio
import os
from collections.abc import Coroutine
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from vm_ari.adapters.notice_queue import NoticeQueue
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.delivery import Attempts
from vm_ari.domain.notice_jobs import NoticeJob
from vm_ari.domain.notifications import Channel
from vm_ari.ports import NoticeNotKept

T = TypeVar("T")

MADE = datetime(2026, 11, 22, 3, 0, 0, 5, tzinfo=UTC)
JOB = NoticeJob(
    "a1b2", Channel.SMS, "anna", MADE, {"number": "+491701234567", "text": "2 neue Nachrichten"}
)
TRIED = Attempts(failed=2, not_before=MADE + timedelta(minutes=3), last_error="503 busy")


def run(story: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(story)


@pytest.fixture
def queue(tmp_path: Path) -> NoticeQueue:
    return NoticeQueue(tmp_path / "spool" / "notices", KeyRing(tmp_path / "keys"))


def test_a_job_goes_its_way_and_is_remembered(queue: NoticeQueue) -> None:
    async def story() -> None:
        assert list(await queue.waiting()) == []
        assert await queue.add(JOB)
        assert not await queue.add(JOB)
        assert await queue.read(JOB.id) == (JOB, Attempts())
        await queue.postpone(JOB, TRIED)
        assert await queue.read(JOB.id) == (JOB, TRIED)
        assert list(await queue.waiting()) == [JOB.id]
        await queue.over(JOB.id)
        assert list(await queue.waiting()) == []
        assert await queue.is_known(JOB.id)
        assert not await queue.add(JOB)

    run(story())


def test_another_process_finds_everything_and_lets_go_what_was_held(
    queue: NoticeQueue, tmp_path: Path
) -> None:
    later = replace(JOB, id="c3", made=MADE + timedelta(seconds=1))

    async def story() -> None:
        for job in (later, JOB):
            await queue.add(job)
        other = NoticeQueue(tmp_path / "spool" / "notices", KeyRing(tmp_path / "keys"))
        assert [job for job, _ in await other.all_waiting()] == [JOB, later]
        await queue.hold(JOB, TRIED)
        assert list(await other.held()) == [(JOB, TRIED)]
        assert not await other.add(JOB)
        now = MADE + timedelta(days=9)
        await other.retry(JOB.id, now)
        assert await queue.read(JOB.id) == (replace(JOB, made=now), Attempts())
        await other.retry("ffff", now)

    run(story())


def test_neither_number_nor_text_can_be_read_on_the_disk(
    queue: NoticeQueue, tmp_path: Path
) -> None:
    run(queue.add(JOB))
    [file] = (tmp_path / "spool" / "notices" / "new").iterdir()
    raw = file.read_bytes()
    for secret in (b"1701234567", b"Nachrichten", b"anna"):
        assert secret not in raw
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_a_file_under_another_name_is_no_job(queue: NoticeQueue, tmp_path: Path) -> None:
    root = tmp_path / "spool" / "notices"

    async def story() -> None:
        await queue.add(JOB)
        (root / "new" / JOB.id).rename(root / "new" / "ffff")
        (root / "new" / "eeee").write_bytes(b"\xff nothing")
        (root / "new" / ".hidden.tmp").write_bytes(b"half")
        assert list(await queue.waiting()) == ["eeee", "ffff"]
        assert list(await queue.all_waiting()) == []
        assert sorted(path.name for path in (root / "corrupt").iterdir()) == ["eeee", "ffff"]
        assert list(await queue.waiting()) == []

    run(story())


def test_a_name_that_leads_elsewhere_is_refused(queue: NoticeQueue) -> None:
    with pytest.raises(ValueError, match="not the id of a record"):
        run(queue.add(replace(JOB, id="../keys")))


def test_a_disk_that_takes_nothing_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    queue = NoticeQueue(tmp_path / "file" / "notices", KeyRing(tmp_path / "keys"))
    with pytest.raises(NoticeNotKept, match=str(tmp_path / "file")):
        run(queue.add(JOB))


def test_what_is_old_is_forgotten(queue: NoticeQueue, tmp_path: Path) -> None:
    root = tmp_path / "spool" / "notices"

    async def story() -> None:
        for name in ("a1", "b2"):
            await queue.add(replace(JOB, id=name))
            await queue.over(name)
        (root / "new" / "old.tmp").write_bytes(b"half")
        for path in (root / "over" / "a1", root / "new" / "old.tmp"):
            os.utime(path, (0, 0))
        await queue.sweep()
        assert [await queue.is_known(name) for name in ("a1", "b2")] == [False, True]
        assert list((root / "new").iterdir()) == []

    run(story())
