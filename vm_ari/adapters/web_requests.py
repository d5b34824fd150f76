"""Requests to web servers of others: gateways for SMS, receivers of webhooks.

The address is the administrator's. What comes back is outside data: at most a few lines of it are
read, and no redirect leads us anywhere else.
"""

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from vm_ari.adapters.trust import certificate_end, trust
from vm_ari.domain.callers import printable
from vm_ari.ports import DeliveryPostponed

MOST_READ = 4096
"""Octets of an answer."""
LONGEST_TOLD = 120
"""Characters of it that an administrator is told."""
CLOSING_SECONDS = 2.0


@dataclass(frozen=True)
class WebAnswer:
    """What a server has said."""

    status: int
    text: str

    @property
    def good(self) -> bool:
        """Was it a yes?"""
        return 200 <= self.status <= 299

    def told(self, secret: str = "") -> str:
        """One line for the administrator; a server may quote what it was sent."""
        text = self.text.replace(secret, "…") if secret else self.text
        return printable(f"{self.status} {text}", LONGEST_TOLD)


class WebRequests:
    """Talks to one server. Raises `BadAddress`."""

    def __init__(self, address: str, *, ca_file: Path | None = None, seconds: float = 10.0) -> None:
        """*address*: of which scheme, host and port count; *seconds*: for a whole request."""
        parts = urlsplit(address)
        self._host = parts.hostname or ""
        self._secure = parts.scheme == "https"
        self._port = parts.port or (443 if self._secure else 80)
        self._seconds = seconds
        self._trust = trust(ca_file) if self._secure else None
        self._session: aiohttp.ClientSession | None = None

    @property
    def where(self) -> str:
        """Host and port; no more of an address is ever told, as some hold a secret."""
        return f"{self._host}:{self._port}"

    async def ask(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> WebAnswer:
        """One request, without any retry. Raises `DeliveryPostponed`."""
        try:
            async with self._open().request(
                method,
                URL(url, encoded=True),
                headers={"Accept-Encoding": "identity", **headers},
                data=body,
                allow_redirects=False,
            ) as answer:
                content = await answer.content.read(MOST_READ)
                return WebAnswer(answer.status, content.decode("utf-8", "replace"))
        except TimeoutError:
            raise DeliveryPostponed(f"{self.where}: no answer in time") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise DeliveryPostponed(f"{self.where}: {_told(error)}") from None

    async def rehearse(self) -> datetime | None:
        """Connect, and send nothing; until when the certificate is good, None without TLS.

        Raises `DeliveryPostponed`.
        """
        try:
            async with asyncio.timeout(self._seconds):
                _, writer = await asyncio.open_connection(self._host, self._port, ssl=self._trust)
        except TimeoutError:
            raise DeliveryPostponed(f"{self.where}: no answer in time") from None
        except OSError as error:
            raise DeliveryPostponed(f"{self.where}: {_told(error)}") from None
        end = certificate_end(writer.get_extra_info("peercert"))
        writer.close()
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(CLOSING_SECONDS):
                await writer.wait_closed()
        return end

    async def close(self) -> None:
        """No more requests; those under way fail."""
        if self._session:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        """Neither cookies nor a proxy of the environment: nobody but the configuration decides."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=self._trust or True, limit=8),
                timeout=aiohttp.ClientTimeout(total=self._seconds),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=False,
            )
        return self._session


def _told(error: Exception) -> str:
    """In a few words; never the address, which an error may quote."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return f"the certificate is not good: {_verdict(error.certificate_error)}"
        case ssl.SSLCertVerificationError():
            return f"the certificate is not good: {_verdict(error)}"
        case aiohttp.ClientConnectorError():
            return printable(error.os_error.strerror or type(error).__name__)
        case OSError():
            return printable(error.strerror or type(error).__name__)
    return type(error).__name__


def _verdict(error: Exception) -> str:
    return printable(getattr(error, "verify_message", "") or type(error).__name__)
