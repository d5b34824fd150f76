"""A controller with 10,000 mailboxes: its memory and CPU, and the time from a change to the NOTIFY.

    python -m bench.lamps --mailboxes 10000 --store maildir
    python -m bench.lamps --mailboxes 10000 --store dovecot [--most-idle 100] [--push]

The whole controller runs, beside a real Asterisk to which the phones of some mailboxes are
registered. Changes are made as a mail program makes them: a message is read, goes, and another one
comes. The other mailboxes hold *--messages* each, which were heard, and every tenth a new one
besides. On the Dovecot the phones' ones are among those watched by IDLE, as their lamps are on;
with *--push* nobody is, and the server tells by the snippet of `mail-conf/`.
"""

import argparse
import asyncio
import os
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench.heading import heading
from bench.processes import Process
from tests.dovecot import ADMIN, ADMIN_PASSWORD, Dovecot, dovecot
from vm_ari.adapters.asterisk.configuration import Phone
from vm_ari.adapters.asterisk.install import find_or_fetch
from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.softphone import Softphone
from vm_ari.demo.world import World
from vm_ari.domain.entries import entry_of
from vm_ari.domain.users import User

TOKEN = "a-token-of-the-bench"
QUIET_SECONDS = 30.0
SNIPPET = Path(__file__).parents[1] / "mail-conf" / "dovecot"
MAIL = b"Message-Context: voice-message\nMessage-ID: <%d@bench>\nSubject: x\n\nx\n"


@dataclass
class Site:
    """What the mailboxes lie in, and a mail program for them."""

    world: World
    server: Dovecot | None
    delivered: int = 0
    seconds: list[float] = field(default_factory=list)

    def deliver(self, user: User) -> None:
        """A new voice message."""
        self.delivered += 1
        mail = MAIL % self.delivered
        if self.server:
            with self.server.mail_program(user.id) as client:
                client.append("INBOX", mail.replace(b"\n", b"\r\n"))
            return
        box, name = self.world.mail / user.mailbox, f"{self.delivered}.M.host"
        (box / "tmp" / name).write_bytes(mail)
        (box / "tmp" / name).rename(box / "new" / name)

    def read(self, user: User) -> None:
        """All are read."""
        if self.server:
            with self.server.mail_program(user.id) as client:
                client.add_flags(client.search(), ["\\Seen"], silent=True)
            return
        box = self.world.mail / user.mailbox
        for path in (box / "new").iterdir():
            path.rename(box / "cur" / f"{path.name}:2,S")

    def remove(self, user: User) -> None:
        """All are removed."""
        if self.server:
            with self.server.mail_program(user.id) as client:
                client.delete_messages(client.search(), silent=True)
                client.expunge()
            return
        for path in (self.world.mail / user.mailbox / "cur").iterdir():
            path.unlink()

    def fill(self, users: Sequence[User], heard: int) -> None:
        """Messages that were there before; straight into the files."""
        for place, user in enumerate(users):
            self._fill(user, heard, new=place % 10 == 0)
        if self.server and os.getuid() == 0:
            files = self.server.base / "mail"
            subprocess.run(["chown", "-R", "nobody:nogroup", files], check=True)

    def _fill(self, user: User, heard: int, *, new: bool) -> None:
        base = self.server.base / "mail" / user.id if self.server else self.world.mail
        box = base / ("Maildir" if self.server else user.mailbox)
        for part in ("cur", "new", "tmp"):
            (box / part).mkdir(mode=0o700, parents=True, exist_ok=True)
        for place in [f"cur/{n}.M.host:2,S" for n in range(heard)] + ["new/9.M.host"] * new:
            self.delivered += 1
            (box / place).write_bytes(MAIL % self.delivered)

    async def changes(self, user: User, phone: Softphone, rounds: int) -> None:
        """Each until the phone shows it."""
        steps: Sequence[tuple[Callable[[User], None], int, int]] = (
            *((self.read, 0, 1), (self.remove, 0, 0), (self.deliver, 1, 0)),
        )
        for _ in range(rounds):
            for change, new, old in steps:
                await asyncio.to_thread(change, user)
                began = time.perf_counter()
                await phone.lamp(new, old, within=60)
                self.seconds.append(time.perf_counter() - began)
                await asyncio.sleep(0.5)


def people(count: int) -> list[User]:
    """Numbers from 10000 on."""
    return [
        User(f"u{n}", f"User {n}", str(n), (f"+49305550{n}",), f"u{n}@demo.example")
        for n in range(10000, 10000 + count)
    ]


