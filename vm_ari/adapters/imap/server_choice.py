"""Which mail server has whose mailbox (MAIL-04)."""

from dataclasses import dataclass
from typing import Protocol

from vm_ari.adapters.imap.address import Chosen
from vm_ari.adapters.server_address import Server
from vm_ari.domain.users import User


class ServerChoice(Protocol):
    """Who decides it."""

    async def server_of(self, user: User) -> Chosen:
        """Raises `DirectoryUnavailable`, `NoAccess`."""
        ...


@dataclass(frozen=True)
class OneServer:
    """`ServerChoice`: everybody's is on the same one."""

    server: Server

    async def server_of(self, user: User) -> Chosen:
        """See `ServerChoice`."""
        return Chosen(self.server)
