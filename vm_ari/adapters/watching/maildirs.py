"""Maildirs are watched by inotify(7); what it cannot watch is looked at every two seconds."""

import asyncio
import errno
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import structlog
from inotify_simple import Event, INotify, flags

from vm_ari.adapters.maildir_listing import SETTLED
from vm_ari.adapters.maildir_tree import store_name
from vm_ari.domain.messages import Counts
from vm_ari.domain.users import User

log = structlog.get_logger("vm_ari.watching")

FOLDERS = ("new", "cur")
"""Of a mailbox: what is delivered, read, moved or removed shows in one of them."""
WATCHES = len(FOLDERS)
"""That one mailbox takes of the kernel's (`fs.inotify.max_user_watches`)."""
_CHANGES = flags.CREATE | flags.DELETE | flags.MOVED_FROM | flags.MOVED_TO
_ENDS = flags.DELETE_SELF | flags.MOVE_SELF | flags.IGNORED | flags.UNMOUNT
_MASK = _CHANGES | flags.DELETE_SELF | flags.MOVE_SELF | flags.ONLYDIR
_LIMITS = (errno.ENOSPC, errno.ENOMEM)

State = tuple[int, int] | None
"""When both folders have changed last; None while there is no such mailbox."""


class MaildirWatcher:
    """`services.watching.Watcher` for the Maildirs below *root*.

    *changed* hears whose mailbox it was, *lost* that changes may have been missed. inotify sees
    nothing of what another machine does on a network file system: without *inotify* all are polled.
    """

    def __init__(
        self,
        root: Path,
        changed: Callable[[str], None],
        lost: Callable[[], None],
        *,
        inotify: bool = True,
        poll_seconds: float = 2.0,
    ) -> None:
        self._root = str(root)
        self._changed = changed
        self._lost = lost
        self._poll_seconds = poll_seconds
        self._inotify = inotify
        self._kernel: INotify | None = None
        self._ids: Mapping[str, str] = {}
        """User ids by the names of their mailboxes."""
        self._watched: dict[int, str] = {}
        """Names by the kernel's watch numbers."""
        self._polled: dict[str, State] = {}
        self._unsettled: dict[str, float] = {}
        """Polled ones that changed, and when no other change can hide behind that one any more."""
        self._met = asyncio.Event()
        self._full = False

    @property
    def watched(self) -> int:
        """How many mailboxes inotify watches."""
        return len(set(self._watched.values()))

    @property
    def polled(self) -> int:
        """How many are looked at again and again."""
        return len(self._polled)

    def meet(self, users: Sequence[User]) -> None:
        """See `Watcher`: from now on these are watched."""
        self._ids = {store_name(user): user.id for user in users}
        self._met.set()

    def counted(self, user: User, counts: Counts) -> None:
        """See `Watcher`: all are watched alike."""

    async def run(self) -> None:
        """Watch until cancelled."""
        loop = asyncio.get_running_loop()
        kernel = self._kernel = _opened() if self._inotify else None
        if kernel:
            loop.add_reader(kernel.fileno(), self._read, kernel)
        try:
            async with asyncio.TaskGroup() as parts:
                parts.create_task(self._arrange(), name="watches")
                parts.create_task(self._poll(), name="polling")
        finally:
            if kernel:
                loop.remove_reader(kernel.fileno())
                kernel.close()

    # --- inotify

    async def _arrange(self) -> None:
        """Whenever the users are known anew; a mailbox that was put in another's place is found."""
        while True:
            await self._met.wait()
            self._met.clear()
            names = list(self._ids)
            await self._watch(names)
            gone = [name for name in self._polled if name not in self._ids]
            for name in gone:
                del self._polled[name]
            log.info("maildirs watched", inotify=self.watched, polled=self.polled)

    async def _watch(self, names: Sequence[str]) -> None:
        """Those that are watched newly are counted: before, nobody saw what happened there."""
        before = set(self._watched)
        rest = await asyncio.to_thread(self._add_watches, names)
        new = {self._watched[number] for number in self._watched.keys() - before}
        for name in names:
            if name in rest:
                self._polled.setdefault(name, None)
            else:
                self._polled.pop(name, None)
        self._tell(new)

    def _add_watches(self, names: Iterable[str]) -> set[str]:
        """In a thread: 15 microseconds each. What cannot be watched is returned."""
        if self._kernel is None:
            return set(names)
        return {name for name in names if not self._add_watch(self._kernel, name)}

    def _add_watch(self, kernel: INotify, name: str) -> bool:
        try:
            for folder in FOLDERS:
                number = kernel.add_watch(f"{self._root}/{name}/{folder}", _MASK)
                self._watched[number] = name
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno in _LIMITS:
                self._tell_limit()
            return False
        return True

    def _tell_limit(self) -> None:
        if not self._full:
            needed = len(self._ids) * WATCHES
            log.warning(
                "inotify watches no more mailboxes: the others are looked at every few seconds",
                advice=sysctl_line(needed),
            )
        self._full = True

    def _read(self, kernel: INotify) -> None:
        names: dict[str, None] = {}
        events: Iterable[Event] = kernel.read(timeout=0)
        for event in events:
            if event.mask & flags.Q_OVERFLOW:
                log.warning("changes of mailboxes were missed: all are counted")
                self._lost()
            elif event.mask & _ENDS:
                self._ended(event.wd)
            elif name := self._watched.get(event.wd):
                names[name] = None
        self._tell(names)

    def _ended(self, number: int) -> None:
        """The folder is gone: perhaps it comes back."""
        if name := self._watched.pop(number, None):
            self._polled[name] = None

    def _tell(self, names: Iterable[str]) -> None:
        for name in names:
            if user_id := self._ids.get(name):
                self._changed(user_id)

    # --- polling

    async def _poll(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._poll_seconds)
            looked_at = dict(self._polled)
            states = await asyncio.to_thread(self._look, list(looked_at))
            now = loop.time()
            moved = [name for name, state in states.items() if state != looked_at[name]]
            settled = [name for name, until in self._unsettled.items() if until < now]
            for name in settled:
                del self._unsettled[name]
            for name in moved:
                if looked_at[name] is not None:
                    self._unsettled[name] = now + SETTLED
                if name in self._polled:
                    self._polled[name] = states[name]
            self._tell({**dict.fromkeys(settled), **dict.fromkeys(moved)})
            if self._kernel and not self._full and moved:
                await self._watch(moved)

    def _look(self, names: Iterable[str]) -> dict[str, State]:
        """In a thread: about four microseconds each."""
        return {name: self._state(name) for name in names}

    def _state(self, name: str) -> State:
        try:
            new, cur = (
                os.stat(f"{self._root}/{name}/{folder}")  # noqa: PTH116 - thousands, every second
                for folder in FOLDERS
            )
        except OSError:
            return None
        return new.st_mtime_ns, cur.st_mtime_ns


def sysctl_line(watches: int) -> str:
    """What to type so that the kernel allows so many more."""
    most = 1 << (2 * watches - 1).bit_length()
    return f"sysctl -w fs.inotify.max_user_watches={max(most, 65536)}"


def _opened() -> INotify | None:
    try:
        return INotify(nonblocking=True)
    except OSError as error:
        log.warning("mailboxes are looked at every few seconds", reason=f"inotify: {error}")
        return None
