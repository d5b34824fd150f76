"""Servers that send us to another one for a mailbox (RFC 2221, RFC 2193), and whether we go."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from vm_ari.adapters.imap.errors import Referred
from vm_ari.adapters.imap.server_rule import allowed
from vm_ari.adapters.server_address import Server
from vm_ari.adapters.trust import Security

MOST_HOPS = 3
"""Servers that send us in a circle shall not keep a caller busy."""
_STARTTLS_PORT = 143


@dataclass(frozen=True)
class Signposts:
    """What servers have said, as long as it proves to be right."""

    hosts: Sequence[str] = ()
    """Patterns such as ``*.example.org``: whoever answers for a server must not be able to send
    our password to his own."""
    _known: dict[str, Server] = field(default_factory=dict)

    def server(self, place: str, usual: Server) -> Server:
        """Where that mailbox was found last, else the *usual* server."""
        return self._known.get(place, usual)

    def follow(self, place: str, here: Server, referral: Referred) -> Server:
        """Where to go now. Raises `NoAccess` where the site does not allow it.

        The address only names a mailbox; login name and folder stay what they are, and so does the
        protection: a port without TLS from the beginning is talked to with STARTTLS.
        """
        host = allowed(referral.host, self.hosts)
        there = replace(here, host=host, port=referral.port or here.port)
        if there.port == _STARTTLS_PORT and here.security is Security.TLS:
            there = replace(there, security=Security.START_TLS)
        self._known[place] = there
        return there

    def forget(self, place: str) -> None:
        """What was said is not right any more: the usual server is asked again."""
        self._known.pop(place, None)
