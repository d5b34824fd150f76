"""Calls to controllers that die before the tone, and what the callers heard of it."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.adapters.tone_life import Life
from vm_ari.adapters.ari.application import AriApplication, Arrival
from vm_ari.adapters.ari.errors import NotFound
from vm_ari.adapters.ari.line import AriLine
from vm_ari.adapters.ari.transport import Address
from vm_ari.telephony.channel import HungUp

QUIET = """
[quiet]
exten => s,1,Answer()
 same => n,Wait(60)
"""
"""Where the other end of a call says nothing."""
PATIENCE = 10.0
"""Seconds until a caller counts as stuck."""


@dataclass
class Call:
    """What a caller can tell."""

    life: Life
    heard_tone: bool = False
    recorded: bool = False
    given_back: asyncio.Event = field(default_factory=asyncio.Event)
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def id(self) -> str:
        """His channel."""
        return f"caller-{self.life.app}"

    @property
    def lost(self) -> bool:
        """Did he talk after a tone to nobody?"""
        return self.heard_tone and not self.recorded


class Witness:
    """Sees everything that happens in Asterisk, and makes calls."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self._calls: dict[str, Call] = {}

    async def watch(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Until cancelled."""
        async for message in socket:
            self._note(message.json())

    def _note(self, event: dict[str, Any]) -> None:
        about = event.get("playback") or event.get("recording") or {}
        target = about.get("target_uri", "").removeprefix("channel:")
        call = self._calls.get(target)
        if call is None:
            return
        match event["type"]:
            case "PlaybackStarted" if about["media_uri"].endswith("tones/beep"):
                call.heard_tone = True
            case "RecordingStarted":
                call.recorded = True
                call.begun.set()

    async def calls(self, life: Life) -> Call:
        """Somebody rings that controller up."""
        call = Call(life)
        self._calls[call.id] = call
        where = {"endpoint": "Local/s@quiet/n", "app": life.app, "channelId": call.id}
        async with self._session.post(f"{self._url}/ari/channels", params=where) as answer:
            assert answer.status == 200, await answer.text()
        return call


@asynccontextmanager
async def witness_of(address: Address) -> AsyncIterator[Witness]:
    """Watch that Asterisk."""
    async with aiohttp.ClientSession(headers=address.authorization()) as session:
        witness = Witness(session, address.url)
        query = {"app": "witness", "subscribeAll": "true"}
        async with session.ws_connect(f"{address.url}/ari/events", params=query) as socket:
            watching = asyncio.create_task(witness.watch(socket))
            try:
                yield witness
            finally:
                watching.cancel()
                await asyncio.wait([watching])


class Lives:
    """Begins controllers, one after the other."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def live(self, life: Life, witness: Witness) -> Call:
        """One of them, to its end."""
        assert self._process.stdin
        self._process.stdin.write(life.order())
        await self._told("ready")
        call = await witness.calls(life)
        await self._told("dead")
        return call

    async def _told(self, word: str) -> None:
        assert self._process.stdout
        async with asyncio.timeout(PATIENCE):
            told = (await self._process.stdout.readline()).decode().strip()
        assert told == word, told


@asynccontextmanager
async def lives() -> AsyncIterator[Lives]:
    """The process that forks them."""
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "tests.adapters.tone_life")
    root = Path(__file__).parents[2]
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, cwd=root)
    try:
        yield Lives(process)
    finally:
        assert process.stdin
        process.stdin.close()
        await process.wait()


class Heir:
    """The next controller: gives callers back who are not being recorded."""

    def __init__(self, call: Call) -> None:
        self._call = call
        life = call.life
        self.app = AriApplication(
            life.address, self, sounds=Path(life.sounds), now=time.time, app=life.app
        )

    async def call(self, line: AriLine, _arrival: Arrival) -> None:
        """Whose news came to us: nobody has told him anything."""
        await line.leave("FALLBACK")

    async def orphan(self, line: AriLine) -> None:
        """As the dialogue does it."""
        if line.id != self._call.id:
            return  # the other end of his line
        if await self._is_recorded():
            await asyncio.wait_for(self._call.begun.wait(), PATIENCE)
            await line.hang_up()
        else:
            await line.leave("FALLBACK")
        while not isinstance(await line.next_event(), HungUp):
            pass
        self._call.given_back.set()

    async def _is_recorded(self) -> bool:
        try:
            await self.app.connection.client.recordings.live(self._call.life.recording)
        except NotFound:
            return False
        return True

    async def connected(self) -> None:
        """No files are adopted here."""


async def inherited(call: Call) -> bool:
    """Does the next controller take care of him?"""
    running = asyncio.create_task(Heir(call).app.run())
    with suppress(TimeoutError):
        await asyncio.wait_for(call.given_back.wait(), PATIENCE)
    running.cancel()
    await asyncio.wait([running])
    return call.given_back.is_set()
