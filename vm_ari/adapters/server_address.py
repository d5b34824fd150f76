"""Where a directory or mail server is, as its URL says."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from vm_ari.adapters.trust import BadAddress, Security


@dataclass(frozen=True)
class Server:
    """One server."""

    host: str
    port: int
    security: Security = Security.TLS

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Scheme:
    """How URLs of one protocol begin, and the ports that they mean."""

    name: str
    port: int
    tls_port: int
    upgrade: str
    """What the protocol calls TLS after a request for it."""

    def server_at(self, url: str, *, plaintext: bool = False) -> Server:
        """With an s at its end TLS, else the upgrade to it, unless *plaintext*.

        Raises `BadAddress`.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise BadAddress(f"{url}: {error}") from None
        beyond = parts.path.strip("/") or parts.query or parts.fragment or parts.username
        if parts.scheme not in {self.name, f"{self.name}s"} or not host or beyond:
            way = f"{self.name}://host for {self.upgrade}"
            raise BadAddress(f"{url}: write {self.name}s://host, or {way}")
        if parts.scheme != self.name:
            return Server(host, port or self.tls_port)
        security = Security.NONE if plaintext else Security.START_TLS
        return Server(host, port or self.port, security)
