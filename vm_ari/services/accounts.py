"""Whose mailbox is it?"""

from dataclasses import dataclass

from vm_ari.domain.numbers import Site, normalise
from vm_ari.domain.users import User
from vm_ari.ports import Directory


@dataclass(frozen=True)
class Accounts:
    """Users as callers meet them."""

    directory: Directory
    site: Site

    async def owner_of(self, dialled: str) -> User | None:
        """The user who owns a number as it was dialled or typed; None if nobody does.

        Raises `DirectoryUnavailable`.
        """
        number = normalise(dialled, self.site)
        return None if number is None else await self.directory.user_by_number(number)
