"""Users' own passwords for the mail server: tried at once, kept sealed, never shown (MAIL-03)."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import ClassVar, Protocol

from vm_ari.domain.entries import IMAP_PASSWORD, Entry
from vm_ari.domain.login_budget import Pace
from vm_ari.domain.users import User
from vm_ari.ports import Clock, UnknownUser, UserRegister
from vm_ari.services.logins import Attempts

LONGEST = 128


class PasswordTrial(Protocol):
    """The mail server or the directory server, and the key that seals."""

    by_directory: ClassVar[bool]
    """Is it the directory server that judges?"""

    async def accepts(self, user: User, password: str) -> bool:
        """Is it the user's? False: the server refuses it.

        Raises `MailboxUnavailable`, `DirectoryUnavailable` where the server cannot be asked.
        """
        ...

    def sealed(self, user_id: str, password: str) -> str:
        """As it is stored."""
        ...


class Outcome(StrEnum):
    """What became of a password."""

    KEPT = "kept"
    REFUSED = "refused"
    """By the server that was asked."""
    IMPOSSIBLE = "impossible"
    """Empty, too long, or with signs that no password has."""
    TOO_MANY = "too-many"
    """Too many were wrong lately; this one was not tried."""


@dataclass(frozen=True)
class MailPasswords:
    """Every method that waits raises `DirectoryUnavailable`, `UnknownUser`."""

    trial: PasswordTrial
    register: UserRegister
    clock: Clock
    attempts: Attempts = field(default_factory=Attempts)

    async def is_stored(self, user_id: str) -> bool:
        """Has the user stored one?"""
        return IMAP_PASSWORD in (await self._entry(user_id)).sealed

    async def keep(self, user: User, password: str) -> Outcome:
        """Durable where the server takes it; else nothing is different.

        Raises `MailboxUnavailable`, `Unstorable`.
        """
        if not (0 < len(password) <= LONGEST and password.isprintable()):
            return Outcome.IMPOSSIBLE
        if self.attempts.pace(user.id, self.clock) is Pace.REFUSED:
            return Outcome.TOO_MANY
        attempt = self.attempts.begin(user.id, self.clock)
        try:
            if not await self.trial.accepts(user, password):
                return Outcome.REFUSED
        except BaseException:
            self.attempts.succeeded(attempt)  # nobody has judged it
            raise
        self.attempts.succeeded(attempt)
        await self._store(user.id, self.trial.sealed(user.id, password))
        return Outcome.KEPT

    async def remove(self, user_id: str) -> None:
        """Forget it."""
        await self._store(user_id, None)

    async def _store(self, user_id: str, sealed: str | None) -> None:
        entry = await self._entry(user_id)
        others = {key: text for key, text in entry.sealed.items() if key != IMAP_PASSWORD}
        new = replace(entry, sealed={**others, **({IMAP_PASSWORD: sealed} if sealed else {})})
        await self.register.merge_entries([], [(entry, new)])

    async def _entry(self, user_id: str) -> Entry:
        entry = await self.register.entry_by_id(user_id)
        if entry is None:
            raise UnknownUser(user_id)
        return entry
