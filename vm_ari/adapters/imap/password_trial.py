"""Trying a password that a user has just typed, with a login of its own (MAIL-03)."""

from collections.abc import Callable
from dataclasses import dataclass

from vm_ari.adapters.imap.doorman import Doorman, Passwords
from vm_ari.adapters.imap.errors import LoginRefused
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.entries import IMAP_PASSWORD
from vm_ari.domain.users import User


@dataclass(frozen=True)
class _Typed:
    """`Passwords`: only the one that was typed."""

    password: str

    async def imap_password(self, user_id: str) -> str | None:
        """Nothing is stored yet."""
        return self.password


@dataclass(frozen=True)
class PasswordTrial:
    """`MailServerTrial` on the configured mail server."""

    doorman_with: Callable[[Passwords], Doorman]
    """One of its own for each trial: connections of the stored password stay."""
    keys: KeyRing

    async def opens(self, user: User, password: str) -> bool:
        """See `MailServerTrial`."""
        doorman = self.doorman_with(_Typed(password))
        try:
            door = await doorman.open(user)
            await door.run(door.folders.open_inbox)
            return True
        except LoginRefused:
            return False
        finally:
            await doorman.close()

    def sealed(self, user_id: str, password: str) -> str:
        """See `MailServerTrial`."""
        return self.keys.seal(password, owner=user_id, attribute=IMAP_PASSWORD)
