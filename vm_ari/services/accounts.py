"""Whose mailbox is it, and is it really the owner who calls?"""

from dataclasses import dataclass

import structlog

from vm_ari.domain.numbers import Site, normalise
from vm_ari.domain.pin import PinCheck
from vm_ari.domain.users import User
from vm_ari.ports import Directory

log = structlog.get_logger("vm_ari.accounts")
failed_logins = structlog.get_logger("vm_ari.login")


@dataclass(frozen=True)
class Accounts:
    """Users as callers and owners meet them."""

    directory: Directory
    site: Site

    async def owner_of(self, dialled: str) -> User | None:
        """The user who owns a number as it was dialled or typed; None if nobody does.

        Raises `DirectoryUnavailable`.
        """
        number = normalise(dialled, self.site)
        return None if number is None else await self.directory.user_by_number(number)

    async def check_pin(
        self, user: User | None, pin: str, *, caller: str, mailbox: str
    ) -> PinCheck:
        """Judge a login; a mailbox that does not exist answers like a wrong PIN.

        Raises `DirectoryUnavailable`: that is never counted as a wrong PIN.
        """
        result = await self.directory.check_pin(user.id if user else "", pin)
        if user is None or not user.may_log_in:
            result = PinCheck.WRONG if result is PinCheck.RIGHT else result
        if result is not PinCheck.RIGHT:
            failed_logins.warning(
                "login failed", caller=caller or "unknown", mailbox=mailbox, reason=result.value
            )
        return result
