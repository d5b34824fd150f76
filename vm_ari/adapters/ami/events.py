"""What phones do, as the manager interface tells it: one connection that is kept up for ever.

pyst2 connects, logs in and asks; its reading of events is replaced, because a caller who is named
``status will follow`` would silence it, a variable of a channel would end its thread, and it takes
one byte at a time. Events go from its thread to the event loop in batches.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from functools import partial
from io import BufferedReader
from typing import Any

import structlog

from vm_ari.adapters.ami.blocks import KINDS, TooLong, believable, blocks, kind_of
from vm_ari.adapters.ami.client import (
    AmiUnavailable,
    Connection,
    Fields,
    ManagerAccount,
    header_lines,
    in_time,
)
from vm_ari.adapters.ami.ringing import happened, ring_event
from vm_ari.domain.ring_events import (
    Appeared,
    CallerShown,
    DialBegan,
    HungUp,
    Lost,
    RingEvent,
)
from vm_ari.ports import Clock

log = structlog.get_logger("vm_ari.ringing")

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 30.0
"""Seconds between tries to connect."""
QUIET_SECONDS = 20.0
"""When nothing was heard for so long, Asterisk is asked whether it is there."""
MOST_WAITING = 50_000
"""Events that nobody has taken yet; more: the connection is ended, and begins anew."""
SHOWN = "CALLERID(num-pres)"
_ALLOWED = "allowed"


class _Inbox:
    """Events on the way from the thread that reads to the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Clock) -> None:
        self._loop = loop
        self._clock = clock
        self._events: deque[RingEvent | None] = deque()
        self._filled = asyncio.Event()
        self._warned = False

    def put(self, block: Sequence[bytes]) -> None:
        """From the thread. Raises `TooLong` where nobody takes them."""
        if kind_of(block) not in KINDS:
            return
        fields = believable(block)
        if fields is None:
            self._warn()
        elif event := ring_event(fields, happened(fields, self._clock.now())):
            if len(self._events) > MOST_WAITING:
                raise TooLong("too many events wait")
            self._add(event)

    def _warn(self) -> None:
        """Once: callers can do it as often as they like."""
        if not self._warned:
            self._warned = True
            log.warning("calls are ignored whose callers have put lines into the events")

    def end(self) -> None:
        """From the thread: nothing else will come."""
        self._add(None)

    def _add(self, event: RingEvent | None) -> None:
        self._events.append(event)
        if len(self._events) == 1:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._filled.set)

    async def get(self) -> RingEvent | None:
        """The next one; None at the end."""
        while not self._events:
            self._filled.clear()
            await self._filled.wait()
        return self._events.popleft()


class _EventConnection(Connection):
    """pyst2's connection with a reader of our own."""

    def __init__(self, inbox: _Inbox) -> None:
        super().__init__()
        self._inbox = inbox
        self._asked = ""

    def ask(self, lines: dict[str, Any]) -> Mapping[str, str]:
        """As everywhere; nobody else can know the id that the answer must have."""
        self._asked = secrets.token_hex(8)
        return super().ask({**lines, "ActionID": self._asked})

    def _receive_data(self) -> None:
        """pyst2's thread for it."""
        reader = BufferedReader(self._sock, 65536)
        try:
            greeting = reader.readline(200)
            self._message_queue.put(["Response: Greeting\r\n", greeting.decode("utf-8", "replace")])
            for block in blocks(reader):
                self._sort(block)
        except (OSError, ValueError) as error:  # ValueError: closed meanwhile, or `TooLong`
            log.debug("the manager interface is not read any more", reason=str(error))
        finally:
            self._connected.clear()
            with suppress(OSError, ValueError):
                reader.close()
            self._message_queue.put(None)
            self._inbox.end()

    def _sort(self, block: Sequence[bytes]) -> None:
        if block[0].startswith(b"Event"):
            self._inbox.put(block)
        elif self._asked and f"ActionID: {self._asked}".encode() in block:
            lines = [line.decode("utf-8", "replace") + "\r\n" for line in block]
            self._message_queue.put(lines)


class ManagerEvents:
    """`ports.RingEvents` of one Asterisk."""

    def __init__(self, account: ManagerAccount, clock: Clock) -> None:
        self._account = account
        self._clock = clock
        self._unasked: set[str] = set()
        self._pause = FIRST_PAUSE
        self._complaint = ""

    async def listen(self) -> AsyncGenerator[RingEvent, None]:
        """Everything from now on; after a gap `Lost` comes first. Ends only when it is closed."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ami-events")
        try:
            while True:
                try:
                    async with aclosing(self._one_connection()) as events:
                        async for event in events:
                            yield event
                except AmiUnavailable as error:
                    self._complain(str(error))
                await asyncio.sleep(self._pause)
                self._pause = min(self._pause * 2, LONGEST_PAUSE)
        finally:
            self._thread.shutdown(wait=False)

    def _complain(self, reason: str) -> None:
        """Once for each reason."""
        if reason != self._complaint:
            self._complaint = reason
            log.warning("no calls can be followed", reason=reason)

    async def _one_connection(self) -> AsyncGenerator[RingEvent, None]:
        inbox = _Inbox(asyncio.get_running_loop(), self._clock)
        connection = _EventConnection(inbox)
        try:
            await self._log_in(connection)
            self._pause, self._complaint = FIRST_PAUSE, ""
            self._unasked.clear()
            log.info("calls are followed", host=self._account.host, port=self._account.port)
            yield Lost(self._clock.now())
            while event := await self._next(connection, inbox):
                if shown := await self._whether_shown(connection, event):
                    yield shown
                yield event
        finally:
            connection.cut()
        raise AmiUnavailable("the connection to the manager interface is lost")

    async def _next(self, connection: _EventConnection, inbox: _Inbox) -> RingEvent | None:
        while True:
            try:
                async with asyncio.timeout(QUIET_SECONDS):
                    return await inbox.get()
            except TimeoutError:
                await self._ask(connection, {"Action": "Ping"})

    async def _log_in(self, connection: _EventConnection) -> None:
        await in_time(connection, self._thread, partial(connection.open, self._account))
        who = {"Username": self._account.user, "Secret": self._account.secret}
        answer = await self._ask(connection, {"Action": "Login", **who, "Events": "call"})
        if answer.get("Response") != "Success":
            raise AmiUnavailable(f"the manager interface: {answer.get('Message')}")

    async def _whether_shown(
        self, connection: _EventConnection, event: RingEvent
    ) -> CallerShown | None:
        """Asked once for each call, when it reaches the first phone: events do not tell it."""
        match event:
            case Appeared(channel=channel, call=call) if channel == call:
                self._unasked.add(channel)
            case HungUp(channel=channel):
                self._unasked.discard(channel)
            case DialBegan(at=at, call=call) if call in self._unasked:
                self._unasked.discard(call)
                return CallerShown(at, call, await self._shown(connection, call))
        return None

    async def _shown(self, connection: _EventConnection, channel: str) -> bool:
        fields = {"Action": "Getvar", "Channel": channel, "Variable": SHOWN}
        answer = await self._ask(connection, fields)
        if answer.get("Message") == "Permission denied":
            self._complain("the account may not read variables: it needs write = reporting")
        return answer.get("Value", "").startswith(_ALLOWED)

    async def _ask(self, connection: _EventConnection, fields: Fields) -> Mapping[str, str]:
        lines = header_lines(fields)
        return await in_time(connection, self._thread, partial(connection.ask, lines))
