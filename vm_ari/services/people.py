"""The people of the directory, found by name or mail address (INBOX-13)."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from vm_ari.domain.entries import address_key
from vm_ari.domain.keypad_names import NameIndex
from vm_ari.domain.users import User
from vm_ari.ports import Directory, DirectoryUnavailable

log = structlog.get_logger("vm_ari.directory")

REFRESH = 3600.0
"""Seconds: so old what is known of people can be."""
TRY_AGAIN = 60.0


@dataclass(frozen=True)
class _Known:
    """What one look at the directory came to."""

    names: NameIndex
    by_mail: Mapping[str, User]


class People:
    """An index of everybody with a mailbox, made anew from time to time.

    Methods raise `DirectoryUnavailable` as long as the directory has not answered once.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._known: _Known | None = None
        self._looking = asyncio.Lock()

    async def named(self, keys: str) -> Sequence[User]:
        """Whose name begins with these keys of a telephone, at most `keypad_names.MOST_FOUND`."""
        return (await self._index()).names.begins_with(keys)

    async def with_mail(self, address: str) -> User | None:
        """Whose mail address it is."""
        return (await self._index()).by_mail.get(address_key(address))

    async def keep_fresh(self) -> None:
        """Look at the start, and then every hour, until cancelled."""
        while True:
            try:
                await self.refresh()
            except DirectoryUnavailable as error:
                log.warning("nobody is found by name yet", reason=str(error))
                await asyncio.sleep(TRY_AGAIN)
            except Exception:  # calls go on, whatever this is
                log.exception("nobody is found by name yet")
                await asyncio.sleep(REFRESH)
            else:
                await asyncio.sleep(REFRESH)

    async def refresh(self) -> None:
        """Ask the directory for everybody."""
        users = await self._directory.all_users()
        self._known = await asyncio.to_thread(_known, users)

    async def _index(self) -> _Known:
        async with self._looking:
            if self._known is None:
                await self.refresh()
        assert self._known is not None
        return self._known


def _known(users: Sequence[User]) -> _Known:
    """Who has no mailbox, or does not want to be found, is left out."""
    with_mailbox = [user for user in users if user.voice_mail_enabled]
    return _Known(
        NameIndex(user for user in with_mailbox if user.listed),
        {address_key(user.mail): user for user in with_mailbox if user.mail},
    )
