"""From a user to the mailbox: which server, which login, which folders; and the connections."""

import asyncio
import ssl
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import structlog

from vm_ari.adapters.imap.access import Access, Entrance, NoAccess, NoPassword
from vm_ari.adapters.imap.address import Chosen, Patience
from vm_ari.adapters.imap.errors import (
    ConnectionLost,
    ImapError,
    LoginRefused,
    PasswordMissing,
    Referred,
)
from vm_ari.adapters.imap.folders import Folders
from vm_ari.adapters.imap.referrals import MOST_HOPS, Signposts
from vm_ari.adapters.imap.server_choice import ServerChoice
from vm_ari.adapters.imap.server_pool import ServerPool
from vm_ari.adapters.imap.session import Session
from vm_ari.adapters.server_address import Server
from vm_ari.adapters.trust import Security
from vm_ari.domain.users import User
from vm_ari.ports import DirectoryUnavailable, MailboxUnavailable

T = TypeVar("T")

MOST_SERVERS = 500
"""Each has threads of its own, and whoever refers us to others shall not fill the machine."""

log = structlog.get_logger("vm_ari.imap")


class Passwords(Protocol):
    """What users have stored to open their mailboxes."""

    async def imap_password(self, user_id: str) -> str | None:
        """In plain text; None if there is none. Raises `DirectoryUnavailable`."""
        ...


@dataclass(frozen=True)
class Rules:
    """What the site has decided about mailboxes."""

    access: Access
    deleted_folder: str = "Deleted voice messages"
    patience: Patience = field(default_factory=Patience)
    connections: int = 8
    """To each server, at work at the same time."""
    hosts: Sequence[str] = ()
    """Where referrals may lead: patterns such as ``*.example.org``."""


@dataclass(frozen=True)
class Open:
    """A user's mailbox, as far as it is known how to get in."""

    chosen: Chosen
    entrance: Entrance
    folders: Folders
    patience: Patience
    signposts: Signposts
    pool_of: Callable[[Server], ServerPool]
    background: bool = False
    """Nobody waits for what is done there: see `ServerPool.run`."""

    @property
    def server(self) -> Server:
        """The one that is asked first."""
        return self.signposts.server(self._way, self.chosen.server)

    @property
    def pool(self) -> ServerPool:
        """The connections to it."""
        return self.pool_of(self.server)

    @property
    def place(self) -> str:
        """Whose folders these are: equal places have the same ones."""
        return f"{self.chosen.server} {self.entrance.login.key}"

    @property
    def _way(self) -> str:
        """As an administrator we open many mailboxes with one login."""
        return f"{self.place} {self.entrance.home}"

    async def run(self, work: Callable[[Session], T], *, seconds: float | None = None) -> T:
        """Do it on a connection. Raises `MailboxUnavailable`, and what *work* raises."""
        try:
            return await self._travel(work, time.monotonic() + (seconds or self.patience.caller))
        except NoAccess as error:
            raise MailboxUnavailable(str(error)) from None

    async def _travel(self, work: Callable[[Session], T], end: float) -> T:
        """From server to server, as they refer us to each other."""
        server = self.server
        for _ in range(MOST_HOPS + 1):
            left = max(end - time.monotonic(), 0.1)
            try:
                return await self.pool_of(server).run(
                    self.entrance.login, work, seconds=left, background=self.background
                )
            except Referred as error:
                server = self.signposts.follow(self._way, server, error)
            except (ConnectionLost, LoginRefused):
                self.signposts.forget(self._way)
                raise
        self.signposts.forget(self._way)
        raise ImapError(f"{server}: mail servers refer us to each other without an end")


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
        self._pools: dict[Server, ServerPool] = {}
        self._signposts = Signposts(rules.hosts)

    async def open(self, user: User) -> Open:
        """Find the way in; nothing is connected yet. Raises `MailboxUnavailable`."""
        try:
            chosen = await self._servers.server_of(user)
            entrance = self.rules.access.entrance(user, await self._password(user))
        except NoPassword as error:
            raise PasswordMissing(str(error)) from None
        except NoAccess as error:
            raise MailboxUnavailable(str(error)) from None
        except DirectoryUnavailable as error:
            raise MailboxUnavailable(f"the directory does not say how: {error}") from None
        folders = Folders(entrance.home, user.folder, self.rules.deleted_folder)
        patience = self.rules.patience
        return Open(chosen, entrance, folders, patience, self._signposts, self._pool)

    async def server_of(self, user: User) -> Server:
        """Which server is asked first for that mailbox. Raises `MailboxUnavailable`."""
        try:
            return (await self._servers.server_of(user)).server
        except (NoAccess, DirectoryUnavailable) as error:
            raise MailboxUnavailable(str(error)) from None

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

    def context_for(self, server: Server) -> ssl.SSLContext | None:
        """Whom we trust there; None where nothing is encrypted."""
        return None if server.security is Security.NONE else self._context

    def _pool(self, server: Server) -> ServerPool:
        pool = self._pools.get(server)
        if pool is None and len(self._pools) >= MOST_SERVERS:
            raise NoAccess(f"{server} would be one mail server too many")
        if pool is None:
            rules, context = self.rules, self.context_for(server)
            pool = ServerPool(server, context, rules.patience, rules.connections)
            self._pools[server] = pool
        return pool
