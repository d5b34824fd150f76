"""Hang-up to stored: vm_ari beside app_voicemail, on one Asterisk.

    python -m bench.moments [--calls 30] [--store maildir|imap]

A caller speaks for two seconds and hangs up: how long until the message has its place in the outbox
(the rename; what was written is on the disk before), and until a mail program would see it; at the
peer until its message has its place in the mailbox. Each call takes a quarter of a minute, as the
greeting is heard to its end.
"""

import argparse
import asyncio
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from inotify_simple import INotify, flags

from bench.beside import PEER_NUMBER, both, peer_mailbox
from bench.first_audio import percentile
from vm_ari.adapters.asterisk.install import find_or_fetch
from vm_ari.adapters.softphone import Softphone
from vm_ari.demo.parts import Part
from vm_ari.demo.world import World

CAME = flags.CREATE | flags.MOVED_TO
WORDS = np.sin(np.arange(16_000) * 0.4).astype(np.float32) * 0.3
"""Two seconds of a tone."""
PATIENCE = 120.0


@dataclass
class Arrivals:
    """Moments at which something came into watched directories, by name of the watch."""

    moments: dict[str, float] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def note(self, name: str) -> None:
        """The first time counts."""
        with self.changed:
            self.moments.setdefault(name, time.perf_counter())
            self.changed.notify_all()

    def wait(self, *names: str) -> None:
        """Until something came everywhere. Raises `TimeoutError`."""
        with self.changed:
            there = self.changed.wait_for(lambda: self.moments.keys() >= set(names), PATIENCE)
        if not there:
            raise TimeoutError(f"nothing came: {set(names) - self.moments.keys()}")

    def begin(self) -> None:
        """Forget what came."""
        with self.changed:
            self.moments.clear()


@contextmanager
def watched(places: dict[str, tuple[Path, str]]) -> Iterator[Arrivals]:
    """*places*: a directory, and how the names end that count."""
    arrivals, over = Arrivals(), threading.Event()
    with INotify() as kernel:
        names = {kernel.add_watch(path, CAME): (name, end) for name, (path, end) in places.items()}

        def listen() -> None:
            while not over.is_set():
                for event in kernel.read(timeout=200):
                    name, end = names[event.wd]
                    if event.name.endswith(end):
                        arrivals.note(name)

        thread = threading.Thread(target=listen)
        thread.start()
        try:
            yield arrivals
        finally:
            over.set()
            thread.join()


@dataclass
class Side:
    """Us, or the peer."""

    name: str
    mailbox: str
    places: tuple[str, ...]
    stored: dict[str, list[float]] = field(default_factory=dict)

    async def message(self, phone: Softphone, arrivals: Arrivals) -> None:
        """Leave one, and note how long it took to be there."""
        call = await phone.call(self.mailbox, from_number="+493098765432")
        await call.falls_silent(1.2, within=PATIENCE)
        await call.speak(WORDS)
        arrivals.begin()
        over = time.perf_counter()
        await call.hang_up()
        await asyncio.to_thread(arrivals.wait, *self.places)
        for place in self.places:
            self.stored.setdefault(place, []).append(arrivals.moments[place] - over)

    def rows(self) -> Iterator[str]:
        """Lines of the table."""
        for what, times in self.stored.items():
            yield _row(self.name, what, times)


def _row(name: str, what: str, times: Sequence[float]) -> str:
    percentiles = (percentile([t * 1000 for t in times], p) for p in (50, 90, 99))
    return f"{name:14} {what:24} {len(times):4}" + "".join(f"{t:9.1f}" for t in percentiles)


async def _measure(options: argparse.Namespace) -> None:
    install = await asyncio.to_thread(find_or_fetch, report=print)
    parts = [Part.IMAP] if options.store == "imap" else []
    with tempfile.TemporaryDirectory(prefix="vm-ari-bench-") as temporary:
        async with both(install, Path(temporary) / "world", parts=parts) as world:
            await _both(world, options)


async def _both(world: World, options: argparse.Namespace) -> None:
    anna = world.anna
    ours = Side("vm_ari", anna.number, ("outbox", "mailbox"))
    peer = Side("app_voicemail", PEER_NUMBER, ("mailbox",))
    async with world.outside_phone() as phone:
        await _first_messages(world, (ours, peer), phone)
        for side, places in ((ours, _our_places(world)), (peer, _peer_places(world))):
            with watched(places) as arrivals:
                for _ in range(options.calls):
                    await side.message(phone, arrivals)
                    await asyncio.sleep(0.5)
    print(f"milliseconds; {options.calls} each; store: {options.store}")
    print(f"{'':14} {'':24} {'':4}{'p50':>9}{'p90':>9}{'p99':>9}")
    for side in (ours, peer):
        print(*side.rows(), sep="\n")


async def _first_messages(world: World, sides: Sequence[Side], phone: Softphone) -> None:
    """The first one makes the directories."""
    for side in sides:
        call = await phone.call(side.mailbox, from_number="+493098765432")
        await call.falls_silent(1.2, within=PATIENCE)
        await call.speak(WORDS)
        await call.hang_up()
    await _until(lambda: all(path.is_dir() for path, _ in _our_places(world).values()))
    await _until(lambda: all(path.is_dir() for path, _ in _peer_places(world).values()))
    await asyncio.sleep(1)


async def _until(there: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not there():
            await asyncio.sleep(0.05)


def _our_places(world: World) -> dict[str, tuple[Path, str]]:
    boxes = [*world.directory.glob(f"**/{world.anna.user.id}/Maildir/new")]
    box = boxes[0] if boxes else world.mail_directory(world.anna) / "new"
    return {"outbox": (world.spool / "new", ""), "mailbox": (box, "")}


def _peer_places(world: World) -> dict[str, tuple[Path, str]]:
    return {"mailbox": (peer_mailbox(world) / "INBOX", ".txt")}


def main() -> None:
    """Parse the options and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=30)
    parser.add_argument("--store", choices=("maildir", "imap"), default="maildir")
    asyncio.run(_measure(parser.parse_args()))


if __name__ == "__main__":
    main()
