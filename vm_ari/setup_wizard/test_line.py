"""A caller inside Asterisk: a Local channel, so that no telephone and no trunk is needed.

One half of it goes through our dialplan like any call; the other half is ours: what it plays is
what the caller says, what it records is what the caller hears. An application of its own is told
of both halves.
"""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import aiohttp

from vm_ari.adapters.ari.client import AriClient
from vm_ari.adapters.ari.errors import AriError, AriUnavailable
from vm_ari.adapters.ari.transport import ANSWER_SECONDS, Address, HttpTransport

Event = Mapping[str, Any]
_OURS = "vm-ari-init-"
_LARGEST = 20_000_000


class CallFailed(Exception):
    """The call did not go as it should. The text says what happened instead."""


class TestLine:
    """One call; made by `open_line`."""

    __test__ = False  # no test, whatever its name begins with

    def __init__(self, client: AriClient, session: aiohttp.ClientSession, url: str) -> None:
        name = _OURS + secrets.token_hex(6)
        self.app = self.recording = name
        self.caller, self.called = f"{name}-caller", f"{name}-called"
        self._client, self._session, self._url = client, session, url
        self._events: asyncio.Queue[Event] = asyncio.Queue()

    async def read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Sort events into the queue until the connection ends."""
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                self._events.put_nowait(json.loads(message.data))

    async def dial(self, extension: str, context: str, caller: str) -> None:
        """Call our dialplan. Raises `CallFailed`."""
        try:
            await self._client.channels.originate(
                f"Local/{extension}@{context}/n",
                app=self.app,
                callerId=caller,
                channelId=self.caller,
                otherChannelId=self.called,
                formats="ulaw",
                timeout="20",
            )
            await self._request(
                "POST",
                f"applications/{self.app}/subscription",
                eventSource=f"channel:{self.called}",
            )
        except (AriError, AriUnavailable) as error:
            raise CallFailed(f"Asterisk does not place the call: {error}") from None

    async def event(self, within: float) -> Event:
        """The next one. Raises `CallFailed` if none comes."""
        try:
            async with asyncio.timeout(within):
                return await self._events.get()
        except TimeoutError:
            raise CallFailed(f"nothing more happened for {within:.0f} s") from None

    async def listen(self) -> None:
        """Write down what is heard from now on; Asterisk types no keys meanwhile."""
        await self._client.channels.handle(self.caller).record(
            self.recording, format="wav", ifExists="overwrite"
        )

    async def say(self, sound: str) -> None:
        """Say a recording: its path, without an ending."""
        await self._client.channels.handle(self.caller).play([f"sound:{sound}"], f"{self.app}-said")

    async def press(self, keys: str) -> None:
        """Type on the telephone."""
        await self._request("POST", f"channels/{self.caller}/dtmf", dtmf=keys)

    async def hang_up(self) -> None:
        """End the call; it may have ended."""
        with suppress(AriError, AriUnavailable):
            await self._client.channels.handle(self.caller).hangup()

    async def heard(self) -> bytes:
        """What was written down, as WAV; it is gone afterwards. Raises `CallFailed`."""
        path = f"recordings/stored/{self.recording}"
        try:
            async with self._session.get(f"{self._url}/ari/{path}/file") as answer:
                found, content = answer.status == 200, b""
                async for piece in answer.content.iter_chunked(1 << 16):
                    content += piece if len(content) < _LARGEST else b""
            with suppress(AriError, AriUnavailable):
                await self._request("DELETE", path)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise CallFailed(f"Asterisk does not give the recording: {error!r}") from None
        if not found:
            raise CallFailed("Asterisk has no recording of the call")
        return content

    async def _request(self, method: str, path: str, **query: str) -> None:
        await self._client.transport.request(method, path, query)


@asynccontextmanager
async def open_line(address: Address) -> AsyncIterator[TestLine]:
    """A line that ends with the block. Raises `CallFailed`."""
    url = address.url.rstrip("/")
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(
            aiohttp.ClientSession(
                headers=address.authorization(),
                timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS),
            )
        )
        line = TestLine(AriClient(HttpTransport(session, address)), session, url)
        try:
            socket = await stack.enter_async_context(
                session.ws_connect(f"{url}/ari/events", params={"app": line.app}, max_msg_size=0)
            )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise CallFailed(f"Asterisk does not tell its events: {error!r}") from None
        reader = asyncio.create_task(line.read(socket))
        stack.callback(reader.cancel)
        stack.push_async_callback(line.hang_up)
        yield line
