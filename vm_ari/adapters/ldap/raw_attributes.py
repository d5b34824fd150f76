"""Attributes of a user that are none of ours: the welcome mail names a number out of one."""

from collections.abc import Mapping, Sequence

from vm_ari.adapters.ldap.directory import LdapDirectory
from vm_ari.adapters.ldap.errors import LdapError
from vm_ari.adapters.ldap.session import Session
from vm_ari.ports import DirectoryUnavailable


class LdapAttributes:
    """`ports.RawAttributes` on the servers of a directory."""

    def __init__(self, directory: LdapDirectory) -> None:
        self._directory = directory

    async def attributes(self, user_id: str, names: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """See `RawAttributes`; nothing for a user who is not there."""

        def read(session: Session) -> Mapping[str, Sequence[str]]:
            found = self._directory.people.by_id(session, user_id)
            entry = session.read(found.dn, list(names)) if found else None
            return {name: entry.texts(name) for name in names} if entry else {}

        try:
            return await self._directory.servers.ask(read)
        except LdapError as error:
            raise DirectoryUnavailable(str(error)) from error


class NoAttributes:
    """`ports.RawAttributes` of a directory that has no others."""

    async def attributes(self, user_id: str, names: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Nothing."""
        return {}
