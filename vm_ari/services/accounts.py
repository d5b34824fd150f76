"""Whose mailbox is it?"""

from dataclasses import dataclass

from vm_ari.domain.numbers import Site, normalise
from vm_ari.domain.users import User
from vm_ari.ports import Directory


@dataclass(frozen=True)
class Accounts:
    """Users as callers meet them."""

    directory: Directory
    sites: tuple[Site, ...]
    """The main one first: of an extension that several have, it is meant."""

    async def owner_of(self, dialled: str) -> User | None:
        """The user who owns a number as it was dialled or typed; None if nobody does.

        Raises `DirectoryUnavailable`.
        """
        for number in dict.fromkeys(normalise(dialled, site) for site in self.sites):
            if number and (user := await self.directory.user_by_number(number)):
                return user
        return None
