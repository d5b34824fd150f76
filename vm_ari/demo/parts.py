"""What the demo is made of beside Asterisk: users and mailboxes, embedded or on real servers."""

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.sealing import KeyRing
from vm_ari.demo.directory_server import DirectoryServer
from vm_ari.demo.mail_server import MailServer
from vm_ari.demo.people import DOMAIN, Person

Tables = dict[str, dict[str, Any]]


class Part(StrEnum):
    """What can be a real server instead of an embedded part."""

    LDAP = "ldap"
    IMAP = "imap"


class UsersPart(Protocol):
    """Where the users are."""

    async def start(self) -> None:
        """Raises `ServerMissing`, `ServerFailed`."""
        ...

    async def stop(self) -> None:
        """End what was started."""
        ...

    def tables(self) -> Tables:
        """For the controller's configuration, once it is started."""
        ...

    async def add(self, config: Path, *people: Person) -> None:
        """More users; *config* is the controller's configuration."""
        ...


class StorePart(Protocol):
    """Where the messages are."""

    async def start(self) -> None:
        """Raises `ServerMissing`, `ServerFailed`."""
        ...

    async def stop(self) -> None:
        """End what was started."""
        ...

    def tables(self) -> Tables:
        """For the controller's configuration, once it is started."""
        ...

    def add(self, *people: Person) -> None:
        """They have mailboxes from now on."""
        ...

    def look(self, person: Person) -> str:
        """Where somebody's messages can be seen."""
        ...

    async def mails(self, person: Person, *, deleted: bool = False) -> Sequence[bytes]:
        """Mails in the INBOX, or among the deleted ones."""
        ...


class EmbeddedUsers:
    """`UsersPart`: our own database."""

    def __init__(self, directory: Path) -> None:
        self._database = directory / "directory.db"
        self._keys = directory / "keys"

    async def start(self) -> None:
        """There is nothing to start."""

    async def stop(self) -> None:
        """There is nothing to end."""

    def tables(self) -> Tables:
        """See `UsersPart`."""
        return {"directory": {"url": f"sqlite:///{self._database}", "keys": str(self._keys)}}

    async def add(self, config: Path, *people: Person) -> None:
        """See `UsersPart`; whatever else the controller may be configured for."""
        embedded = EmbeddedDirectory(f"sqlite:///{self._database}", KeyRing(self._keys))
        try:
            for person in people:
                await embedded.add_user(person.user, person.pin)
        finally:
            await embedded.close()


class Maildirs:
    """`StorePart`: directories of our own."""

    def __init__(self, directory: Path) -> None:
        self.root = directory / "mail"

    async def start(self) -> None:
        """There is nothing to start."""

    async def stop(self) -> None:
        """There is nothing to end."""

    def tables(self) -> Tables:
        """See `StorePart`."""
        return {
            "store": {"maildir": str(self.root)},
            "mail": {"sender": f"voicemail@{DOMAIN}"},
        }

    def add(self, *people: Person) -> None:
        """Maildirs come with the first message."""

    def look(self, person: Person) -> str:
        """See `StorePart`."""
        return str(self.of(person))

    def of(self, person: Person) -> Path:
        """That person's Maildir."""
        return self.root / person.extension

    async def mails(self, person: Person, *, deleted: bool = False) -> Sequence[bytes]:
        """See `StorePart`."""
        folder = self.of(person) / (".Deleted voice messages" if deleted else "")
        return await asyncio.to_thread(
            lambda: [
                path.read_bytes()
                for name in ("cur", "new")
                for path in sorted((folder / name).glob("*"))
            ]
        )


def users_part(parts: Sequence[Part], directory: Path) -> UsersPart:
    """On a server where that is asked for."""
    return DirectoryServer(directory) if Part.LDAP in parts else EmbeddedUsers(directory)


def store_part(parts: Sequence[Part], directory: Path) -> StorePart:
    """On a server where that is asked for."""
    return MailServer(directory) if Part.IMAP in parts else Maildirs(directory)
