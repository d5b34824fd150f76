"""Several mail servers: whose mailbox is where, by an attribute of the directory (MAIL-04)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from vm_ari.adapters.imap.access import NoAccess
from vm_ari.adapters.imap.address import ImapServer
from vm_ari.domain.callers import printable
from vm_ari.domain.users import User
from vm_ari.ports import DirectoryUnavailable, RawAttributes

LONGEST_VALUE = 500
"""Characters of an attribute: an expression is never tried on more."""
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?")


class BadRule(ValueError):
    """The search-and-replace expression cannot be used. The text says why."""


@dataclass(frozen=True)
class ServerRule:
    """Makes a host of an attribute's value: ``^cn=(.*),O=domain`` and ``\\1.domain.net``."""

    search: str
    replace: str
    hosts: Sequence[str]
    """Patterns such as ``*.example.org``: an entry that somebody altered must not bring us to
    give our password to his machine."""

    def __post_init__(self) -> None:
        try:
            # an alternative that always fits, so that the replacement is looked at, too
            re.compile(f"(?:{self.search})|.*").sub(self.replace, "")
        except (re.error, IndexError) as error:
            raise BadRule(f"“{self.search}” and “{self.replace}”: {error}") from None

    def host(self, value: str) -> str:
        """Raises `NoAccess` for a value that leads nowhere."""
        if len(value) > LONGEST_VALUE or not re.search(self.search, value):
            raise NoAccess(f"the rule for mail servers does not fit “{printable(value, 60)}”")
        host = re.sub(self.search, self.replace, value, count=1)
        if not _HOST.fullmatch(host):
            raise NoAccess(f"the rule for mail servers makes “{printable(host, 60)}”, no host")
        if not any(fnmatchcase(host.lower(), pattern.lower()) for pattern in self.hosts):
            raise NoAccess(f"the mail server {host} is not among the allowed ones")
        return host


@dataclass(frozen=True)
class ByAttribute:
    """`ServerChoice`: the rule's host, else the usual server where the attribute is empty."""

    usual: ImapServer
    """Its port and security hold for all."""
    attributes: RawAttributes
    name: str
    rule: ServerRule
    _known: dict[str, ImapServer] = field(default_factory=dict)
    """Of users while no directory answers."""

    async def server_of(self, user: User) -> ImapServer:
        """See `ServerChoice`."""
        try:
            found = await self.attributes.attributes(user.id, [self.name])
        except DirectoryUnavailable:
            if user.id in self._known:
                return self._known[user.id]
            raise
        values = [value for value in found.get(self.name, ()) if value]
        server = self._at(self.rule.host(values[0])) if values else self.usual
        self._known[user.id] = server
        return server

    def _at(self, host: str) -> ImapServer:
        return ImapServer(host, self.usual.port, self.usual.security)
