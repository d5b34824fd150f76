"""`ports.Contacts` beside address books: the users of the house, and several sources as one."""

import asyncio
from collections.abc import Sequence

import structlog

from vm_ari.domain.contacts import Contact, contact_from
from vm_ari.domain.numbers import Site
from vm_ari.ports import Contacts, ContactsUnavailable, Directory, DirectoryUnavailable

log = structlog.get_logger("vm_ari.missed_calls")

PAUSE = 30.0
"""Seconds without asking a source that was away, or too slow: the next calls do not wait for it."""


class UserContacts:
    """Users of the directory call from their own numbers."""

    def __init__(self, directory: Directory, site: Site) -> None:
        self._directory = directory
        self._site = site

    async def contact_of(self, number: str) -> Contact | None:
        """See `Contacts`."""
        try:
            user = await self._directory.user_by_number(number)
        except DirectoryUnavailable as error:
            raise ContactsUnavailable(str(error)) from error
        if user is None:
            return None
        # a private mobile number is nobody's business
        return contact_from(user.name, "", user.mail, user.numbers, self._site)


class ContactSources:
    """Several of them, the first who knows the number counts; nobody waits long for any.

    *seconds* are those for each of them.
    """

    def __init__(self, sources: Sequence[Contacts], seconds: float) -> None:
        self._sources = tuple(sources)
        self._seconds = seconds
        self._asked_again = [0.0] * len(self._sources)

    async def contact_of(self, number: str) -> Contact | None:
        """See `Contacts`; unavailable only where one that does not answer could know it."""
        trouble: ContactsUnavailable | None = None
        for place in range(len(self._sources)):
            try:
                if contact := await self._ask(place, number):
                    return contact
            except ContactsUnavailable as error:
                trouble = trouble or error
        if trouble:
            raise trouble
        return None

    async def _ask(self, place: int, number: str) -> Contact | None:
        now = asyncio.get_running_loop().time()
        if now < self._asked_again[place]:
            raise ContactsUnavailable("a source of contacts was away just now")
        try:
            async with asyncio.timeout(self._seconds):
                return await self._sources[place].contact_of(number)
        except (TimeoutError, ContactsUnavailable) as error:
            reason = str(error) or f"no answer within {self._seconds:g} s"
            self._asked_again[place] = asyncio.get_running_loop().time() + PAUSE
            log.warning("contacts are away", reason=reason)
            raise ContactsUnavailable(reason) from error
