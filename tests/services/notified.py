"""One controller reduced to counting and telling: real directory, Maildirs, database and queues.

As a program it is a controller that dies: ``python -m tests.services.notified BASE PORT MOMENT``
delivers one message to Anna and kills itself at that moment.
"""

import asyncio
import itertools
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.fakes import FakeLamps
from vm_ari.adapters.lamps.accounts import MessageAccounts
from vm_ari.adapters.sealing import KeyRing
from vm_ari.config import Config, load
from vm_ari.domain.entries import entry_of
from vm_ari.domain.notifications import Announcement, Channel, Notice, State
from vm_ari.domain.users import User
from vm_ari.ports import NoticeOutlet
from vm_ari.services.inbox import Inboxes
from vm_ari.services.lamps import LampKeeper
from vm_ari.services.notifications import Notifications
from vm_ari.wiring.directories import Directories, open_directories
from vm_ari.wiring.mail import Post, open_post
from vm_ari.wiring.notifications import People, Told, open_notifications
from vm_ari.wiring.store import open_store

ANNA = User(
    "anna", "Anna", "101", ("+4930555101",), "anna@example.org", notify_voice=tuple(Channel)[:2]
)
"""Told by lamp and mail."""
SETTINGS = """
[asterisk]
password = "x"
[directory]
[spool]
directory = "{base}/recording/vm-ari"
[store]
maildir = "{base}/mail"
[mail]
sender = "voicemail@example.org"
[mail.smtp]
host = "127.0.0.1"
port = {port}
security = "none"
"""
EMBEDDED = 'url = "sqlite:///{base}/users.db"\nkeys = "{base}/keys"'
_NAMES = itertools.count()


class _Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class Notified:
    """A controller without telephones."""

    config: Config
    directories: Directories
    post: Post
    told: Told
    keeper: LampKeeper
    lamps: FakeLamps
    accounts: MessageAccounts

    @property
    def rules(self) -> Notifications:
        return self.told.rules

    async def user(self, user_id: str = "anna") -> User:
        found = await self.directories.for_calls.user_by_id(user_id)
        assert found
        return found

    async def wants(self, user_id: str = "anna", **settings: str) -> None:
        """The user's own settings from now on."""
        await self.directories.register.change_settings(user_id, settings)

    def arrive(self, context: str = "voice-message", user: User = ANNA) -> None:
        """A message comes into the mailbox, from wherever."""
        folder = self.config.store.maildir / user.mailbox / "new"
        folder.mkdir(parents=True, exist_ok=True)
        name = f"17747459{next(_NAMES):02}.M1P{os.getpid()}.host"
        (folder / name).write_bytes(f"Message-Context: {context}\n\nHello.\n".encode())

    async def deliver(self) -> None:
        """A caller's message, as the outbox reports it."""
        self.arrive()
        self.keeper.delivered("anna")
        await self.count()

    async def keep_as_new(self) -> None:
        """The one heard message, by telephone."""
        user = await self.user()
        async with Inboxes(self.keeper.mailboxes, self.keeper).open(user) as inbox:
            [message] = await inbox.voice_messages(new=False)
            await inbox.mark(message, new=True)
        await self.rules.settle()

    def read(self, user: User = ANNA) -> None:
        """The oldest new one, in a mail program."""
        folder = self.config.store.maildir / user.mailbox
        first = min((folder / "new").iterdir())
        first.rename(folder / "cur" / f"{first.name}:2,S")

    async def count(self, user_id: str = "anna") -> None:
        """As whoever watches mailboxes does; and what that sets off."""
        await self.keeper.refresh(await self.user(user_id))
        await self.rules.settle()

    async def send(self) -> None:
        """What the queue of mails does."""
        await self.post.mails.send_what_is_due()


@asynccontextmanager
async def notified(
    base: Path, port: int, more: str = "", directory: str = ""
) -> AsyncIterator[Notified]:
    """With Anna, who is told by lamp and mail; *more* is configuration, *directory* its table."""
    file = base / "vm-ari.toml"
    text = SETTINGS.replace("[directory]\n", f"{more}\n[directory]\n{directory or EMBEDDED}\n")
    file.write_text(text.replace("{base}", str(base)).replace("{port}", str(port)))
    config, clock = load(file), _Clock()
    config.spool.directory.mkdir(parents=True, exist_ok=True)
    keys = KeyRing(config.directory.keys)
    directories = open_directories(config, keys, clock)
    register = directories.register
    if not await register.all_entries():
        await register.add_entries([entry_of(ANNA)])
    mailboxes = open_store(config, keys, register, base / "listening").mailboxes
    post = open_post(config, keys, clock, directories.for_calls, register)
    people = People(directories.for_calls, register, mailboxes, clock)

    async def refresh(user: User) -> None:
        await keeper.refresh(user)

    accounts, lamps = MessageAccounts("pbx.example.org"), FakeLamps()
    told = open_notifications(config, keys, people, post.mails, refresh, accounts=accounts)
    keeper = LampKeeper(lamps, mailboxes, directories.for_calls, told.rules.counted)
    try:
        yield Notified(config, directories, post, told, keeper, lamps, accounts)
    finally:
        await told.close()
        await post.close()
        await directories.close()


# --- a controller that dies

MOMENTS = ("counted", "told", "taken")
"""After the count is noted, and nobody is told; after the mail is queued; after that is noted."""


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class _DeadlyOutlet:
    """The real one; the process ends after it."""

    def __init__(self, outlet: NoticeOutlet) -> None:
        self._outlet = outlet
        self.channel = outlet.channel

    def obstacle(self, user: User) -> str:
        return self._outlet.obstacle(user)

    async def announce(self, user: User, notice: Notice) -> None:
        await self._outlet.announce(user, notice)
        _die()


async def _deliver_and_die(base: Path, port: int, moment: str) -> None:
    async with notified(base, port) as one:
        await one.count()
        book, rules = one.told.book, one.rules
        note, taken = book.note, book.taken

        async def last_note(
            user_id: str, decide: Callable[[State | None], tuple[State, Announcement | None]]
        ) -> State:
            state = await note(user_id, decide)
            _die()
            return state

        async def last_taken(announcement_id: str, channel: Channel) -> None:
            await taken(announcement_id, channel)
            _die()

        match moment:
            case "counted":
                book.note = last_note  # type: ignore[method-assign]
            case "told":
                mail = rules._outlets[Channel.MAIL]
                rules._outlets[Channel.MAIL] = _DeadlyOutlet(mail)
            case _:
                book.taken = last_taken  # type: ignore[method-assign]
        await one.deliver()


if __name__ == "__main__":
    asyncio.run(_deliver_and_die(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
