"""Real mail servers on loopback: one that follows the rules, and ones that behave badly."""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.private_ca import Identity

USER, PASSWORD = "vm-ari", "tr0ub4dor&3"


@dataclass
class Postbox:
    """What a server has taken, and how it answers."""

    mails: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    """Sender, recipients, content."""
    to_sender: str = ""
    to_recipient: str = ""
    answers: dict[str, str] = field(default_factory=dict)
    """To single recipients."""
    to_mail: str = ""
    tls: list[bool] = field(default_factory=list)
    """Of each mail: did it come over TLS?"""
    attempts: int = 0

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.attempts += 1
        envelope.mail_from = address
        return self.to_sender or "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if answer := self.answers.get(address, self.to_recipient):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.to_mail:
            return self.to_mail
        content = envelope.content
        assert isinstance(content, bytes)
        self.mails.append((str(envelope.mail_from), list(envelope.rcpt_tos), content))
        assert server.transport is not None
        self.tls.append(server.transport.get_extra_info("cipher") is not None)
        return "250 taken"


def _checked(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: object
) -> AuthResult:
    assert isinstance(given, LoginPassword)
    right = (given.login, given.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=False)


@asynccontextmanager
async def mail_server(
    postbox: Postbox,
    identity: Identity | None = None,
    *,
    at_once: bool = False,
    account: bool = False,
    at: int = 0,
) -> AsyncIterator[int]:
    """A server; its port. *at_once*: TLS from the first byte on, else by STARTTLS."""
    context = None
    if identity:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(identity.certificate, identity.key)
    later = context if not at_once else None

    def new() -> SMTP:
        with warnings.catch_warnings():  # it does not know that TLS can come before it
            warnings.simplefilter("ignore")
            return SMTP(
                postbox,
                hostname="mx.example.org",
                tls_context=later,
                require_starttls=later is not None,
                auth_required=account,
                auth_require_tls=not at_once and account,
                authenticator=_checked if account else None,
            )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(new, "127.0.0.1", at, ssl=context if at_once else None)
    async with server:
        yield server.sockets[0].getsockname()[1]


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def rude_server(talk: Talk) -> AsyncIterator[int]:
    """A server that says what *talk* says; its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await talk(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
