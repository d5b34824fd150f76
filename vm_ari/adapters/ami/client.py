"""Actions of the manager interface (AMI): pyst2 in one worker thread, with time-outs.

pyst2 waits for ever where Asterisk does not answer, writes values into lines without looking at
them, and shares one default argument between all callers (``send_action(cdict={})``). So it is
always given a dictionary of its own, values with line ends are refused, and a connection that is
late is cut, which wakes the thread that waits on it.
"""

import asyncio
import queue
import socket
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from asterisk.manager import (  # type: ignore[import-untyped]  # pyst2 has no types
    Manager,
    ManagerException,
)

Fields = Mapping[str, str | Sequence[str]]
"""Header fields of an action; a sequence repeats the field."""

CONNECT_SECONDS = 3.0
ANSWER_SECONDS = 5.0
"""For each step: connecting, logging in, the action, logging off."""

T = TypeVar("T")


class AmiUnavailable(Exception):
    """The manager interface does not answer, or not to us. The text says why."""


class AmiError(Exception):
    """Asterisk refused an action; the text is its own."""


@dataclass(frozen=True)
class ManagerAccount:
    """An account of ``manager.conf``."""

    user: str
    secret: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 5038


class AmiClient:
    """Logs in with the first action, and again after a loss; one action at a time."""

    def __init__(self, account: ManagerAccount) -> None:
        self._account = account
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ami")
        self._turn = asyncio.Lock()
        self._connection: Connection | None = None

    async def act(self, action: str, fields: Fields) -> str:
        """Do it and return Asterisk's message. Raises `AmiUnavailable`, `AmiError`.

        ValueError for a field that would become more than one line.
        """
        lines = header_lines({"Action": action, **fields})
        async with self._turn:
            if self._connection is None or not self._connection.connected():
                self._connection = await self._logged_in()
            answer = await self._in_time(self._connection, partial(self._connection.ask, lines))
        if answer.get("Response") == "Error":
            raise AmiError(answer.get("Message", "refused without a reason"))
        return answer.get("Message", "")

    async def close(self) -> None:
        """Log off and end the thread."""
        async with self._turn:
            connection, self._connection = self._connection, None
            if connection:
                with suppress(AmiUnavailable):
                    await self._in_time(connection, connection.close)
            self._thread.shutdown(wait=False)

    async def _logged_in(self) -> "Connection":
        connection = Connection()
        await self._in_time(connection, partial(connection.open, self._account))
        login = {"Username": self._account.user, "Secret": self._account.secret, "Events": "off"}
        lines = header_lines({"Action": "Login", **login})
        answer = await self._in_time(connection, partial(connection.ask, lines))
        if answer.get("Response") == "Error":
            connection.cut()
            raise AmiUnavailable(f"the manager interface: {answer.get('Message')}")
        return connection

    async def _in_time(self, connection: "Connection", work: Callable[[], T]) -> T:
        return await in_time(connection, self._thread, work)


class Connection(Manager):  # type: ignore[misc]
    """pyst2's connection, which can be opened in limited time, and cut from outside."""

    def __init__(self) -> None:
        super().__init__()
        self._wire: socket.socket | None = None

    def __del__(self) -> None:
        """Nothing: pyst2 would log off and join threads, wherever garbage is collected."""

    def open(self, account: ManagerAccount) -> None:
        """As `Manager.connect`, but not for ever. Blocks. Raises OSError."""
        self._wire = socket.create_connection((account.host, account.port), CONNECT_SECONDS)
        self._wire.settimeout(None)
        self._sock = self._wire.makefile(mode="rwb", buffering=0)
        self._wire.close()  # in truth when _sock is closed
        self._connected.set()
        self._running.set()
        self.message_thread.start()
        self.event_dispatch_thread.start()
        try:
            self._response_queue.get(timeout=CONNECT_SECONDS)
        except queue.Empty:
            raise TimeoutError("connected, but no greeting") from None

    def ask(self, lines: dict[str, Any]) -> Mapping[str, str]:
        """Send an action and return its answer. Blocks. Raises ManagerException, OSError."""
        answer: Mapping[str, str] = self.send_action(lines).headers
        return answer

    def cut(self) -> None:
        """End it now; who waits for an answer gets ManagerException. Does not block."""
        self._connected.clear()
        if self._wire:
            with suppress(OSError):
                self._wire.shutdown(socket.SHUT_RDWR)
        self._response_queue.put(None)


async def in_time(connection: Connection, thread: ThreadPoolExecutor, work: Callable[[], T]) -> T:
    """Do it in the thread; whatever goes wrong ends the connection, so that nothing waits."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await asyncio.get_running_loop().run_in_executor(thread, work)
    except TimeoutError as error:
        connection.cut()
        raise AmiUnavailable("the manager interface does not answer") from error
    except (ManagerException, OSError, ValueError) as error:  # ValueError: closed meanwhile
        connection.cut()
        raise AmiUnavailable(f"the manager interface: {error}") from error
    except asyncio.CancelledError:
        connection.cut()
        raise


def header_lines(fields: Fields) -> dict[str, Any]:
    """A dictionary as pyst2 wants it. Raises ValueError for what is not one line."""
    lines = {key: value if isinstance(value, str) else list(value) for key, value in fields.items()}
    for key, value in lines.items():
        for text in (key, *([value] if isinstance(value, str) else value)):
            if any(character < " " for character in text):
                raise ValueError(f"the field {key!r} would become more than one line")
    return lines
