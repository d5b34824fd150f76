"""From a user to the mailbox: which server, which login, which folders; and the connections."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import structlog

from vm_ari.adapters.imap.access import Access, Entrance, NoAccess
from vm_ari.adapters.imap.address import ImapServer, Patience
from vm_ari.adapters.imap.folders import Folders
from vm_ari.adapters.imap.server_pool import ServerPool
from vm_ari.adapters.imap.session import Session
from vm_ari.adapters.ldap.address import Security
from vm_ari.domain.users import User
from vm_ari.ports import DirectoryUnavailable, MailboxUnavailable

T = TypeVar("T")

log = structlog.get_logger("vm_ari.imap")


class Passwords(Protocol):
    """What users have stored to open their mailboxes."""

    async def imap_password(self, user_id: str) -> str | None:
        """In plain text; None if there is none. Raises `DirectoryUnavailable`."""
        ...


class ServerChoice(Protocol):
    """Which mail server has whose mailbox."""

    async def server_of(self, user: User) -> ImapServer:
        """Raises `DirectoryUnavailable`, `NoAccess`."""
        ...


@dataclass(frozen=True)
class OneServer:
    """`ServerChoice`: everybody's is on the same one."""

    server: ImapServer

    async def server_of(self, user: User) -> ImapServer:
        """See `ServerChoice`."""
        return self.server


@dataclass(frozen=True)
class Rules:
    """What the site has decided about mailboxes."""

    access: Access
    deleted_folder: str = "Deleted voice messages"
    patience: Patience = field(default_factory=Patience)
    connections: int = 8
    """To each server, at work at the same time."""


@dataclass(frozen=True)
class Open:
    """A user's mailbox, as far as it is known how to get in."""

    pool: ServerPool
    entrance: Entrance
    folders: Folders

    @property
    def place(self) -> str:
        """Whose folders these are: equal places have the same ones."""
        return f"{self.pool.server} {self.entrance.login.key}"

    async def run(self, work: Callable[[Session], T], *, seconds: float | None = None) -> T:
        """Do it on a connection. Raises `MailboxUnavailable`, and what *work* raises."""
        try:
            return await self.pool.run(self.entrance.login, work, seconds=seconds)
        except NoAccess as error:
            raise MailboxUnavailable(str(error)) from None


class Doorman:
    """Opens mailboxes. *context* says whom we trust; None where nothing is encrypted."""

    def __init__(
        self,
        rules: Rules,
        servers: ServerChoice,
        passwords: Passwords | None,
        context: ssl.SSLContext | None,
    ) -> None:
        self.rules = rules
        self._servers = servers
        self._passwords = passwords
        self._context = context
        self._pools: dict[ImapServer, ServerPool] = {}

    async def open(self, user: User) -> Open:
        """Find the way in; nothing is connected yet. Raises `MailboxUnavailable`."""
        try:
            server = await self._servers.server_of(user)
            entrance = self.rules.access.entrance(user, await self._password(user))
        except NoAccess as error:
            raise MailboxUnavailable(str(error)) from None
        except DirectoryUnavailable as error:
            raise MailboxUnavailable(f"the directory does not say how: {error}") from None
        folders = Folders(entrance.home, user.folder, self.rules.deleted_folder)
        return Open(self._pool(server), entrance, folders)

    async def close(self) -> None:
        """Hang up everywhere."""
        await asyncio.gather(*(pool.close() for pool in self._pools.values()))

    async def _password(self, user: User) -> str | None:
        """The administrator's way needs none, and goes on while no directory answers."""
        if self._passwords is None or not self.rules.access.wants_passwords:
            return None
        try:
            return await self._passwords.imap_password(user.id)
        except DirectoryUnavailable as error:
            if self.rules.access.administrator is None:
                raise
            log.warning("no own password can be read", user=user.id, reason=str(error))
            return None

    def _pool(self, server: ImapServer) -> ServerPool:
        pool = self._pools.get(server)
        if pool is None:
            context = None if server.security is Security.NONE else self._context
            rules = self.rules
            pool = ServerPool(server, context, rules.patience, rules.connections)
            self._pools[server] = pool
        return pool
