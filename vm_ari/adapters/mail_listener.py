"""A small SMTP server for mails to the system itself (NOTIFY-06): aiosmtpd on one port.

The site's mail server hands them over here. Only hosts that are named may talk, and only so many at
a time, so long and so much; only addresses of ours are taken. A mail that was answered with 250 has
been acted upon; nothing here ever sends a mail back.
"""

import asyncio
import logging
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from vm_ari.adapters.mail_reading import header_fields
from vm_ari.domain.site_mails import SiteMail
from vm_ari.ports import MailDesk, NotNow, NotTaken

log = structlog.get_logger("vm_ari.site_mails")

TRY_AGAIN = 30.0
"""Seconds, after the port was somebody else's."""
MOST_RECIPIENTS = 10
LONGEST_FIELD = 8000
"""Octets: results of checks are long."""
_OVERHEAD = 64 * 1024
"""Octets of commands, and of what is read before a mail is known to be too large."""

Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class ListenerLimits:
    """What one host, and all together, may do."""

    largest: int = 256 * 1024
    """Octets of one mail."""
    connections: int = 10
    idle: float = 30.0
    """Seconds between two commands, and for one whole mail."""
    longest: float = 300.0
    """Seconds of a connection."""


class MailListener:
    """Listens at *host* and *port* (0: any free one); *trusted* may talk."""

    def __init__(
        self,
        desk: MailDesk,
        host: str,
        port: int,
        trusted: Sequence[Network],
        limits: ListenerLimits | None = None,
    ) -> None:
        self.address = (host, port)
        self._gate = _Gate(tuple(trusted), limits or ListenerLimits())
        self._handler = _Handler(desk)
        self._server: asyncio.Server | None = None
        # it logs what it reads, and we log what is decided
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)

    async def open(self) -> None:
        """Begin to listen. Raises OSError."""
        loop = asyncio.get_running_loop()

        def new() -> SMTP:
            return _Conversation(self._handler, self._gate, loop)

        self._server = await loop.create_server(new, *self.address)
        self.address = self._server.sockets[0].getsockname()[:2]
        log.info("mails to the system are taken", host=self.address[0], port=self.address[1])

    async def run(self) -> None:
        """Listen until cancelled; a port that is not free is tried again."""
        while True:
            try:
                await self.open()
                break
            except OSError as error:
                log.error("mails to the system cannot be taken", reason=str(error))
                await asyncio.sleep(TRY_AGAIN)
        try:
            await asyncio.Event().wait()
        finally:
            self.close()

    def close(self) -> None:
        """Take no more; what is under way is broken off, and offered again."""
        if self._server:
            self._server.close()
            self._server = None
        self._gate.close()


class _Gate:
    """Who is inside."""

    def __init__(self, trusted: tuple[Network, ...], limits: ListenerLimits) -> None:
        self.limits = limits
        self._trusted = trusted
        self._inside: set[asyncio.BaseTransport] = set()

    def refusal(self, transport: asyncio.BaseTransport) -> str:
        """Why somebody may not come in; empty: welcome."""
        peer = (transport.get_extra_info("peername") or ("",))[0]
        if not any(_plain(peer) in network for network in self._trusted):
            log.warning("mail from a host that may not bring any", host=str(peer))
            return "554 5.7.1 This host may not bring mails"
        if len(self._inside) >= self.limits.connections:
            return "421 4.3.2 Too many connections, please come again"
        self._inside.add(transport)
        return ""

    def leave(self, transport: asyncio.BaseTransport | None) -> None:
        """The connection has ended."""
        if transport:
            self._inside.discard(transport)

    def close(self) -> None:
        """Nobody stays."""
        for transport in tuple(self._inside):
            _abort(transport)


class _Conversation(SMTP):
    """One connection, within its limits."""

    def __init__(self, handler: "_Handler", gate: _Gate, loop: asyncio.AbstractEventLoop) -> None:
        limits = gate.limits
        super().__init__(
            handler,
            data_size_limit=limits.largest,
            hostname=socket.gethostname(),
            ident="vm-ari",
            timeout=limits.idle,
            command_call_limit={"*": 20, "MAIL": 100, "RCPT": 1000, "DATA": 100, "RSET": 100},
            loop=loop,
        )
        self._gate = gate
        self._left = 0
        self.expect_a_mail()
        self._outside = False
        self._entered: asyncio.BaseTransport | None = None
        self._end: asyncio.TimerHandle | None = None

    def expect_a_mail(self) -> None:
        """The next one has as much room as the first."""
        self._left = 2 * self._gate.limits.largest + _OVERHEAD

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let in whoever may."""
        if refusal := self._gate.refusal(transport):
            self._outside = True
            assert isinstance(transport, asyncio.WriteTransport)
            transport.write(f"{refusal}\r\n".encode())
            transport.close()
            return
        self._entered = transport
        self._end = self.loop.call_later(self._gate.limits.longest, _abort, transport)
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """No more than a host has reason to send, whether lines end or not."""
        if self._outside:
            return
        self._left -= len(data)
        if self._left < 0:
            log.warning("a host sends too much")
            _abort(self._entered)
            return
        super().data_received(data)

    def eof_received(self) -> bool | None:
        """Nothing more will come."""
        return False if self._outside else super().eof_received()

    def connection_lost(self, error: Exception | None) -> None:
        """Make room for others."""
        if self._outside:
            return
        self._gate.leave(self._entered)
        if self._end:
            self._end.cancel()
        super().connection_lost(error)


class _Handler:
    """What aiosmtpd calls; its answers."""

    def __init__(self, desk: MailDesk) -> None:
        self._desk = desk

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Only what is ours, so that the mail server knows at once."""
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        if not self._desk.knows(address):
            return "550 5.1.1 There is no such address here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """The whole mail is here."""
        content = envelope.content
        assert isinstance(content, bytes)
        assert isinstance(server, _Conversation)
        server.expect_a_mail()
        fields = tuple(header_fields(content, LONGEST_FIELD))
        mail = SiteMail(tuple(envelope.rcpt_tos), envelope.mail_from or "", fields, content)
        try:
            await self._desk.take(mail)
        except NotNow as error:
            return f"451 4.3.0 {error}"
        except NotTaken as error:
            return f"550 5.7.1 {_in_ascii(str(error))}"
        return "250 2.0.0 Done"

    async def handle_exception(self, error: Exception) -> str:
        """The mail server keeps the mail, and learns nothing of our insides."""
        log.error("a mail to the system cannot be taken", why=type(error).__name__)
        return "451 4.3.0 Not now, please try again"


def _plain(peer: str) -> IPv4Address | IPv6Address | None:
    """Also where a socket for both families calls ``127.0.0.1`` ``::ffff:127.0.0.1``."""
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def _in_ascii(text: str) -> str:
    """An answer is one line of plain characters."""
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in text)[:400]


def _abort(transport: Any) -> None:
    if transport is not None:
        transport.abort()
