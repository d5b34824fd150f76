"""A TCP proxy on loopback that is a bad network: slow, narrow, broken off, silent, or a stranger's.

Everything may be changed at any time, also while connections are open. It runs in the event loop of
the test; blocking clients run in threads beside it.
"""

import asyncio
import socket
import struct
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum

HOST = "127.0.0.1"
PIECE = 65536
LONGEST_TRANSCRIPT = 1_000_000
LAST_WORDS = 0.3
"""Seconds: a request whose answer gets lost has reached the server by then."""
STEPS_PER_SECOND = 50
"""A narrow line lets so many small pieces through."""
_RESET_AT_CLOSE = struct.pack("ii", 1, 0)


class Way(Enum):
    """Which half of a connection."""

    THERE = "from the client to the server"
    BACK = "from the server to the client"


class End(Enum):
    """How a connection ends that is broken off."""

    CLOSE = "as if the other side had closed it (FIN)"
    RESET = "as a crash or a firewall does it (RST)"


@dataclass(frozen=True)
class Cut:
    """A connection is broken off when so many bytes have passed, not one more."""

    way: Way
    after: int
    times: int = 0
    """Of the next so many connections; 0: of each one."""
    end: End = End.RESET


STRIPPED: Mapping[Way, Mapping[bytes, bytes]] = {
    Way.THERE: {b"1.3.6.1.4.1.1466.20037": b"1.3.6.1.4.1.1466.20099"},
    Way.BACK: {b"STARTTLS": b"XSTARTXX", b"LOGINDISABLED": b"XLOGINALLOWED"},
}
"""What somebody changes who wants everything to be said in the clear: IMAP's and SMTP's offer of
STARTTLS, LDAP's request of it. What replaces it is as long."""


