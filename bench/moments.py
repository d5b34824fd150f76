"""Hang-up to stored: vm_ari beside app_voicemail, on one Asterisk.

    python -m bench.moments [--calls 30] [--store maildir|imap]

A caller speaks for two seconds and hangs up: how long until the message has its place in the outbox
(the rename; what was written is on the disk before), and until a mail program would see it; at the
peer until its message has its place in the mailbox. With *--store imap* a mail program watches the
INBOX on Dovecot: one connection asks every 2 ms, another waits to be told, which Dovecot does up to
half a second later. Beside both stands app_voicemail with IMAP storage on the same Dovecot, or why
it cannot be built. Each call takes ten seconds, as the greeting is heard to its end.
"""

import argparse
import asyncio
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from inotify_simple import INotify, flags

from bench.beside import PEER_NUMBER, Peer, both, imap_port, peer_mailbox
from bench.first_audio import percentile
from bench.heading import heading
from bench.mail_watch import ASKED, TOLD, Login, watching
from vm_ari.adapters.asterisk.install import AsteriskInstall, find_or_fetch
from vm_ari.adapters.asterisk.unavailable import AsteriskUnavailable
from vm_ari.adapters.softphone import Softphone
from vm_ari.demo.mail_server import MailServer
from vm_ari.demo.parts import Part
from vm_ari.demo.world import Person, World

CAME = flags.CREATE | flags.MOVED_TO
WORDS = np.sin(np.arange(16_800) * 0.4).astype(np.float32) * 0.3
"""Two seconds of a tone, and a little more."""
PATIENCE = 120.0
OUTBOX, FILE = "outbox", "mailbox, file"
QUICK = 3


@dataclass
class Arrivals:
    """Moments at which something came to watched places, by their names."""

    moments: dict[str, float] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def note(self, name: str) -> None:
        """The first time counts."""
        moment = time.perf_counter()
        with self.changed:
            self.moments.setdefault(name, moment)
            self.changed.notify_all()

    def wait(self, names: Sequence[str]) -> None:
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
def watched(places: Mapping[str, tuple[Path, str]], arrivals: Arrivals) -> Iterator[None]:
    """*places*: a directory, and how the names end that count."""
    over = threading.Event()
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
            yield
        finally:
            over.set()
            thread.join()


@dataclass
class Side:
    """Us, or a peer; *files*: directories to watch, *inbox*: whose mailbox to look into."""

    name: str
    number: str
    files: Mapping[str, tuple[Path, str]]
    inbox: Login | None = None
    stored: dict[str, list[float]] = field(default_factory=dict)

    @property
    def places(self) -> Sequence[str]:
        """Where a message comes to."""
        return [*self.files, *([ASKED, TOLD] if self.inbox else [])]

    async def messages(self, phone: Softphone, calls: int) -> None:
        """So many, one after the other; the first one, which makes directories, does not count."""
        await self._call(phone)
        await _until(lambda: all(path.is_dir() for path, _ in self.files.values()))
        await asyncio.sleep(2)
        arrivals = Arrivals()
        with ExitStack() as watches:
            watches.enter_context(watched(self.files, arrivals))
            if self.inbox:
                watches.enter_context(watching(self.inbox, arrivals.note))
                await asyncio.sleep(1)
            for _ in range(calls):
                over = await self._call(phone, arrivals)
                await asyncio.to_thread(arrivals.wait, self.places)
                for place in self.places:
                    self.stored.setdefault(place, []).append(arrivals.moments[place] - over)
                await asyncio.sleep(0.5)

    async def _call(self, phone: Softphone, arrivals: Arrivals | None = None) -> float:
        """The moment of the hang-up."""
        call = await phone.call(self.number, from_number="+493098765432")
        await call.falls_silent(1.2, within=PATIENCE)
        await call.speak(WORDS)
        if arrivals:
            arrivals.begin()
        over = time.perf_counter()
        await call.hang_up()
        return over

    def rows(self) -> Iterator[str]:
        """Lines of the table."""
        for what, times in self.stored.items():
            figures = (percentile([one * 1000 for one in times], p) for p in (50, 90, 99))
            yield f"{self.name:20}{what:24}{len(times):4}" + "".join(f"{t:9.1f}" for t in figures)


async def _measure(options: argparse.Namespace) -> None:
    install = await asyncio.to_thread(find_or_fetch, report=print)
    print(await asyncio.to_thread(heading, install))
    print(f"milliseconds after the hang-up; {options.calls} calls each; store: {options.store}")
    print(f"{'':20}{'':24}{'':4}{'p50':>9}{'p90':>9}{'p99':>9}", flush=True)
    await _in_one_world(install, options, Peer.FILES)
    if options.store == "imap":
        try:
            await _in_one_world(install, options, Peer.IMAP)
        except AsteriskUnavailable as why:
            print(f"app_voicemail_imap is left out: {why}")


async def _in_one_world(install: AsteriskInstall, options: argparse.Namespace, peer: Peer) -> None:
    parts = [Part.IMAP] if options.store == "imap" else []
    with tempfile.TemporaryDirectory(prefix="vm-ari-bench-") as temporary:
        async with (
            both(install, Path(temporary) / "world", parts=parts, peer=peer) as world,
            world.outside_phone() as phone,
        ):
            ours = [_ours(world)] if peer is Peer.FILES else []
            for side in (*ours, _peer(world, peer)):
                await side.messages(phone, options.calls)
                print(*side.rows(), sep="\n", flush=True)


def _ours(world: World) -> Side:
    outbox = {OUTBOX: (world.spool / "new", "")}
    if isinstance(world.store, MailServer):
        return Side("vm_ari", world.anna.number, outbox, _login(world, world.anna))
    box = world.mail_directory(world.anna) / "new"
    return Side("vm_ari", world.anna.number, {**outbox, FILE: (box, "")})


def _peer(world: World, peer: Peer) -> Side:
    if peer is Peer.IMAP:
        return Side(peer.label, PEER_NUMBER, {}, _login(world, world.ben))
    return Side(peer.label, PEER_NUMBER, {FILE: (peer_mailbox(world) / "INBOX", ".txt")})


def _login(world: World, person: Person) -> Login:
    return Login(imap_port(world), person.user.id, person.mail_password)


async def _until(there: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not there():
            await asyncio.sleep(0.05)


def main() -> None:
    """Parse the options and measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=30)
    parser.add_argument("--store", choices=("maildir", "imap"), default="maildir")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} calls each")
    options = parser.parse_args()
    options.calls = QUICK if options.quick else options.calls
    asyncio.run(_measure(options))


if __name__ == "__main__":
    main()
