"""Sending mails by SMTP (MAIL-05): TLS that is verified, authentication, and time-outs always."""

import asyncio
import os
import re
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import aiosmtplib
from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPRecipientsRefused,
    SMTPResponseException,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)

from vm_ari.adapters.mail_writing import ascii_address
from vm_ari.adapters.trust import certificate_end, trust
from vm_ari.domain.callers import printable
from vm_ari.domain.system_mails import Recipient
from vm_ari.measures import Asking
from vm_ari.ports import DeliveryPostponed, DeliveryRefused, NoRoomLeft

LONGEST_ANSWER = 200
"""Characters of a server's answer that are told to the admin."""


_FULL = re.compile(r"\b[45]\.2\.2\b")
_TOO_LARGE = re.compile(r"\b5\.(2\.3|3\.4)\b")
"""Of the mail, not of the mailbox (RFC 3463 §3.3)."""
_NO_STORAGE = 552
_NOBODY_THERE = (
    SMTPAuthenticationError,
    SMTPConnectError,
    SMTPServerDisconnected,
    SMTPTimeoutError,
)
"""No answers about a mail."""


class SmtpSecurity(StrEnum):
    """How the connection is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    """From the first byte on (RFC 8314)."""
    NONE = "none"


@dataclass(frozen=True)
class SmtpServer:
    """Where mails are handed over."""

    host: str
    port: int = 0
    """0: 465 with TLS, else 587 with an account and 25 without."""
    security: SmtpSecurity = SmtpSecurity.STARTTLS
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None
    """The private authority that signed the server's certificate; None: the system's ones."""
    seconds: float = 20.0
    """For each answer; a whole mail takes three times as long at most."""
    called: str = ""
    """Our own name in the greeting (EHLO); empty: the machine's."""

    @property
    def usual_port(self) -> int:
        """The one that is meant."""
        if self.port:
            return self.port
        if self.security is SmtpSecurity.TLS:
            return 465
        return 587 if self.user else 25


class SmtpStep(StrEnum):
    """How far a rehearsal has come."""

    CONNECT = "connect"
    TRUST = "trust"
    LOGIN = "login"
    SENDER = "sender"
    RECIPIENT = "recipient"


class SmtpTrouble(Exception):
    """What keeps us from sending, found without a mail."""

    def __init__(self, step: SmtpStep, text: str) -> None:
        super().__init__(text)
        self.step = step


class SmtpMailer:
    """`ports.Mailer` by SMTP, a connection for each mail. Raises `BadAddress`."""

    def __init__(self, server: SmtpServer, sender: str) -> None:
        self._server = server
        self._sender = sender
        self._trust = None if server.security is SmtpSecurity.NONE else trust(server.ca_file)

    async def send(self, mail: bytes, recipient: Recipient, *, message_id: str) -> None:
        """See `Mailer`.

        Only what the server says of this recipient or this mail is for good; all else is the
        site's to mend, and is tried again: a wrong password must not cost anybody a mail.
        """
        address = ascii_address(recipient.mail)
        if address is None:
            raise DeliveryRefused(f"user {recipient.user_id} has no mail address that can be used")
        try:
            with Asking("smtp", TimeoutError, OSError, *_NOBODY_THERE):
                async with asyncio.timeout(self._server.seconds * 3):
                    await self._send(mail, address)
        except (SMTPRecipientsRefused, SMTPRecipientRefused, SMTPDataError) as error:
            raise _judged(error) from error
        except TimeoutError as error:
            raise DeliveryPostponed(f"{self.where}: no answer in time") from error
        except (SMTPException, OSError, ValueError) as error:
            raise DeliveryPostponed(f"{self.where}: {_told(error)}") from error

    async def rehearse(self, recipient: str) -> datetime | None:
        """Everything but the mail itself; until when the server's certificate is good.

        None for a connection without TLS. Raises `SmtpTrouble`.
        """
        client = self._client()
        step = SmtpStep.CONNECT
        try:
            async with asyncio.timeout(self._server.seconds * 3):
                await client.connect()
                end = certificate_end(client.get_transport_info("peercert"))
                step = SmtpStep.LOGIN
                if self._server.user:
                    await client.login(self._server.user, self._server.password)
                step = SmtpStep.SENDER
                await client.mail(self._sender)
                step = SmtpStep.RECIPIENT
                await client.rcpt(recipient)
                await client.rset()
                with suppress(SMTPException, OSError):
                    await client.quit()
                return end
        except TimeoutError:
            raise SmtpTrouble(step, f"{self.where}: no answer in time") from None
        except (SMTPException, OSError, ValueError) as error:
            untrusted = isinstance(error.__cause__ or error, ssl.SSLError)
            step = SmtpStep.TRUST if step is SmtpStep.CONNECT and untrusted else step
            raise SmtpTrouble(step, f"{self.where}: {_told(error)}") from None
        finally:
            await client.ends()

    @property
    def where(self) -> str:
        """Host and port."""
        return f"{self._server.host}:{self._server.usual_port}"

    async def _send(self, mail: bytes, address: str) -> None:
        client = self._client()
        try:
            await client.connect()
            if self._server.user:
                await client.login(self._server.user, self._server.password)
            await client.sendmail(self._sender, [address], mail)
        finally:
            await client.ends()

    def _client(self) -> "_Client":
        server = self._server
        return _Client(
            hostname=server.host,
            port=server.usual_port,
            timeout=server.seconds,
            use_tls=server.security is SmtpSecurity.TLS,
            start_tls=server.security is SmtpSecurity.STARTTLS,
            tls_context=self._trust,
            local_hostname=server.called or None,
        )


class _Client(aiosmtplib.SMTP):
    """A connection that ends at once, whoever closes it; aiosmtplib does so after some errors.

    The mail is taken or not: nobody waits for a farewell of TLS, for which a loop that ends right
    after this has no time. And what is still to be written must not be: a mail that has waited too
    long for the server would arrive after all, and once more with the next try.
    """

    def close(self) -> None:
        """Now."""
        transport = self.transport
        super().close()
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()

    async def ends(self) -> None:
        """Close it, and let the loop close the socket."""
        self.close()
        await asyncio.sleep(0)


def _judged(error: SMTPException) -> DeliveryPostponed | DeliveryRefused:
    """An answer to recipient or mail: 5xx is for good, 4xx for now (RFC 5321 §4.2.1).

    But for a full mailbox, which some servers refuse for good: its owner can make room.
    """
    if isinstance(error, SMTPRecipientsRefused):
        error = next(iter(error.recipients), error)
    code, told = getattr(error, "code", 0), _told(error)
    if _FULL.search(told) or (code == _NO_STORAGE and not _TOO_LARGE.search(told)):
        return NoRoomLeft(f"the mailbox is full: {told}")
    return DeliveryRefused(told) if 500 <= code <= 599 else DeliveryPostponed(told)


def _told(error: Exception) -> str:
    """One line for the admin; the server's words may be anything."""
    if isinstance(error, SMTPResponseException):
        return printable(f"{error.code} {error.message}", LONGEST_ANSWER)
    reason = str(error).rstrip(": ") or type(error).__name__
    cause = error.__cause__
    verdict = next((one for one in (error, cause) if isinstance(one, ssl.SSLError)), None)
    if isinstance(verdict, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted: {verdict.verify_message}"
    if isinstance(cause, ConnectionError) and cause.errno:
        return f"no connection: {os.strerror(cause.errno)}"
    if cause is not None and not str(cause):
        reason += f" ({type(cause).__name__})"
    return printable(reason, LONGEST_ANSWER)
