"""Finding the entries of users on one server: below every base, each once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from vm_ari.adapters.ldap.errors import NoSuchEntry, Refused
from vm_ari.adapters.ldap.filters import Filter
from vm_ari.adapters.ldap.mapping import Queries
from vm_ari.adapters.ldap.session import Entries, Session
from vm_ari.adapters.ldap.wire import Found, Search

log = structlog.get_logger("vm_ari.ldap")

LONGEST_VALUE = 256
"""Characters; nobody has a longer number or id, and the server need not look for it."""
_SERVER_SECONDS = 5


@dataclass(frozen=True)
class People:
    """Where users are: below one base, or several organisational units."""

    queries: Queries
    bases: tuple[str, ...]

    def by_number(self, session: Session, number: str) -> Found | None:
        """The owner; nobody, if there are several."""
        if not number or len(number) > LONGEST_VALUE:
            return None
        return self._only(session, self.queries.by_number(number), number)

    def by_id(self, session: Session, user_id: str) -> Found | None:
        """The user of that stable name; nobody, if there are several."""
        if not user_id or len(user_id) > LONGEST_VALUE:
            return None
        return self._only(session, self.queries.by_id(user_id), user_id)

    def with_number(self, session: Session, number: str) -> tuple[Found, ...]:
        """Whoever has it, two of them at most."""
        return self._first_two(session, self.queries.by_number(number))

    def with_mail(self, session: Session, mail: str) -> tuple[Found, ...]:
        """Whoever has that address, two of them at most."""
        return self._first_two(session, self.queries.by_mail(mail))

    def only_with_mail(self, session: Session, mail: str) -> Found | None:
        """Whose address that is; nobody's, if several have it."""
        if not mail or len(mail) > LONGEST_VALUE:
            return None
        return self._only(session, self.queries.by_mail(mail), mail)

    def everybody(self, session: Session) -> Entries:
        """All users; not complete, where a server's limit was reached."""
        results = [self._below(base, session.search_pages) for base in self.bases]
        found = self._named(entry for result in results for entry in result.found)
        return Entries(found, all(result.complete for result in results))

    def _only(self, session: Session, where: Filter, asked: str) -> Found | None:
        found = self._first_two(session, where)
        if len(found) > 1:
            log.error(
                "several entries where there must be one: nobody is taken",
                asked=asked,
                entries=[entry.dn for entry in found],
            )
            return None
        return next(iter(found), None)

    def _first_two(self, session: Session, where: Filter) -> tuple[Found, ...]:
        found: list[Found] = []
        for base in self.bases:
            found += self._below(base, session.search, where, most=2).found
        return self._named(found)

    def _below(
        self,
        base: str,
        search: Callable[[Search], Entries],
        where: Filter | None = None,
        most: int = 0,
    ) -> Entries:
        attributes = self.queries.mapping.attributes()
        where = where or self.queries.everybody
        seconds = _SERVER_SECONDS if most else 0
        try:
            return search(Search(base, where, attributes, most=most, seconds=seconds))
        except NoSuchEntry as error:
            raise Refused(f"The directory has no {base}, or we may not see it.") from error

    def _named(self, entries: Iterable[Found]) -> tuple[Found, ...]:
        """Each entry once, for bases may overlap; without a stable name there is no user."""
        name = self.queries.mapping.id
        return tuple({e.dn.casefold(): e for e in entries if e.text(name)}.values())