@dataclass(eq=False)
class _Connection:
    """Both sides of one, and what may still pass."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter | None = None
    left: Counter[Way] | None = None
    """Bytes until it is cut, for the way that is counted; None: it is not cut."""
    end: End = End.RESET
    deaf: bool = False
    """Nothing comes back any more."""
    held: dict[Way, bytes] = field(default_factory=dict)

    def break_off(self, end: End) -> None:
        """Both sides, at once."""
        for writer in (self.near, self.far):
            if writer is None:
                continue
            if end is End.CLOSE:
                writer.close()
                continue
            with suppress(OSError):
                writer.get_extra_info("socket").setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE
                )
            writer.transport.abort()


class Proxy:
    """``async with proxy_to(port) as proxy``: clients go to `Proxy.port`."""

    def __init__(self, target: int) -> None:
        self.target = target
        """May be changed: new connections go there."""
        self.port = 0
        self.delay = 0.0
        """Seconds that each piece takes longer."""
        self.rate = 0.0
        """Bytes per second in each way of each connection; 0: as many as it can."""
        self.strips_tls = False
        """Nobody is offered STARTTLS: see `STRIPPED`."""
        self.connections = 0
        """So many were made until now."""
        self.carried: Counter[Way] = Counter()
        """Bytes, over all connections."""
        self.heard: dict[Way, bytearray] = {way: bytearray() for way in Way}
        """The last of them, as they left us: nobody else knows what was said on the way."""
        self.answers_lost = 0
        """Of `lose_answer_to`: so many times it has happened."""
        self._lost_word = b""
        self._cut: Cut | None = None
        self._cuts_left = 0
        self._open: set[_Connection] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._listener = _bound(0)
        self._accepting = False
        self._unserved: set[socket.socket] = set()
        """Accepted, but nobody has begun to carry anything yet."""
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def open(self) -> int:
        """So many connections are there now."""
        return len(self._open)

    # -- what can be done to it

    def cut_after(self, cut: Cut) -> None:
        """Break off connections that begin from now on."""
        self._cut, self._cuts_left = cut, cut.times

    def lose_answer_to(self, word: bytes) -> None:
        """The next request with that word arrives; its answer does not, and the connection breaks.

        The word must come in one piece.
        """
        self._lost_word = word

    def cut(self, end: End = End.RESET) -> None:
        """Break off every connection now; new ones can be made."""
        for connection in list(self._open):
            connection.break_off(end)

    def hold(self) -> None:
        """Carry nothing, but keep connections open and accept more: a black hole."""
        self._flowing.clear()

    def flow(self) -> None:
        """Carry again, also what was held."""
        self._flowing.set()

    def refuse(self, refuses: bool = True) -> None:
        """Nobody listens at that port (what is open stays), or somebody does again."""
        loop = asyncio.get_running_loop()
        if refuses and self._accepting:
            loop.remove_reader(self._listener)
            self._listener.close()
            self._listener = _bound(self.port)
        elif not refuses and not self._accepting:
            self._listener.listen(128)
            loop.add_reader(self._listener, self._accept)
        self._accepting = not refuses

    def heal(self) -> None:
        """A good network from now on; what is open stays as it is."""
        self.delay = self.rate = 0.0
        self.strips_tls, self._cut, self._lost_word = False, None, b""
        self.refuse(False)
        self.flow()

    # -- its life

    async def start(self) -> None:
        """Listen on a free port."""
        self.port = self._listener.getsockname()[1]
        self.refuse(False)

    async def close(self) -> None:
        """End every connection, and listen no more."""
        self.refuse()
        self._listener.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for near in self._unserved:
            near.close()

    def _accept(self) -> None:
        """Not by `sock_accept`: cancelled while somebody comes in, it loses him and complains."""
        with suppress(OSError):  # who was there has gone again
            near, _ = self._listener.accept()
            near.setblocking(False)
            self._unserved.add(near)
            task = asyncio.create_task(self._connected(near))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _connected(self, near: socket.socket) -> None:
        self.connections += 1
        reader, writer = await asyncio.open_connection(sock=near)
        self._unserved.discard(near)
        connection = self._new(writer)
        self._open.add(connection)
        try:
            await self._flowing.wait()
            far_reader, connection.far = await asyncio.open_connection(HOST, self.target)
            await asyncio.gather(
                self._carry(Way.THERE, reader, connection.far, connection),
                self._carry(Way.BACK, far_reader, writer, connection),
            )
        except OSError:  # there is no server
            connection.break_off(End.RESET)
        finally:
            self._open.discard(connection)
            connection.break_off(End.CLOSE)

    def _new(self, near: asyncio.StreamWriter) -> _Connection:
        cut = self._cut
        if cut is None or (cut.times and not self._cuts_left):
            return _Connection(near)
        self._cuts_left -= 1
        return _Connection(near, left=Counter({cut.way: cut.after}), end=cut.end)

    async def _carry(
        self,
        way: Way,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        connection: _Connection,
    ) -> None:
        with suppress(OSError):
            self._cut_at_zero(way, connection)
            while data := await source.read(PIECE):
                await self._flowing.wait()
                if self.delay:
                    await asyncio.sleep(self.delay)
                if way is Way.THERE:
                    self._listen_for_the_word(data, connection)
                elif connection.deaf:
                    continue
                await self._pass_on(way, self._changed(way, data, connection), target, connection)
            await self._pass_on(way, connection.held.pop(way, b""), target, connection)
        with suppress(OSError):
            target.close()

    def _listen_for_the_word(self, data: bytes, connection: _Connection) -> None:
        if self._lost_word and self._lost_word in data:
            self._lost_word, connection.deaf = b"", True
            self.answers_lost += 1
            asyncio.get_running_loop().call_later(LAST_WORDS, connection.break_off, End.RESET)

    def _cut_at_zero(self, way: Way, connection: _Connection) -> None:
        if connection.left is not None and connection.left.get(way) == 0:
            connection.break_off(connection.end)

    async def _pass_on(
        self, way: Way, data: bytes, target: asyncio.StreamWriter, connection: _Connection
    ) -> None:
        """Up to the byte behind which it is cut, as fast as the line is."""
        counted = connection.left is not None and way in connection.left
        if counted and connection.left is not None:
            data = data[: connection.left[way]]
            connection.left[way] -= len(data)
        for piece in self._pieces(data):
            target.write(piece)
            self.carried[way] += len(piece)
            self.heard[way] += piece
            del self.heard[way][:-LONGEST_TRANSCRIPT]
            await target.drain()
            if self.rate:
                await asyncio.sleep(len(piece) / self.rate)
        if counted:
            self._cut_at_zero(way, connection)

    def _pieces(self, data: bytes) -> Iterator[bytes]:
        while data:
            size = max(1, int(self.rate / STEPS_PER_SECOND)) if self.rate else len(data)
            yield data[:size]
            data = data[size:]

    def _changed(self, way: Way, data: bytes, connection: _Connection) -> bytes:
        """The end of a piece may be the beginning of a word: then it waits for the rest."""
        data = connection.held.pop(way, b"") + data
        if not self.strips_tls:
            return data
        for word, other in STRIPPED[way].items():
            data = data.replace(word, other)
        begun = max((_begun(word, data) for word in STRIPPED[way]), default=0)
        if begun:
            connection.held[way] = data[-begun:]
        return data[:-begun] if begun else data


def _begun(word: bytes, data: bytes) -> int:
    """With so many of the word's first bytes does the data end?"""
    return next((n for n in range(len(word) - 1, 0, -1) if data.endswith(word[:n])), 0)


def _bound(port: int) -> socket.socket:
    """A port that is ours, though nobody listens there: whoever comes is refused."""
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.setblocking(False)
    one.bind((HOST, port))
    return one


@asynccontextmanager
async def proxy_to(port: int) -> AsyncIterator[Proxy]:
    """A proxy to a port on loopback."""
    proxy = Proxy(port)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.close()
