"""Where a directory server is, and how long we wait for it."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from vm_ari.adapters.trust import BadAddress, Security


@dataclass(frozen=True)
class Server:
    """One directory server."""

    host: str
    port: int
    security: Security = Security.TLS

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Account:
    """As whom we read and write; without a name: as nobody in particular."""

    dn: str = ""
    password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.dn and not self.password:  # servers take that for "nobody", and say yes
            raise BadAddress(f"The account {self.dn} needs a password.")


@dataclass(frozen=True)
class Patience:
    """How long we wait, in seconds."""

    connect: float = 2.0
    receive: int = 3
    """For each piece of an answer; whole seconds."""
    hedge: float = 0.7
    """A look-up without an answer for so long is asked of the next server, too."""
    caller: float = 4.0
    """The longest that one look-up or change may take in all."""


def server_at(url: str, *, plaintext: bool = False) -> Server:
    """The server of an URL: ``ldaps://`` is TLS, ``ldap://`` StartTLS, unless *plaintext*.

    Raises `BadAddress`.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise BadAddress(f"{url}: {error}") from None
    if parts.scheme not in {"ldap", "ldaps"} or not host or parts.path.strip("/"):
        raise BadAddress(f"{url}: write ldaps://host, or ldap://host for StartTLS")
    if parts.scheme == "ldaps":
        return Server(host, port or 636)
    return Server(host, port or 389, Security.NONE if plaintext else Security.START_TLS)
