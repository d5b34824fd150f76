"""A controller reduced to welcome mails, started again and again to be killed.

The process imports everything once and forks one controller for each line on standard input:
``<directory> <n>``. Before the n-th step that changes files below the directory it kills itself as
a crash would; 0: it comes to its end. The answer is how many steps it took, or ``killed``.
"""

import asyncio
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.ldap.raw_attributes import NoAttributes
from vm_ari.adapters.mail_queue import MailQueue
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.store_mailer import StoreMailer
from vm_ari.adapters.system_mail import Sender, SystemMailWriter
from vm_ari.adapters.templates import MailTemplates
from vm_ari.config import shared_files
from vm_ari.domain.numbers import Site
from vm_ari.domain.users import User
from vm_ari.domain.welcome import WelcomeRules
from vm_ari.services.system_mails import SystemMails
from vm_ari.services.welcome import WelcomeMails

ANNA = User("anna", "Anna", "101", ("+4930555101",), "anna@example.org", "en")
STEPS = {"open", "os.rename", "os.remove", "os.link", "os.mkdir", "sqlite3.connect"}


class Clock:
    """The machine's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class Fate:
    """Counts the steps that change files, and ends the process before one of them."""

    def __init__(self, base: Path, deadly: int) -> None:
        self._base, self._deadly, self.steps = str(base), deadly, 0
        sys.addaudithook(self._seen)

    def _seen(self, event: str, details: tuple[object, ...]) -> None:
        if event not in STEPS or not _path(details[0]).startswith(self._base):
            return
        if event == "open" and details[1] in {"r", "rb", None} and not _writes(details[2]):
            return
        self.steps += 1
        if self.steps == self._deadly:
            os.kill(os.getpid(), signal.SIGKILL)


def _path(value: object) -> str:
    return os.fsdecode(value) if isinstance(value, str | bytes | os.PathLike) else ""


def _writes(flags: object) -> bool:
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))


async def live(base: Path) -> None:
    """A start after a crash, then a call, then what the loop does."""
    keys = KeyRing(base / "keys")
    directory = EmbeddedDirectory(f"sqlite:///{base / 'users.db'}", keys)
    templates = MailTemplates(shared_files() / "templates")
    writer = SystemMailWriter(templates, Sender("v@example.org"), Site(), lambda *_: b"%PDF")
    queue, clock = MailQueue(base / "queue", keys), Clock()
    post = SystemMails(queue, StoreMailer(base / "mail"), writer, clock, host="example.org")
    rules = WelcomeRules(enabled=True)
    mails = WelcomeMails(directory, directory, NoAttributes(), post, clock, rules)
    await mails.recover(clock.now() + timedelta(days=1))
    mails.called(ANNA, "")
    await mails.settle()
    await post.send_what_is_due()
    await directory.close()
    queue.close()


def main() -> None:
    """Serve until standard input ends."""
    quiet = os.open(os.devnull, os.O_WRONLY)
    for line in sys.stdin:
        directory, deadly = line.split()
        ours, theirs = os.pipe()
        if (child := os.fork()) == 0:
            os.dup2(quiet, 1)
            fate = Fate(Path(directory), int(deadly))
            asyncio.run(live(Path(directory)))
            os.write(theirs, f"{fate.steps}\n".encode())
            os._exit(0)
        os.close(theirs)
        with os.fdopen(ours) as told:
            print(told.read().strip() or "killed", flush=True)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
