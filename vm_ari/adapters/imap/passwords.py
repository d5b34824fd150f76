"""Passwords that users stored for their mailboxes, sealed in the directory (MAIL-03, LOGIN-08)."""

from dataclasses import dataclass

import structlog

from vm_ari.adapters.sealing import KeyRing, SealBroken
from vm_ari.domain.entries import IMAP_PASSWORD
from vm_ari.ports import UserRegister

log = structlog.get_logger("vm_ari.imap")


@dataclass(frozen=True)
class SealedPasswords:
    """`Passwords` from the directory itself, opened with our keys."""

    register: UserRegister
    keys: KeyRing

    async def imap_password(self, user_id: str) -> str | None:
        """None also for one that cannot be opened: the log says so, the admin can set it anew."""
        entry = await self.register.entry_by_id(user_id)
        sealed = entry.sealed.get(IMAP_PASSWORD) if entry else None
        if not sealed:
            return None
        try:
            return self.keys.open(sealed, owner=user_id, attribute=IMAP_PASSWORD)
        except SealBroken as error:
            log.error("a stored mail password is unusable", user=user_id, reason=str(error))
            return None
