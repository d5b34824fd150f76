"""Several mail servers: whose mailbox is where, by an attribute of the directory (MAIL-04)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from vm_ari.adapters.imap.access import NoAccess
from vm_ari.adapters.imap.address import Chosen
from vm_ari.adapters.imap.server_choice import ServerChoice
from vm_ari.adapters.server_address import Server
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
        return allowed(host, self.hosts)


def allowed(host: str, patterns: Sequence[str]) -> str:
    """The host itself. Raises `NoAccess` for one that no pattern fits."""
    if not any(fnmatchcase(host.lower(), pattern.lower()) for pattern in patterns):
        raise NoAccess(f"the mail server {printable(host, 60)} is not among the allowed ones")
    return host


@dataclass(frozen=True)
class BySetting:
    """`ServerChoice`: what the user's setting ``imap_server`` says, else as *otherwise* does."""

    usual: Server
    hosts: Sequence[str]
    otherwise: ServerChoice

    async def server_of(self, user: User) -> Chosen:
        """See `ServerChoice`; a port may stand behind the host."""
        if not user.imap_server:
            return await self.otherwise.server_of(user)
        host, _, port = user.imap_server.partition(":")
        there = Server(allowed(host, self.hosts), int(port or self.usual.port), self.usual.security)
        return Chosen(there, "the setting imap_server")


@dataclass(frozen=True)
class ByAttribute:
    """`ServerChoice`: the rule's host, else the usual server where the attribute is empty."""

    usual: Server
    """Its port and security hold for all."""
    attributes: RawAttributes
    name: str
    rule: ServerRule
    _known: dict[str, Chosen] = field(default_factory=dict)
    """Of users while no directory answers."""

    async def server_of(self, user: User) -> Chosen:
        """See `ServerChoice`."""
        try:
            found = await self.attributes.attributes(user.id, [self.name])
        except DirectoryUnavailable:
            if user.id in self._known:
                return self._known[user.id]
            raise
        values = [value for value in found.get(self.name, ()) if value]
        chosen = self._chosen(values[0]) if values else Chosen(self.usual)
        self._known[user.id] = chosen
        return chosen

    def _chosen(self, value: str) -> Chosen:
        there = Server(self.rule.host(value), self.usual.port, self.usual.security)
        return Chosen(there, f"the attribute {self.name}: “{printable(value)}”")
