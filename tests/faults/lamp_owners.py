"""Owners of mailboxes with their phones, and mail programs that change what lies there."""

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.dovecot import Dovecot
from vm_ari.adapters.softphone import Softphone
from vm_ari.demo.world import Person

MESSAGE_ID = re.compile(rb"^Message-ID: <([^>]+)>", re.MULTILINE | re.IGNORECASE)
FLAGS = {"S": "\\Seen", "T": "\\Deleted"}


@dataclass(frozen=True)
class Lying:
    """A message in the INBOX."""

    path: Path
    voice: bool

    @property
    def flags(self) -> str:
        return self.path.name.partition(":2,")[2]

    @property
    def counts(self) -> bool:
        """Is it a voice message that nobody has marked to be removed?"""
        return self.voice and "T" not in self.flags


@dataclass
class Files:
    """The INBOX of a Maildir, looked at."""

    root: Path
    _heads: dict[str, tuple[str, bool]] = field(default_factory=dict)

    def look(self) -> dict[str, Lying]:
        """What lies there, by Message-ID."""
        found: dict[str, Lying] = {}
        for state in ("new", "cur"):
            with suppress(FileNotFoundError):
                for path in (self.root / state).iterdir():
                    message_id, voice = self._head(path)
                    found[message_id] = Lying(path, voice)
        return found

    def _head(self, path: Path) -> tuple[str, bool]:
        """Message-ID, and whether it is a voice message."""
        name = path.name.partition(":2,")[0]
        if name not in self._heads:
            head = path.read_bytes()[:4000]
            found = MESSAGE_ID.search(head)
            assert found, head
            self._heads[name] = found[1].decode(), b"Message-Context: voice-message" in head
        return self._heads[name]


@dataclass
class Owner:
    """A user, the phone, and the files of the mailbox."""

    person: Person
    phone: Softphone
    files: Files
    changed: float = 0.0
    """When something was changed last."""

    def truth(self) -> tuple[int, int]:
        """New and old voice messages that lie there."""
        voices = [lying for lying in self.files.look().values() if lying.counts]
        old = sum("S" in lying.flags for lying in voices)
        return len(voices) - old, old

    @property
    def shown(self) -> tuple[int, int]:
        """What the lamp shows."""
        lamp = self.phone.lamps[-1]
        return lamp.new, lamp.old

    async def lamp_is_right(self, within: float) -> float:
        """Wait for it; how many seconds it took since the change."""
        end = self.changed + within
        while self.shown != self.truth():
            seen = [(lamp.new, lamp.old) for lamp in self.phone.lamps[-5:]]
            told = f"{self.person.name}: {seen} instead of {self.truth()} after {within} s"
            assert time.monotonic() < end, told
            await asyncio.sleep(0.005)
        return time.monotonic() - self.changed


class MaildirHands:
    """What a mail program does to files."""

    def __init__(self, root: Callable[[str], Path]) -> None:
        self._root = root
        self._count = 0

    def deliver(self, owner: Owner, mail: bytes, *, seen: bool) -> None:
        self._count += 1
        name = f"1774745970.M{self._count}P1.host"
        root = self._root(owner.person.extension)
        (root / "tmp" / name).write_bytes(mail.replace(b"\r\n", b"\n"))
        (root / "tmp" / name).rename(root / (f"cur/{name}:2,S" if seen else f"new/{name}"))

    def mark(self, owner: Owner, message_id: str, flag: str, *, on: bool) -> None:
        path = owner.files.look()[message_id].path
        name, _, flags = path.name.partition(":2,")
        kept = set(flags) - {flag} | ({flag} if on else set())
        path.rename(path.parent.parent / "cur" / f"{name}:2,{''.join(sorted(kept))}")

    def remove(self, owner: Owner, message_id: str) -> None:
        owner.files.look()[message_id].path.unlink()

    def move(self, owner: Owner, message_id: str) -> None:
        path = owner.files.look()[message_id].path
        target = self._root(owner.person.extension) / ".Archive"
        for state in ("tmp", "new", "cur"):
            (target / state).mkdir(parents=True, exist_ok=True)
        path.rename(target / path.parent.name / path.name)


class ImapHands:
    """What a mail program does by IMAP; each time it logs in, as telephones do."""

    def __init__(self, server: Dovecot) -> None:
        self._server = server

    def deliver(self, owner: Owner, mail: bytes, *, seen: bool) -> None:
        with self._server.mail_program(owner.person.user.id) as client:
            client.append("INBOX", mail, ["\\Seen"] if seen else [])

    def mark(self, owner: Owner, message_id: str, flag: str, *, on: bool) -> None:
        with self._server.mail_program(owner.person.user.id) as client:
            change = client.add_flags if on else client.remove_flags
            change(_uid(client, message_id), [FLAGS[flag]], silent=True)

    def remove(self, owner: Owner, message_id: str) -> None:
        with self._server.mail_program(owner.person.user.id) as client:
            uid = _uid(client, message_id)
            client.add_flags(uid, ["\\Deleted"], silent=True)
            client.uid_expunge(uid)

    def move(self, owner: Owner, message_id: str) -> None:
        with self._server.mail_program(owner.person.user.id) as client:
            if not client.folder_exists("Archive"):
                client.create_folder("Archive")
            client.move(_uid(client, message_id), "Archive")


def _uid(client: Any, message_id: str) -> Sequence[int]:
    found = client.search(["HEADER", "Message-ID", message_id])
    assert len(found) == 1, (message_id, found)
    return list(found)
