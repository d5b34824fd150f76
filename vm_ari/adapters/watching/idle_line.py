"""One connection to a mail server that only listens: IDLE (RFC 2177), said anew in time.

Whoever opened it has logged in and selected the folder. What is kept for it is a socket and a few
hundred bytes, and no thread: there may be thousands.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress

from vm_ari.adapters.imap.errors import ConnectionLost

ANSWER_SECONDS = 30.0
LONGEST_LINE = 16 * 1024
"""Bytes; nothing that is said during IDLE is longer."""
_PIECE = 4096
_CHANGE = re.compile(
    rb"\* (?:[0-9]{1,20} (?:EXISTS|EXPUNGE|FETCH|RECENT)|VANISHED)\b", re.IGNORECASE
)
_NOT_YET = (BlockingIOError, ssl.SSLWantReadError)


class IdleLine:
    """Says IDLE until the connection breaks, which is the only way in which it ends.

    *heard* is called each time the server has told of a change, and whenever IDLE begins: what
    happened before that is not told.
    """

    def __init__(
        self, connection: socket.socket, heard: Callable[[], None], *, anew: float = 540.0
    ) -> None:
        self._connection = connection
        self._heard = heard
        self._anew = anew
        self._buffer = bytearray()
        self._readable = asyncio.Event()
        self._number = 0
        self._over = False

    async def run(self) -> None:
        """Raises `ConnectionLost`; the connection is closed then."""
        loop = asyncio.get_running_loop()
        connection = self._connection
        connection.setblocking(False)
        loop.add_reader(connection.fileno(), self._readable.set)
        self._readable.set()
        try:
            while True:
                await self._idle()
        except (OSError, EOFError, TimeoutError) as error:
            reason = getattr(error, "strerror", None) or str(error) or "no answer in time"
            raise ConnectionLost(f"IDLE ended: {reason}") from None
        finally:
            loop.remove_reader(connection.fileno())
            with suppress(OSError):
                connection.close()

    async def _idle(self) -> None:
        """One time: until it is to be said anew."""
        self._number += 1
        tag = b"idle%d" % self._number
        self._say(tag + b" IDLE\r\n")
        async with asyncio.timeout(ANSWER_SECONDS):
            await self._until(b"+")
        self._heard()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._anew):
                await self._until(tag + b" ")
                raise EOFError("the server ended it")
        self._say(b"DONE\r\n")
        async with asyncio.timeout(ANSWER_SECONDS):
            await self._until(tag + b" ")

    async def _until(self, beginning: bytes) -> None:
        """Listen until a line begins like that. Raises `EOFError`, `OSError`."""
        while True:
            line = await self._line()
            if line.startswith(beginning):
                if not line.startswith(b"+") and line.split()[1:2] != [b"OK"]:
                    raise EOFError("the server refuses it")
                return
            if _CHANGE.match(line):
                self._heard()
            elif line[:5].upper() == b"* BYE":
                raise EOFError("the server hangs up")
            elif line.startswith(b"idle"):
                raise EOFError("the server refuses it")

    async def _line(self) -> bytes:
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > LONGEST_LINE:
                raise EOFError("the server says what cannot be understood")
            if self._over:
                raise EOFError("the server hung up")
            await self._readable.wait()
            self._readable.clear()
            self._read()
        line = bytes(self._buffer[: end + 1])
        del self._buffer[: end + 1]
        return line

    def _read(self) -> None:
        """All that has come: TLS may hold what the socket does not show any more."""
        with suppress(*_NOT_YET):
            while len(self._buffer) <= LONGEST_LINE:
                piece = self._connection.recv(_PIECE)
                if not piece:
                    self._over = True
                    return
                self._buffer += piece
            self._readable.set()

    def _say(self, line: bytes) -> None:
        try:
            sent = self._connection.send(line)
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            sent = 0
        if sent != len(line):
            raise EOFError("the server takes nothing more")
