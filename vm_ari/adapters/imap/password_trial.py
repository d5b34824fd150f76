"""Trying a password that a user has just typed: at the mail server or the directory (MAIL-03)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from vm_ari.adapters.imap.doorman import Doorman, Passwords
from vm_ari.adapters.imap.errors import LoginRefused
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.entries import IMAP_PASSWORD
from vm_ari.domain.users import User
from vm_ari.ports import PasswordJudge


@dataclass(frozen=True)
class _Typed:
    """`Passwords`: only the one that was typed."""

    password: str

    async def imap_password(self, user_id: str) -> str | None:
        """Nothing is stored yet."""
        return self.password


@dataclass(frozen=True)
class MailServerTrial:
    """`PasswordTrial` on the configured mail server."""

    doorman_with: Callable[[Passwords], Doorman]
    """One of its own for each trial: connections of the stored password stay."""
    keys: KeyRing
    by_directory: ClassVar[bool] = False

    async def accepts(self, user: User, password: str) -> bool:
        """See `PasswordTrial`."""
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
        """See `PasswordTrial`."""
        return sealed_for(self.keys, user_id, password)


@dataclass(frozen=True)
class DirectoryTrial:
    """`PasswordTrial` by a bind at the directory servers; the mail server is not asked."""

    judge: PasswordJudge
    keys: KeyRing
    by_directory: ClassVar[bool] = True

    async def accepts(self, user: User, password: str) -> bool:
        """See `PasswordTrial`."""
        return await self.judge.accepts(user.id, password)

    def sealed(self, user_id: str, password: str) -> str:
        """See `PasswordTrial`."""
        return sealed_for(self.keys, user_id, password)


def sealed_for(keys: KeyRing, user_id: str, password: str) -> str:
    """As the directory stores it, and the doors of that user's mailbox read it."""
    return keys.seal(password, owner=user_id, attribute=IMAP_PASSWORD)
