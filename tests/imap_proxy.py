"""A proxy in front of a mail server that makes it poorer, or cuts connections at chosen places.

It runs in threads of its own, so that it may be used from any event loop.
"""

import re
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum

_COMMAND = re.compile(rb"[A-P]{4}[0-9]+ ")
"""How the client's commands begin."""
_CAPABILITIES = re.compile(rb"CAPABILITY IMAP4rev1[^\]\r\n]*")
_EXTRAS = re.compile(rb"\[(?:COPYUID|APPENDUID) [^\]]*\] | \\\\\*(?=\))|\\\*(?=\))")


class Moment(Enum):
    """When a connection breaks."""

    BEFORE = "the server never sees the command"
    AFTER = "the server does it, and its answer is lost"
    INSIDE = "the server sees a part of what follows an APPEND"


@dataclass
class Plan:
    """What shall happen; the default is nothing."""

    poor: bool = False
    """Only what RFC 3501 demands is offered, and no keywords are kept."""
    cut_at: int = 0
    """Number of the command, from 1 over all connections; 0: none."""
    moment: Moment = Moment.BEFORE
    again: bool = False
    """Also at every command after that one."""
    most_bytes: int = 0
    """For `Moment.INSIDE`: so many of the message's bytes get through."""
    rewrite: Callable[[bytes], bytes] | None = None
    """Of what the server says, piece by piece."""
    commands: list[bytes] = field(default_factory=list)
    """Those that came, without their tags."""

    def cuts(self, moment: Moment) -> bool:
        """Is it the last command's turn?"""
        number = len(self.commands)
        due = number >= self.cut_at if self.again else number == self.cut_at
        return bool(self.cut_at) and due and moment is self.moment


class ImapProxy(socketserver.ThreadingTCPServer):
    """Listens on loopback; its plan may be changed at any time."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, target: int) -> None:
        super().__init__(("127.0.0.1", 0), _Carrier)
        self.target = target
        self.plan = Plan()
        self.open: set[socket.socket] = set()
        self.flowing = threading.Event()
        self.flowing.set()

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self.server_address[1]
        return port

    @property
    def url(self) -> str:
        """As a mail server."""
        return f"imap://localhost:{self.port}"

    def cut(self) -> None:
        """Break every connection at once."""
        for one in list(self.open):
            _break(one)


class _Carrier(socketserver.BaseRequestHandler):
    """One connection of a client."""

    server: ImapProxy

    def handle(self) -> None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.server.target)) as far:
            near: socket.socket = self.request
            for one in (near, far):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.server.open |= {near, far}
            back = threading.Thread(target=self._answers, args=(far, near), daemon=True)
            back.start()
            with suppress(OSError):
                self._commands(near, far)
            _break(far)
            _break(near)
            back.join()
            self.server.open -= {near, far}

    def _commands(self, near: socket.socket, far: socket.socket) -> None:
        left = -1
        while data := near.recv(65536):
            self.server.flowing.wait()
            plan = self.server.plan
            if _COMMAND.match(data):
                plan.commands.append(data.partition(b" ")[2])
                left = plan.most_bytes if plan.cuts(Moment.INSIDE) else -1
                if plan.cuts(Moment.BEFORE):
                    return
                if plan.cuts(Moment.AFTER):
                    near.shutdown(socket.SHUT_WR)  # whatever is answered does not arrive
                    far.sendall(data)
                    far.shutdown(socket.SHUT_WR)
                    while near.recv(65536):
                        pass
                    return
            elif left >= 0:
                far.sendall(data[:left])
                left -= len(data)
                if left <= 0:
                    return
                continue
            far.sendall(data)

    def _answers(self, far: socket.socket, near: socket.socket) -> None:
        with suppress(OSError):
            while data := far.recv(65536):
                self.server.flowing.wait()
                plan = self.server.plan
                data = plan.rewrite(data) if plan.rewrite else data
                near.sendall(_poorer(data) if plan.poor else data)
        _break(near)


def _poorer(data: bytes) -> bytes:
    data = _CAPABILITIES.sub(b"CAPABILITY IMAP4rev1 AUTH=PLAIN", data)
    return _EXTRAS.sub(b"", data)


def _break(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)


@contextmanager
def imap_proxy(target: int) -> Iterator[ImapProxy]:
    """A proxy to a port on loopback."""
    with ImapProxy(target) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.flowing.set()
            proxy.cut()
            proxy.shutdown()
            thread.join()
