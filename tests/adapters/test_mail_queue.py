"""Mails of the system on the disk: nothing is lost, nothing goes twice, nothing can be read."""

import asyncio
import os
from collections.abc import Coroutine
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest

from vm_ari.adapters.mail_queue import MailQueue
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.delivery import Attempts
from vm_ari.domain.system_mails import Letter, Recipient, SystemMail, letter_id
from vm_ari.ports import MailNotQueued

T = TypeVar("T")

ANNA = Recipient("anna", "101", "anna@example.org")
WRITTEN = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
LETTER = Letter(
    "a1b2", "<a1b2@example.org>", SystemMail.WELCOME, ANNA, WRITTEN, b"PIN: 271828\r\n", "+49305"
)


def run(story: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(story)


@pytest.fixture
def keys(tmp_path: Path) -> KeyRing:
    return KeyRing(tmp_path / "keys")


@pytest.fixture
def queue(tmp_path: Path, keys: KeyRing) -> MailQueue:
    return MailQueue(tmp_path / "spool" / "mails", keys)


async def released(queue: MailQueue, *letters: Letter) -> None:
    for letter in letters:
        await queue.prepare(letter)
        await queue.release(letter.id)


def test_a_mail_goes_its_way_and_is_remembered(queue: MailQueue) -> None:
    async def story() -> None:
        await queue.prepare(LETTER)
        assert list(await queue.prepared()) == [LETTER]
        assert list(await queue.waiting()) == []
        assert not await queue.was_sent(LETTER.id)
        await queue.release(LETTER.id)
        assert list(await queue.prepared()) == []
        assert list(await queue.waiting()) == [(LETTER.id, Attempts())]
        assert await queue.letter(LETTER.id) == LETTER
        assert await queue.was_sent(LETTER.id)
        await queue.sent(LETTER.id)
        assert list(await queue.waiting()) == []
        assert await queue.was_sent(LETTER.id)

    run(story())


def test_a_mail_that_was_sent_is_not_released_again(queue: MailQueue) -> None:
    async def story() -> None:
        await released(queue, LETTER)
        await queue.sent(LETTER.id)
        await released(queue, LETTER)
        assert list(await queue.waiting()) == []
        assert list(await queue.prepared()) == []

    run(story())


def test_another_process_finds_everything(queue: MailQueue, tmp_path: Path, keys: KeyRing) -> None:
    late, kept = replace(LETTER, id="c3"), replace(LETTER, id="d4")
    tries = Attempts(failed=2, not_before=WRITTEN, last_error="451 later")

    async def story() -> None:
        await released(queue, LETTER, late)
        await queue.prepare(kept)
        await queue.postpone(late.id, tries)
        other = MailQueue(tmp_path / "spool" / "mails", keys)
        assert list(await other.waiting()) == [(LETTER.id, Attempts()), (late.id, tries)]
        assert list(await other.prepared()) == [kept]

    run(story())


def test_what_was_refused_is_kept_with_the_reason(queue: MailQueue) -> None:
    why = Attempts(failed=1, last_error="550 no such user")

    async def story() -> None:
        await released(queue, LETTER)
        await queue.hold(LETTER.id, why)
        assert list(await queue.waiting()) == []
        assert list(await queue.held()) == [(LETTER, why)]
        assert await queue.was_sent(LETTER.id)

    run(story())


def test_dropping_is_harmless_and_releasing_nothing_is_told(queue: MailQueue) -> None:
    async def story() -> None:
        await queue.prepare(LETTER)
        await queue.drop(LETTER.id)
        await queue.drop(LETTER.id)
        assert list(await queue.prepared()) == []
        with pytest.raises(MailNotQueued):
            await queue.release(LETTER.id)

    run(story())


def test_neither_pin_nor_person_can_be_read_on_the_disk(queue: MailQueue, tmp_path: Path) -> None:
    run(released(queue, LETTER))
    [file] = (tmp_path / "spool" / "mails" / "new").iterdir()
    raw = file.read_bytes()
    for secret in (b"271828", b"PIN", b"anna", b"101"):
        assert secret not in raw
    assert file.parent.stat().st_mode & 0o777 == 0o700


def test_a_file_under_another_name_is_no_mail(queue: MailQueue, tmp_path: Path) -> None:
    root = tmp_path / "spool" / "mails"

    async def story() -> None:
        await released(queue, LETTER)
        (root / "new" / LETTER.id).rename(root / "new" / "ffff")
        (root / "new" / "eeee").write_bytes(b"\xff nothing")
        (root / "new" / ".hidden.tmp").write_bytes(b"half")
        names = [name for name, _tries in await queue.waiting()]
        assert sorted(names) == ["eeee", "ffff"]
        assert [await queue.letter(name) for name in names] == [None, None]
        assert sorted(path.name for path in (root / "corrupt").iterdir()) == ["eeee", "ffff"]
        assert list(await queue.waiting()) == []

    run(story())


def test_a_name_that_leads_elsewhere_is_refused(queue: MailQueue) -> None:
    with pytest.raises(ValueError, match="not the id of a record"):
        run(queue.prepare(replace(LETTER, id="../keys")))


def test_a_disk_that_takes_nothing_is_told(tmp_path: Path, keys: KeyRing) -> None:
    (tmp_path / "file").write_text("in the way")
    queue = MailQueue(tmp_path / "file" / "mails", keys)
    with pytest.raises(MailNotQueued, match=str(tmp_path / "file")):
        run(queue.prepare(LETTER))


def test_the_same_occasion_has_the_same_name_everywhere() -> None:
    name = letter_id(SystemMail.WELCOME, "anna", "2026-11-22T03:00:00Z")
    assert name == letter_id(SystemMail.WELCOME, "anna", "2026-11-22T03:00:00Z")
    others = {
        letter_id(SystemMail.LOGIN_LOCKED, "anna", "2026-11-22T03:00:00Z"),
        letter_id(SystemMail.WELCOME, "bert", "2026-11-22T03:00:00Z"),
        letter_id(SystemMail.WELCOME, "anna", "2026-11-22T03:00:01Z"),
    }
    assert len(others | {name}) == 4


def test_what_is_old_is_forgotten(queue: MailQueue, tmp_path: Path) -> None:
    root = tmp_path / "spool" / "mails"

    async def story() -> None:
        for name in ("a1", "b2"):
            await released(queue, replace(LETTER, id=name))
            await queue.sent(name)
        for name in ("old.tmp", "young.tmp"):
            (root / "prepared" / name).write_bytes(b"half")
        for path in (root / "sent" / "a1", root / "prepared" / "old.tmp"):
            os.utime(path, (0, 0))
        await queue.sweep()
        assert [await queue.was_sent(name) for name in ("a1", "b2")] == [False, True]
        assert [path.name for path in (root / "prepared").iterdir()] == ["young.tmp"]

    run(story())