async def add(world: World, users: Sequence[User]) -> None:
    """Into the controller's directory."""
    keys = KeyRing(world.directory / "keys")
    directory = EmbeddedDirectory(f"sqlite:///{world.directory}/directory.db", keys)
    try:
        await directory.add_entries([entry_of(user) for user in users])
    finally:
        await directory.close()


def settings(server: Dovecot | None, options: argparse.Namespace, port: int) -> str:
    """The controller's."""
    if server is None:
        return ""
    idle = f"most_idle = {0 if options.push else options.most_idle}\n"
    push = f'push_port = {port}\npush_token = "{TOKEN}"\n' if options.push else ""
    return (
        f'[store]\nkind = "imap"\n[imap]\nserver = "{server.url}"\nplaintext = true\n'
        f'account = "{ADMIN}"\npassword = "{ADMIN_PASSWORD}"\n[watching]\n{idle}{push}'
    )


def snippet(server: Dovecot, port: int) -> str:
    """As an administrator installs it."""
    script = server.base / "vm_ari_push.lua"
    shutil.copy(SNIPPET / "vm_ari_push.lua", script)
    script.chmod(0o644)
    text = (SNIPPET / "vm_ari_push.conf").read_text()
    text = text.replace("http://127.0.0.1:8766/", f"http://127.0.0.1:{port}/")
    text = text.replace("/etc/dovecot/vm_ari_push.lua", str(script))
    return text.replace("write-the-token-here", TOKEN)


async def counted(world: World, users: int) -> str:
    """Wait until every lamp is told; how long that took, as the log says."""
    wanted = re.compile(rf'event="lamps refreshed" mailboxes={users} seconds=([0-9.]+)')
    while not (found := wanted.search(world.controller_log.read_text())):
        await asyncio.sleep(0.2)
    return found[1]


async def measure(options: argparse.Namespace, server: Dovecot | None, port: int) -> None:
    """One row."""
    users = people(options.mailboxes)
    chosen = users[:: max(1, len(users) // options.phones)][: options.phones]
    phones = tuple(Phone(user.mailbox) for user in chosen)
    async with AsyncExitStack() as rest:
        work = Path(rest.enter_context(tempfile.TemporaryDirectory()))
        world = World(find_or_fetch(), work / "world", phones=phones)
        await rest.enter_async_context(world)
        empty = Process(world.controller_pid).megabytes
        await world.stop_controller()
        await add(world, users)
        site = Site(world, server)
        site.fill([user for user in users if user not in chosen], options.messages)
        world.configure(settings(server, options, port))
        await world.start_controller()
        first = await counted(world, len(users) + 2)
        await world.stop_controller()
        for user in chosen:
            await asyncio.to_thread(site.deliver, user)
        world.controller_log.unlink()
        await world.start_controller()
        seconds = await counted(world, len(users) + 2)
        it = Process(world.controller_pid)
        cpu = it.cpu
        await asyncio.sleep(5)
        before = it.cpu
        await asyncio.sleep(QUIET_SECONDS)
        quiet = (it.cpu - before) / QUIET_SECONDS
        handsets = [
            await rest.enter_async_context(Softphone(user=user.mailbox, server=world.server))
            for user in chosen
        ]
        await asyncio.gather(*(phone.register() for phone in handsets))
        stories = zip(chosen, handsets, strict=True)
        await asyncio.gather(*(site.changes(u, p, options.rounds) for u, p in stories))
        times = sorted(site.seconds)
        print(
            f"{options.store}{' push' if options.push else ''} {len(users)} of {options.messages}: "
            f"all counted {first} s after the first start, {seconds} s after the next "
            f"({cpu:.1f} s CPU from the start on); memory {it.megabytes:.0f} MB "
            f"(with two mailboxes {empty:.0f}); quiet {quiet * 100:.2f} % of a core; "
            f"{len(times)} changes to NOTIFY p50 {statistics.median(times):.3f} s, "
            f"p99 {times[int(len(times) * 0.99)]:.3f} s, longest {times[-1]:.3f} s",
            flush=True,
        )


def main() -> None:
    """Print a row."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mailboxes", type=int, default=10_000)
    parser.add_argument("--store", choices=("maildir", "dovecot"), default="maildir")
    parser.add_argument("--most-idle", type=int, default=100)
    parser.add_argument("--push", action="store_true")
    parser.add_argument("--phones", type=int, default=20)
    parser.add_argument("--messages", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print(heading(find_or_fetch()))
    with ExitStack() as rest:
        server, port = None, free_port()
        if options.store == "dovecot":
            names = [user.id for user in people(options.mailboxes)]
            server = rest.enter_context(dovecot(*names, "anna", "ben"))
            if options.push:
                server.stop()
                server.settings = snippet(server, port)
                server.start()
        asyncio.run(measure(options, server, port))


if __name__ == "__main__":
    main()
