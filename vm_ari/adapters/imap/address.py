"""Where a mail server is, and how long we wait for it."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from vm_ari.adapters.trust import BadAddress, Security


@dataclass(frozen=True)
class ImapServer:
    """One mail server."""

    host: str
    port: int
    security: Security = Security.TLS

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Chosen:
    """Which server has a mailbox, and who said so."""

    server: ImapServer
    by: str = "the usual server"


@dataclass(frozen=True)
class Patience:
    """How long we wait, in seconds."""

    connect: float = 3.0
    answer: float = 6.0
    """For each piece of an answer."""
    caller: float = 10.0
    """The longest that one step of a caller may take in all, waiting for a thread included."""
    delivery: float = 120.0
    """The longest that one delivery may take: nobody waits for it, and it may be large."""


def server_at(url: str, *, plaintext: bool = False) -> ImapServer:
    """The server of an URL: ``imaps://`` is TLS, ``imap://`` STARTTLS, unless *plaintext*.

    Raises `BadAddress`.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise BadAddress(f"{url}: {error}") from None
    beyond = parts.path.strip("/") or parts.query or parts.fragment or parts.username
    if parts.scheme not in {"imap", "imaps"} or not host or beyond:
        raise BadAddress(f"{url}: write imaps://host, or imap://host for STARTTLS")
    if parts.scheme == "imaps":
        return ImapServer(host, port or 993)
    return ImapServer(host, port or 143, Security.NONE if plaintext else Security.START_TLS)
