"""A controller that dies in the moment in which it orders the tone and the recording.

A process that has imported everything forks one controller for each order it reads, and tells when
that one is ready and dead: a life costs milliseconds.
"""

import asyncio
import json
import os
import signal
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import aiohttp
import structlog

from vm_ari.adapters.ari.application import AriApplication, Arrival
from vm_ari.adapters.ari.connection import Way
from vm_ari.adapters.ari.line import AriLine
from vm_ari.adapters.ari.transport import Address
from vm_ari.domain.recording import Limits
from vm_ari.speech.parts import Clip

BEEP = Clip("tones/beep")
LIMITS = Limits(longest=60, silence=5)
LONGEST = 20.0
"""Seconds until a life ends in any case."""


@dataclass(frozen=True)
class Life:
    """One controller, its one call, and its end."""

    url: str
    user: str
    password: str
    app: str
    sounds: str
    way: Way
    after: int
    """It dies behind so many requests about the recording."""
    delay: float
    """Seconds later."""

    @property
    def address(self) -> Address:
        """Where Asterisk is."""
        return Address(self.url, self.user, self.password)

    @property
    def recording(self) -> str:
        """What it is going to be called."""
        return f"vm-ari/tone/{self.app}"

    @property
    def moment(self) -> str:
        """When it dies."""
        return f"{self.way}, {self.delay * 1000:.2f} ms behind request {self.after}"

    def order(self) -> bytes:
        """For the process that forks."""
        return json.dumps(asdict(self)).encode() + b"\n"


class Doomed:
    """Takes one call, and is struck down while it begins to record."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self._asked = 0
        self._doomed = False

    def asks(self) -> None:
        """A request has been written, and is perhaps the last one."""
        self._asked += 1
        if self._doomed and self._asked == self._life.after:
            self._end()

    def _end(self) -> None:
        """By the kernel, whatever Python does meanwhile: an alarm that nobody handles."""
        if not self._life.delay:
            os.kill(os.getpid(), signal.SIGKILL)
        signal.setitimer(signal.ITIMER_REAL, self._life.delay)

    async def call(self, line: AriLine, _arrival: Arrival) -> None:
        """Lead the caller to the tone."""
        self._doomed, self._asked = True, 0
        await line.record(self._life.recording, LIMITS, BEEP)
        if self._asked < self._life.after:
            self._end()
        await asyncio.Event().wait()

    async def orphan(self, line: AriLine) -> None:
        """There is none yet."""

    async def connected(self) -> None:
        """Nothing to adopt."""


async def _live(life: Life) -> None:
    signal.setitimer(signal.ITIMER_REAL, LONGEST)
    doomed = Doomed(life)
    _count_requests(doomed)
    app = AriApplication(
        life.address, doomed, sounds=Path(life.sounds), now=time.time, app=life.app, way=life.way
    )
    running = asyncio.create_task(app.run())
    await app.connection.ready.wait()
    print("ready", flush=True)
    await running


def _count_requests(doomed: Doomed) -> None:
    """On either way to Asterisk: at aiohttp's door, where a request leaves for the kernel."""
    send_str, request = aiohttp.ClientWebSocketResponse.send_str, aiohttp.ClientRequest.send

    async def noted_frame(self: Any, *arguments: Any, **options: Any) -> None:
        await send_str(self, *arguments, **options)
        doomed.asks()

    async def noted_request(self: Any, *arguments: Any, **options: Any) -> Any:
        answer = await request(self, *arguments, **options)
        doomed.asks()
        return answer

    aiohttp.ClientWebSocketResponse.send_str = noted_frame  # type: ignore[method-assign]
    aiohttp.ClientRequest.send = noted_request  # type: ignore[method-assign]


def _serve() -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    for line in sys.stdin:
        if child := os.fork():
            os.waitpid(child, 0)
            print("dead", flush=True)
        else:
            asyncio.run(_live(Life(**json.loads(line))))


if __name__ == "__main__":
    _serve()
