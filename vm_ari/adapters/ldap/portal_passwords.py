"""Passwords of the portal are those of the directory servers: whoever can bind is who he says."""

import asyncio
import secrets

from vm_ari.adapters.ldap.directory import LdapDirectory
from vm_ari.adapters.ldap.errors import LdapError
from vm_ari.adapters.ldap.names import below
from vm_ari.adapters.ldap.session import Session
from vm_ari.ports import DirectoryUnavailable

AT_ONCE = 1
"""Calls wait for the same connections: however many sign in, they keep the others."""


class LdapPasswords:
    """`ports.PasswordJudge` on the servers of a directory; nothing of a password is kept."""

    def __init__(self, directory: LdapDirectory) -> None:
        self._directory = directory
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def accepts(self, user_id: str, password: str) -> bool:
        """See `PasswordJudge`; for nobody, an entry that does not exist is tried."""

        def judge(session: Session) -> bool:
            found = self._directory.people.by_id(session, user_id or "nobody")
            base = self._directory.settings.bases[0]
            dn = found.dn if found and user_id else below(base, "cn", secrets.token_hex(8))
            return session.accepts(dn, password) and found is not None

        try:
            async with self._turn:
                return await self._directory.servers.do(judge)
        except LdapError as error:
            raise DirectoryUnavailable(str(error)) from error
