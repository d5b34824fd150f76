"""Opening a connection to a mail server: TLS as asked for, time-outs, and a way to cut it off."""

import imaplib
import logging
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import ProtocolError

from vm_ari.adapters.imap.address import Patience
from vm_ari.adapters.imap.errors import (
    CannotTrust,
    ConnectionLost,
    ReadOnly,
    Unreadable,
    refusal,
    told,
)
from vm_ari.adapters.server_address import Server
from vm_ari.adapters.trust import Security

logging.getLogger("imapclient").setLevel(logging.WARNING)


class Wire:
    """The socket of a connection that is being opened or used; anybody may cut it."""

    def __init__(self, server: Server, context: ssl.SSLContext | None, seconds: float) -> None:
        self._server = server
        self._context = context
        self._seconds = seconds
        self._twin: socket.socket | None = None
        self._cut = False
        self._lock = threading.Lock()

    def connect(self) -> socket.socket:
        """Open it; TLS from the first byte where that is wanted. Raises `OSError`."""
        address = (self._server.host, self._server.port)
        plain = socket.create_connection(address, self._seconds)
        # imaplib sends AUTHENTICATE and APPEND in two pieces: 40 ms each without this
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._twin = socket.socket(fileno=os.dup(plain.fileno()))
            if self._cut:
                plain.close()
                raise ConnectionAbortedError("given up")
        if self._server.security is not Security.TLS or self._context is None:
            return plain
        try:
            return self._context.wrap_socket(plain, server_hostname=self._server.host)
        except BaseException:
            plain.close()
            raise

    def cut(self) -> None:
        """Whoever waits for an answer stops waiting at once; from any thread, without waiting."""
        with self._lock:
            self._cut = True
            if self._twin:
                with suppress(OSError):
                    self._twin.shutdown(socket.SHUT_RDWR)

    def forget(self) -> None:
        """The connection has been closed."""
        with self._lock:
            if self._twin:
                self._twin.close()
                self._twin = None


def _say_nothing(*_: object) -> None:
    """In place of imaplib's protocol of what was said."""


class _Imap4(imaplib.IMAP4):
    """The standard library's client over our own socket."""

    def __init__(self, server: Server, wire: Wire) -> None:
        self._wire = wire
        super().__init__(server.host, server.port)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        return self._wire.connect()

    def _log(self, line: str) -> None:
        """It would keep the last commands, passwords included."""


class _Client(IMAPClient):  # type: ignore[misc]  # the library has no types
    """IMAPClient over our own socket."""

    def __init__(self, server: Server, wire: Wire, patience: Patience) -> None:
        self._server, self._wire = server, wire
        timeout = SocketTimeout(patience.connect, patience.answer)
        super().__init__(server.host, server.port, ssl=False, timeout=timeout)
        self.normalise_times = False
        # the library would write every answer to the log: passwords, people, words of messages
        self._imap.debug = 0
        self._imap._mesg = _say_nothing

    def _create_IMAP4(self) -> imaplib.IMAP4:
        return _Imap4(self._server, self._wire)


def connected(
    server: Server, context: ssl.SSLContext | None, patience: Patience, wire: Wire
) -> Any:
    """An IMAPClient that is connected and protected as asked for, and not logged in.

    Raises `ConnectionLost`, `CannotTrust`.
    """
    with translated(server):
        try:
            client = _Client(server, wire, patience)
        except BaseException:
            wire.forget()
            raise
        try:
            _protect(client, server, context)
        except BaseException:
            hang_up(client, wire)
            raise
        return client


def _protect(client: Any, server: Server, context: ssl.SSLContext | None) -> None:
    """STARTTLS where the connection is not protected yet, or nothing at all is said on it."""
    if server.security is not Security.START_TLS:
        return
    if client._imap.state != "NONAUTH" or not client.has_capability("STARTTLS"):
        raise CannotTrust(
            f"{server} does not offer STARTTLS: use imaps://, or allow plaintext on a safe network"
        )
    client.starttls(context)


def hang_up(client: Any, wire: Wire) -> None:
    """Close it without a farewell: a server that hangs would not answer it."""
    wire.cut()
    with suppress(OSError, imaplib.IMAP4.error):
        client.shutdown()
    wire.forget()


@contextmanager
def translated(server: Server) -> Iterator[None]:
    """Everything that the libraries raise, as one of our own errors."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        reason = getattr(error, "verify_message", "") or told(error)
        raise CannotTrust(f"{server}: its certificate is not accepted: {reason}") from None
    except ssl.SSLError as error:
        raise CannotTrust(f"{server}: TLS fails: {error.reason or told(error)}") from None
    except TimeoutError:
        raise ConnectionLost(f"{server} does not answer in time") from None
    except imaplib.IMAP4.readonly:
        raise ReadOnly(f"{server}: our account may only read this folder", "READ-ONLY") from None
    except (imaplib.IMAP4.abort, OSError, EOFError) as error:
        reason = getattr(error, "strerror", None) or told(error)
        raise ConnectionLost(f"{server}: no connection: {reason}") from None
    except ProtocolError:
        raise Unreadable(f"{server} gave an answer that cannot be read") from None
    except imaplib.IMAP4.error as error:
        if isinstance(error.__context__, imaplib.IMAP4.abort):
            # the library takes a connection that breaks during the login for a refused password
            raise ConnectionLost(f"{server}: no connection: {told(error)}") from None
        raise refusal(server, error) from None
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        name = type(error).__name__
        raise Unreadable(f"{server} gave an answer that cannot be read ({name})") from None
