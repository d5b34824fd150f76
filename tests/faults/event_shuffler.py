"""Between the controller and Asterisk: every event comes twice, and neighbours change places.

Asterisk does neither; whoever believes in its order all the same must not lose a message over it.
Keys keep their order among themselves: what somebody has typed is nobody's to guess.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
from aiohttp import web

HOST = "127.0.0.1"
WAIT = 0.05
"""Seconds that an event waits for another one to overtake it."""
PASSED_ON = ("Authorization", "Content-Type")
KEY, ANSWER = "ChannelDtmfReceived", "RESTResponse"

Send = Callable[[str], Awaitable[None]]


class Disorder:
    """The events of one connection on their way to the controller."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._waiting: str | None = None
        self._late: asyncio.Task[None] | None = None
        self.events = self.swapped = 0

    async def take(self, text: str) -> None:
        """Answers pass at once; an event is overtaken by the next one, and both come twice."""
        kind = json.loads(text).get("type")
        if kind == ANSWER:
            await self._send(text)
            return
        self.events += 1
        before, self._waiting = self._waiting, None
        if kind == KEY:
            await self._twice(before)
            await self._twice(text)
        elif before is None:
            self._waiting = text
            self._late = asyncio.create_task(self._nobody_comes(text))
        else:
            self.swapped += 1
            await self._twice(text)
            await self._twice(before)

    async def _nobody_comes(self, text: str) -> None:
        await asyncio.sleep(WAIT)
        if self._waiting is text:
            self._waiting = None
            await self._twice(text)

    async def _twice(self, text: str | None) -> None:
        if text is not None:
            with suppress(ConnectionError):
                await self._send(text)
                await self._send(text)


class Shuffler:
    """An ARI server that asks another one for everything."""

    def __init__(self, target: int) -> None:
        self._target = f"http://{HOST}:{target}"
        self._session: aiohttp.ClientSession | None = None
        self.streams: list[Disorder] = []

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One request, or one connection for events."""
        self._session = self._session or aiohttp.ClientSession()
        headers = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
        where = self._target + request.path_qs
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._stream(request, self._session, where, headers)
        async with self._session.request(
            request.method, where, headers=headers, data=await request.read()
        ) as answer:
            kind = answer.content_type
            return web.Response(status=answer.status, body=await answer.read(), content_type=kind)

    async def _stream(
        self, request: web.Request, session: aiohttp.ClientSession, where: str, headers: Any
    ) -> web.StreamResponse:
        near = web.WebSocketResponse(max_msg_size=0)
        async with session.ws_connect(where, headers=headers, max_msg_size=0) as far:
            await near.prepare(request)
            disorder = Disorder(near.send_str)
            self.streams.append(disorder)
            both = {
                asyncio.create_task(_carry(near, far.send_str)),
                asyncio.create_task(_carry(far, disorder.take)),
            }
            _, rest = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for task in rest:
                task.cancel()
            await near.close()
        return near

    async def close(self) -> None:
        """Ask no more."""
        if self._session:
            await self._session.close()


async def _carry(
    source: web.WebSocketResponse | aiohttp.ClientWebSocketResponse, send: Send
) -> None:
    with suppress(ConnectionError):
        async for message in source:
            if message.type is aiohttp.WSMsgType.TEXT:
                await send(message.data)


@asynccontextmanager
async def shuffler_before(port: int) -> AsyncIterator[tuple[int, Shuffler]]:
    """A shuffler before that ARI server, and its port."""
    shuffler = Shuffler(port)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", shuffler.serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, 0)
        await site.start()
        [address] = runner.addresses
        yield address[1], shuffler
    finally:
        await runner.cleanup()
        await shuffler.close()
