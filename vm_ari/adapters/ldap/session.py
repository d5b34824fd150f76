"""One connection to one directory server; the only module that talks to ldap3.

It blocks, so it lives in a worker thread, and has one owner at a time. ldap3 connects, protects,
binds and writes; searches are put together here (`wire`), which is several times faster.
"""

import re
import ssl
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from vm_ari.adapters.ldap import ber, wire
from vm_ari.adapters.ldap.address import Account, Patience
from vm_ari.adapters.ldap.errors import (
    AccountRefused,
    CannotTrust,
    Code,
    LdapError,
    NoSuchEntry,
    NotServed,
    ServerLost,
    refusal,
)
from vm_ari.adapters.ldap.filters import Present
from vm_ari.adapters.ldap.wire import Done, Found, Scope, Search
from vm_ari.adapters.server_address import Server
from vm_ari.adapters.trust import Security

with warnings.catch_warnings():  # ldap3 2.9 uses names that pyasn1 has deprecated
    warnings.simplefilter("ignore", DeprecationWarning)
    import ldap3
    from ldap3.core.exceptions import LDAPExceptionError, LDAPStartTLSError
    from ldap3.core.results import RESULT_CODES
    from ldap3.protocol.sasl.sasl import validate_simple_password

PAGE = 500
"""Entries a page: Active Directory gives 1,000 at most."""
_LONGEST_ANSWER = 10.0
"""Seconds for one page, however slowly it trickles in."""
_BUSY = {Code.BUSY, Code.UNAVAILABLE}
_LIMITS = {Code.SIZE_LIMIT_EXCEEDED, Code.ADMIN_LIMIT_EXCEEDED}

Change = tuple[Literal["MODIFY_ADD", "MODIFY_DELETE", "MODIFY_REPLACE"], list[str]]


@dataclass(frozen=True)
class Entries:
    """What a search found."""

    found: tuple[Found, ...]
    complete: bool = True
    """False: there are more, but the server gives no more than these."""


@dataclass(frozen=True)
class Opened:
    """How long it took to open a session, in seconds."""

    connect: float = 0.0
    """With TLS."""
    bind: float = 0.0


class Session:
    """Connected, protected and bound. Everything raises `ServerLost` and `Refused`."""

    def __init__(
        self,
        server: Server,
        account: Account,
        context: ssl.SSLContext | None,
        patience: Patience,
    ) -> None:
        self.used = began = time.monotonic()
        self.opened = Opened()
        self._name = str(server)
        self._like_this: Callable[[Account], Session] = lambda other: Session(
            server, other, context, patience
        )
        self._tls = _SharedTls(context)
        self._ldap = _connection(server, account, self._tls, patience)
        try:
            self._open(server.security, account, began)
        except BaseException:
            self.close()
            raise

    def search(self, search: Search) -> Entries:
        """Everything in one answer."""
        found: list[Found] = []
        done = self._ask(search, found.append)
        return Entries(tuple(found), _is_complete(done, search))

    def search_pages(self, search: Search) -> Entries:
        """Everything, page by page: servers give only so much at once."""
        found: list[Found] = []
        done = self._ask(search, found.append, PAGE)
        while done.cookie and done.code == Code.SUCCESS:
            done = self._ask(search, found.append, PAGE, done.cookie)
        return Entries(tuple(found), _is_complete(done, search))

    def read(self, dn: str, attributes: Iterable[str]) -> Found | None:
        """One entry; None if it is not there."""
        search = Search(dn, Present("objectClass"), tuple(attributes), Scope.BASE)
        try:
            return next(iter(self.search(search).found), None)
        except NoSuchEntry:
            return None

    def modify(self, dn: str, changes: Mapping[str, list[Change]]) -> None:
        """All of it or nothing. Raises `Conflict`, `WriteRefused`, `NoSuchEntry`."""
        coded = {
            name: [(kind, [value.encode() for value in values]) for kind, values in each]
            for name, each in changes.items()
        }
        self._write("change", lambda: self._ldap.modify(dn, coded))

    def add(self, dn: str, attributes: Mapping[str, list[str]]) -> None:
        """A new entry. Raises `EntryExists`, `WriteRefused`, `NoSuchEntry`."""
        coded = {name: [value.encode() for value in each] for name, each in attributes.items()}
        self._write("addition", lambda: self._ldap.add(dn, attributes=coded))

    def delete(self, dn: str) -> None:
        """Remove an entry. Raises `WriteRefused`, `NoSuchEntry`."""
        self._write("deletion", lambda: self._ldap.delete(dn))

    def accepts(self, dn: str, password: str) -> bool:
        """Is that the password of an entry? Asked on a connection of its own, for ours stays ours.

        A bind without a password succeeds on many servers and proves nothing (RFC 4513, 5.1.2).
        """
        if not dn or not _may_be_sent(password):
            return False
        try:
            self._like_this(Account(dn, password)).close()
        except AccountRefused:
            return False
        except NotServed as error:  # locked or expired: that tells nothing about the server
            if error.code in _BUSY:
                raise
            return False
        return True

    def ping(self) -> None:
        """Is somebody there?"""
        self.read("", ["supportedLDAPVersion"])

    def close(self) -> None:
        """Hang up, without a word: the server may be hung."""
        if self._ldap.socket is not None:
            self._ldap.socket.close()

    # --- opening

    def _open(self, security: Security, account: Account, began: float) -> None:
        self._calling(lambda: self._ldap.open(read_server_info=False))
        if security is Security.START_TLS:
            self._start_tls()
        connected = time.monotonic()
        _, result, *_ = self._calling(lambda: self._ldap.bind(read_server_info=False))
        if result["result"] == Code.INVALID_CREDENTIALS:
            raise AccountRefused(f"{self._name} refuses the password of {account.dn}.")
        if result["result"] != Code.SUCCESS:
            text = f"{self._name} refuses to serve {account.dn}: {_said(result)}"
            raise NotServed(text, result["result"])
        self.opened = Opened(connected - began, time.monotonic() - connected)

    def _start_tls(self) -> None:
        """The server must agree, whatever its reason not to: somebody on the way may be it."""
        try:
            self._calling(lambda: self._ldap.start_tls(read_server_info=False))
        except CannotTrust:
            raise
        except ServerLost as error:
            if isinstance(error.__cause__, LDAPStartTLSError):
                raise CannotTrust(f"{self._name} does not offer StartTLS.") from None
            raise
        if not isinstance(self._ldap.socket, ssl.SSLSocket):
            raise CannotTrust(f"{self._name} did not start TLS.")

    def _calling(self, call: Callable[[], Any]) -> Any:
        """ldap3's errors as ours. Its answers hold our password: they go no further than here.

        Nonsense from a server makes it fail in many ways, so this catches everything.
        """
        try:
            return call()
        except Exception as error:
            if self._tls.problem:
                raise CannotTrust(f"{self._name} cannot be trusted: {self._tls.problem}") from None
            raise ServerLost(f"{self._name}: {_short(error)}") from error

    # --- searching

    def _ask(
        self, search: Search, take: Callable[[Found], None], page: int = 0, cookie: bytes = b""
    ) -> Done:
        number = self._ldap.server.next_message_id()
        try:
            self._ldap.socket.sendall(wire.request(number, search, page, cookie))
            done = self._receive(number, take)
        except (OSError, ValueError, AttributeError) as error:
            raise ServerLost(f"{self._name}: {_short(error)}") from error
        self.used = time.monotonic()
        if done.code != Code.SUCCESS and done.code not in _LIMITS:
            raise _refusal(f"{self._name} refuses a search", done.code, done.text)
        return done

    def _receive(self, number: int, take: Callable[[Found], None]) -> Done:
        """Read until the search is done. Raises OSError, ValueError."""
        data = bytearray()
        latest = time.monotonic() + _LONGEST_ANSWER
        while True:
            while (size := ber.size_of_first(data)) is not None and size <= len(data):
                said = wire.answer(bytes(data[:size]), number)
                del data[:size]
                if isinstance(said, Done):
                    return said
                if said is not None:
                    take(said)
            if size is not None and size > wire.LONGEST_MESSAGE:
                raise ber.Malformed("a message of unbelievable size")
            if time.monotonic() > latest:
                raise TimeoutError("the answer takes too long")
            data += self._piece()

    def _piece(self) -> bytes:
        piece: bytes = self._ldap.socket.recv(65536)
        if not piece:
            raise ConnectionError("the server has hung up")
        return piece

    # --- writing

    def _write(self, what: str, call: Callable[[], Any]) -> None:
        _, result, *_ = self._calling(call)
        self.used = time.monotonic()
        if result["result"] != Code.SUCCESS:
            raise _refusal(f"{self._name} refuses the {what}", result["result"], result["message"])


