"""`ports.Contacts` below a subtree of LDAP servers (MISSED-02).

Numbers get into a search by `ldap.filters` only, whatever a caller's network says.
"""

import re
from dataclasses import dataclass

from vm_ari.adapters.ldap import filters
from vm_ari.adapters.ldap.errors import LdapError, NoSuchEntry
from vm_ari.adapters.ldap.failover import Failover
from vm_ari.adapters.ldap.filters import AnyOf, BadFilter, Filter
from vm_ari.adapters.ldap.session import Session
from vm_ari.adapters.ldap.wire import Found, Search
from vm_ari.domain.contacts import Contact, contact_from
from vm_ari.domain.numbers import Site
from vm_ari.domain.spellings import spellings
from vm_ari.ports import ContactsUnavailable

_SERVER_SECONDS = 5
_UMS, _NUMBER = "UMS", "NUMBER"
_CLEAN = re.compile(r"\+?[0-9]{1,20}")


@dataclass(frozen=True)
class ContactAttributes:
    """The names of a server's attributes; empty ones are not used."""

    name: str = "cn"
    organisation: str = "o"
    mail: str = "mail"
    numbers: tuple[str, ...] = ("telephoneNumber", "mobile")

    def all(self) -> tuple[str, ...]:
        """What is read of an entry."""
        return tuple(filter(None, (self.name, self.organisation, self.mail, *self.numbers)))


@dataclass(frozen=True)
class ContactSearch:
    """Where contacts are, and how one is found. Raises `BadFilter` when it is made."""

    bases: tuple[str, ...]
    template: Filter
    attributes: ContactAttributes
    site: Site

    @classmethod
    def below(
        cls, bases: tuple[str, ...], text: str, attributes: ContactAttributes, site: Site
    ) -> "ContactSearch":
        """*text* is an admin's filter, with ``${UMS}`` or ``${NUMBER}``; empty: any attribute."""
        if text:
            template = filters.parse(text)
        else:
            template = AnyOf(tuple(filters.equal(n, "${UMS}") for n in attributes.numbers))
        found = filters.places(template)
        if not found or found - {_UMS, _NUMBER}:
            raise BadFilter(f"The filter for contacts needs ${{UMS}} or ${{NUMBER}}: {text}")
        return cls(bases, template, attributes, site)

    def where(self, number: str) -> Filter:
        """Who has that number, however the server has written it?"""
        written = {_UMS: spellings(number, self.site), _NUMBER: (number,)}
        return filters.filled(self.template, lambda name: written[name])


class LdapContacts:
    """Entries of servers that need not be the users' ones; to be closed by `close`."""

    def __init__(self, servers: Failover, search: ContactSearch) -> None:
        self._servers = servers
        self._search = search

    async def contact_of(self, number: str) -> Contact | None:
        """See `Contacts`; of several entries the first that can be shown."""
        if not _CLEAN.fullmatch(number):
            return None
        try:
            found = await self._servers.ask(lambda session: self._entries(session, number))
        except LdapError as error:
            raise ContactsUnavailable(str(error)) from error
        contacts = (self._contact(entry) for entry in found)
        return next((contact for contact in contacts if contact), None)

    async def close(self) -> None:
        """Let running work end, and hang up."""
        await self._servers.close()

    def _entries(self, session: Session, number: str) -> list[Found]:
        found: list[Found] = []
        for base in self._search.bases:
            search = Search(
                base,
                self._search.where(number),
                self._search.attributes.all(),
                most=2,
                seconds=_SERVER_SECONDS,
            )
            try:
                found += session.search(search).found
            except NoSuchEntry as error:
                raise LdapError(f"The directory has no {base}, or we may not see it.") from error
        return found

    def _contact(self, entry: Found) -> Contact | None:
        names = self._search.attributes

        def text(name: str) -> str:
            return entry.text(name) if name else ""

        numbers = [number for name in names.numbers for number in entry.texts(name)]
        return contact_from(
            text(names.name), text(names.organisation), text(names.mail), numbers, self._search.site
        )
