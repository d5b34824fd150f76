"""inotify and polling on real directories: who is named, also beyond the kernel's limits."""

import asyncio
import errno
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import pytest
from inotify_simple import INotify
from structlog.testing import capture_logs

from tests.patience import AT_MOST
from tests.services.test_watching import person
from vm_ari.adapters.maildir_tree import Folder
from vm_ari.adapters.watching.maildirs import MaildirWatcher, sysctl_line
from vm_ari.domain.users import User

USERS = [person(number) for number in range(101, 106)]
ANNA, BERT = USERS[:2]
EITHER = pytest.mark.parametrize("inotify", [True, False], ids=["inotify", "polling"])


class Site:
    """Maildirs of some users, watched."""

    def __init__(self, root: Path, users: Sequence[User] = USERS, **how: Any) -> None:
        self.root = root
        self.users = users
        self.heard: list[str] = []
        self.losses = 0
        self.watcher = MaildirWatcher(root, self.heard.append, self._lose, **how)
        for user in users:
            self.folder(user).create()

    def _lose(self) -> None:
        self.losses += 1

    def folder(self, user: User) -> Folder:
        return Folder(self.root / user.mailbox)

    def deliver(self, user: User, name: str = "1.a.host") -> Path:
        path = self.folder(user).path / "new" / name
        path.write_text("Subject: x\n\n")
        return path

    def tell(self, story: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def whole() -> None:
            running = asyncio.create_task(self.watcher.run())
            self.watcher.meet(self.users)
            try:
                await self.until(
                    lambda: self.watcher.watched + self.watcher.polled >= len(self.users)
                )
                await asyncio.sleep(0.4)
                self.heard.clear()
                await story()
            finally:
                running.cancel()
                await asyncio.wait([running])

        asyncio.run(whole())

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(AT_MOST):
            while not condition():
                await asyncio.sleep(0.02)

    async def hears_of(self, user: User) -> None:
        await self.until(lambda: user.id in self.heard)
        assert set(self.heard) == {user.id}
        self.heard.clear()


@EITHER
def test_delivering_reading_and_removing_are_heard_of_the_right_user(
    tmp_path: Path, inotify: bool
) -> None:
    site = Site(tmp_path, inotify=inotify, poll_seconds=0.1)

    async def story() -> None:
        path = site.deliver(BERT)
        await site.hears_of(BERT)
        read = site.folder(BERT).path / "cur" / "1.a.host:2,S"
        path.rename(read)
        await site.hears_of(BERT)
        read.rename(read.with_name("1.a.host:2,"))
        await site.hears_of(BERT)
        read.with_name("1.a.host:2,").unlink()
        await site.hears_of(BERT)
        (site.folder(BERT).path / "tmp" / "x").touch()
        (site.folder(BERT).path / "dovecot.index.log").touch()
        await asyncio.sleep(0.3)
        assert inotify is False or site.heard == [], "nothing that is counted has changed"

    site.tell(story)


@EITHER
def test_a_mailbox_that_comes_later_or_is_exchanged_is_watched_too(
    tmp_path: Path, inotify: bool
) -> None:
    site = Site(tmp_path, inotify=inotify, poll_seconds=0.1)
    late, old = person(110), tmp_path / "before"

    async def story() -> None:
        site.watcher.meet([*site.users, late])
        await asyncio.sleep(0.3)
        site.folder(late).create()
        await site.hears_of(late)
        await asyncio.sleep(0.3)
        site.deliver(late)
        await site.hears_of(late)
        site.folder(ANNA).path.rename(old)  # a backup comes back
        site.folder(ANNA).create()
        site.watcher.meet([*site.users, late])
        await site.until(lambda: ANNA.id in site.heard)
        await asyncio.sleep(0.5)
        site.heard.clear()
        site.deliver(ANNA)
        await site.until(lambda: ANNA.id in site.heard)

    site.tell(story)


def test_a_mailbox_that_goes_and_comes_back_is_watched_again(tmp_path: Path) -> None:
    site = Site(tmp_path, poll_seconds=0.1)
    path = site.folder(ANNA).path

    async def story() -> None:
        for name in ("new", "cur", "tmp"):
            (path / name).rmdir()
        path.rmdir()
        await asyncio.sleep(0.3)
        site.folder(ANNA).create()
        await site.hears_of(ANNA)
        await site.until(lambda: site.watcher.polled == 0)
        site.deliver(ANNA)
        await site.hears_of(ANNA)

    site.tell(story)


def test_what_the_kernel_does_not_watch_is_polled_and_the_admin_told_what_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit is the machine's: it is reached here after three watches."""
    real, added = INotify.add_watch, 0

    def limited(self: INotify, path: str, mask: int) -> int:
        nonlocal added
        added += 1
        if added > 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        return int(real(self, path, mask))

    monkeypatch.setattr(INotify, "add_watch", limited)
    site = Site(tmp_path, poll_seconds=0.1)

    async def story() -> None:
        assert site.watcher.polled == 4
        for user in USERS:
            site.deliver(user)
            await site.until(lambda user=user: user.id in site.heard)  # type: ignore[misc]

    with capture_logs() as logs:
        site.tell(story)
    [told] = [entry for entry in logs if entry["log_level"] == "warning"]
    assert told["advice"] == "sysctl -w fs.inotify.max_user_watches=65536"


def test_a_change_that_hides_behind_the_time_of_the_one_before_is_heard_later(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path, inotify=False, poll_seconds=0.1)

    async def story() -> None:
        site.deliver(ANNA)
        await site.hears_of(ANNA)
        await site.hears_of(ANNA)  # once more, when no other change can have the same time

    site.tell(story)


def test_an_overflow_of_the_kernels_queue_has_all_counted(tmp_path: Path) -> None:
    most = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    site = Site(tmp_path)

    async def story() -> None:
        new = site.folder(ANNA).path / "new"
        for number in range(most // 2 + 100):  # the loop does not read meanwhile
            path = new / str(number)
            path.touch()
            path.unlink()
        await site.until(lambda: site.losses > 0)

    site.tell(story)


@pytest.mark.parametrize(("watches", "line"), [(20, 65536), (20_000, 65536), (80_000, 262144)])
def test_the_line_to_type_leaves_room_for_twice_as_many(watches: int, line: int) -> None:
    assert sysctl_line(watches).endswith(f"={line}")
    assert line >= 2 * watches