class _SharedTls(ldap3.Tls):
    """TLS by Python's own checks, with one context for all connections.

    ldap3's own would check nothing by default, and read the system's authorities each time.
    """

    def __init__(self, context: ssl.SSLContext | None) -> None:
        super().__init__(validate=ssl.CERT_REQUIRED)
        self._context = context
        self.problem = ""

    def wrap_socket(self, connection: ldap3.Connection, do_handshake: bool = False) -> None:
        """ldap3 calls this when a connection shall be protected from here on."""
        try:
            if self._context is None:
                raise ssl.SSLError(0, "nothing to trust is configured")
            connection.socket = self._context.wrap_socket(
                connection.socket, server_hostname=connection.server.host
            )
        except ssl.CertificateError as error:
            self.problem = error.verify_message
            raise
        except ssl.SSLError as error:
            self.problem = error.reason or "TLS failed"
            raise


def _connection(server: Server, account: Account, tls: _SharedTls, patience: Patience) -> Any:
    """Not open yet; the library's types know half of it only."""
    there = ldap3.Server(  # one for each connection: it remembers which address is connected
        server.host,
        port=server.port,
        use_ssl=server.security is Security.TLS,
        tls=tls,
        get_info=ldap3.NONE,
        connect_timeout=patience.connect,
    )
    return ldap3.Connection(
        there,
        account.dn or None,
        account.password or None,
        authentication=ldap3.SIMPLE if account.dn else ldap3.ANONYMOUS,
        client_strategy=ldap3.SAFE_SYNC,
        check_names=False,
        auto_referrals=False,
        receive_timeout=patience.receive,
        raise_exceptions=False,
    )


def _may_be_sent(password: str) -> bool:
    """ldap3 refuses what no password can be (RFC 4013): that is no fault of the server's."""
    try:
        validate_simple_password(password)
    except (LDAPExceptionError, UnicodeError):
        return False
    return True


def _is_complete(done: Done, search: Search) -> bool:
    """The limit that we asked for is no lack."""
    return done.code == Code.SUCCESS or bool(search.most)


def _refusal(head: str, code: int, message: str) -> LdapError:
    reason = RESULT_CODES.get(code, f"result {code}")
    return refusal(f"{head}: {reason}{f' ({message})' if message else ''}", code)


def _said(result: Mapping[str, Any]) -> str:
    return f"{result['description']} {result['message']}".strip()


_NO_CONNECTION = re.compile(r"^socket connection error while opening: (\[Errno -?\d+\] )?")
"""What ldap3 says of it, in words that help nobody."""


def _short(error: BaseException) -> str:
    told = str(error) or type(error).__name__
    return _NO_CONNECTION.sub("no connection: ", told)[:200]
