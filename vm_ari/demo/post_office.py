"""An SMTP server on loopback that hands every mail on before it takes it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from aiosmtpd.smtp import SMTP, Envelope, Session

from vm_ari.demo.people import DOMAIN

LARGEST = 50_000_000
"""Octets of one mail."""

Deliver = Callable[[bytes, str, str], Awaitable[str]]
"""Takes a mail, its sender and one recipient; gives SMTP's words of refusal, or nothing."""


class PostOffice:
    """Takes mails while it is started; a mail that nobody takes is refused."""

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self) -> None:
        """Listen on a free port."""
        # it would write every line of every mail: a welcome mail brings a PIN
        logging.getLogger("mail.log").setLevel(logging.WARNING)

        def new() -> SMTP:
            return SMTP(self, hostname=f"mail.{DOMAIN}", data_size_limit=LARGEST)

        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(new, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Take nothing more."""
        if self._server:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def handle_DATA(self, server: "SMTP", session: "Session", envelope: "Envelope") -> str:
        """Called by aiosmtpd: one mail, whole."""
        content = envelope.content
        assert isinstance(content, bytes)
        answers = [
            await self._deliver(content, envelope.mail_from or "", recipient)
            for recipient in envelope.rcpt_tos
        ]
        refused = [answer for answer in answers if answer]
        return refused[0] if refused and len(refused) == len(answers) else "250 2.0.0 delivered"
