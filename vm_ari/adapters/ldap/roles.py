"""Roles that a directory gives: by an attribute of users, or by groups (UM-02).

Only users whom the configured bases and filter let in can have one; whatever else stands in an
attribute or a group is nothing. Groups in groups are not looked into.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import structlog

from vm_ari.adapters.ldap import filters
from vm_ari.adapters.ldap.directory import LdapDirectory
from vm_ari.adapters.ldap.errors import LdapError, Refused
from vm_ari.adapters.ldap.filters import AllOf
from vm_ari.adapters.ldap.records import user_id
from vm_ari.adapters.ldap.session import Session
from vm_ari.adapters.ldap.wire import Found, Scope, Search
from vm_ari.domain.portal_rights import DirectoryRoles
from vm_ari.ports import DirectoryUnavailable

log = structlog.get_logger("vm_ari.roles")

MOST = 500
"""Users with the same role, and members of a group that are looked at."""
_BY_NAME = ("member", "uniqueMember")
_BY_ID = "memberUid"
_SERVER_SECONDS = 5


@dataclass(frozen=True)
class Givers:
    """What gives one role: values of the attribute, and names of groups."""

    values: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class RoleRules:
    """What in the directory gives which role."""

    attribute: str = ""
    """Of users' entries; empty: none."""
    operators: Givers = field(default_factory=Givers)
    administrators: Mapping[str, Givers] = field(default_factory=dict)
    """By organisation."""


class LdapRoles:
    """`services.roles.RoleSource` on the servers of a directory."""

    def __init__(self, directory: LdapDirectory, rules: RoleRules) -> None:
        self._directory = directory
        self._people = directory.people
        self._rules = rules

    async def roles(self) -> DirectoryRoles:
        """See `RoleSource`."""
        try:
            return await self._directory.servers.do(self._read)
        except LdapError as error:
            raise DirectoryUnavailable(str(error)) from error

    def _read(self, session: Session) -> DirectoryRoles:
        return DirectoryRoles(
            frozenset(self._who(session, self._rules.operators)),
            {
                organisation: frozenset(self._who(session, givers))
                for organisation, givers in self._rules.administrators.items()
            },
        )

    def _who(self, session: Session, givers: Givers) -> Iterator[str]:
        for value in givers.values:
            yield from self._ids(self._with_value(session, value))
        for group in givers.groups:
            yield from self._ids(self._members(session, group))

    def _ids(self, found: Iterable[Found]) -> Iterator[str]:
        return (text for one in found if (text := user_id(one, self._people.queries.mapping)))

    def _with_value(self, session: Session, value: str) -> Iterator[Found]:
        """Who has exactly that value, whatever the server takes for alike."""
        queries, attribute = self._people.queries, self._rules.attribute
        where = AllOf((queries.everybody, filters.equal(attribute, value)))
        wanted = (queries.mapping.id, attribute)
        for base in self._people.bases:
            asked = Search(base, where, wanted, most=MOST, seconds=_SERVER_SECONDS)
            for found in session.search(asked).found:
                if _plain(value) in map(_plain, found.texts(attribute)):
                    yield found

    def _members(self, session: Session, group: str) -> Iterator[Found]:
        found = session.read(group, (*_BY_NAME, _BY_ID))
        if found is None:
            log.warning("a group that gives a role is not there", group=group)
            return
        names = [name for kind in _BY_NAME for name in found.texts(kind)]
        for name in names[:MOST]:
            if member := self._person(session, name):
                yield member
        for text in found.texts(_BY_ID)[:MOST]:
            if member := self._people.by_id(session, text):
                yield member

    def _person(self, session: Session, name: str) -> Found | None:
        """A user of ours of that distinguished name."""
        inside = any(_plain(name).endswith("," + _plain(base)) for base in self._people.bases)
        if not inside:
            return None
        queries = self._people.queries
        asked = Search(name, queries.everybody, (queries.mapping.id,), Scope.BASE)
        try:
            return next(iter(session.search(asked).found), None)
        except Refused:  # a member that is gone, or whose name is none
            return None


def _plain(value: str) -> str:
    """Without what servers pass over: the case, and blanks around the parts of names."""
    return re.sub(r"\s*([,=])\s*", r"\1", " ".join(value.split())).casefold()
