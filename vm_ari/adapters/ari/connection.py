"""The connection to one Asterisk: kept up for ever, its events handed out in order.

The reader of the WebSocket only sorts: it never waits for anything but the next event, as
Asterisk cuts a client that falls behind by about 4.5 MB.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, Literal

import aiohttp
import structlog

from vm_ari.adapters.ari.client import AriClient
from vm_ari.adapters.ari.errors import AriError, AriUnavailable, NotFound
from vm_ari.adapters.ari.transport import (
    ANSWER_SECONDS,
    Address,
    HttpTransport,
    Transport,
    WebSocketTransport,
)

log = structlog.get_logger("vm_ari.ari")

AriEvent = Mapping[str, Any]
NOISE = ("ChannelVarset", "ChannelDialplan", "ChannelHangupRequest", "RecordingStarted")
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0
"""Seconds between tries: callers hear the dialplan's greeting until we are back."""
PROBE_SECONDS = 1.0
PING_SECONDS = 5.0
BEAT_SECONDS = 1.0
BEAT_VARIABLE = "VM_ARI_BEAT"
REPLACED_PAUSE = 5.0

Way = Literal["auto", "http", "websocket"]


class Replaced(Exception):
    """Another controller has taken our application over."""


class AriConnection:
    """Connects, reconnects, and tells: *on_event* for each event, *on_connect* each time,
    *on_replaced* when our calls are another controller's from now on, with a way to Asterisk.

    *on_event* must not wait. *on_connect* runs beside the reader; the heartbeat begins when
    it is through, so that calls come in only when what was left over has been adopted.
    """

    def __init__(
        self,
        address: Address,
        app: str,
        *,
        on_event: Callable[[AriEvent], None],
        on_connect: Callable[[], Awaitable[None]],
        on_replaced: Callable[[AriClient], Awaitable[None]],
        now: Callable[[], float],
        way: Way = "auto",
    ) -> None:
        self._address = address
        self._app = app
        self._on_event = on_event
        self._on_connect = on_connect
        self._on_replaced = on_replaced
        self._now = now
        self._way = way
        self._client: AriClient | None = None
        self._pause = FIRST_PAUSE
        self._complaint = ""
        self.ready = asyncio.Event()
        """Set while calls come to us: connected, adopted, beating."""

    def now(self) -> float:
        """The machine's time, as seconds since 1970."""
        return self._now()

    @property
    def app(self) -> str:
        """The name of our Stasis application."""
        return self._app

    @property
    def client(self) -> AriClient:
        """Requests to Asterisk. Raises `AriUnavailable` while there is no connection."""
        if self._client is None:
            raise AriUnavailable("not connected to Asterisk")
        return self._client

    async def run(self) -> None:
        """Keep the connection until cancelled."""
        while True:
            try:
                await self._one_connection()
                log.warning("connection to Asterisk lost")
            except Replaced:
                log.error("another controller took over our application", app=self._app)
                await self._hand_over()
                await self._wait_until_free()
            except (AriUnavailable, AriError, aiohttp.ClientError, TimeoutError, OSError) as error:
                self._complain(str(error))
            await asyncio.sleep(self._pause)
            self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def _complain(self, reason: str) -> None:
        """Once for each reason, not every second."""
        if reason != self._complaint:
            self._complaint = reason
            log.warning("Asterisk cannot be reached", url=self._address.url, reason=reason)

    async def _one_connection(self) -> None:
        try:
            async with self._connected() as socket:
                await self._serve(socket)
        finally:
            self._client = None
            self.ready.clear()

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[aiohttp.ClientSession]:
        async with aiohttp.ClientSession(
            headers=self._address.authorization(),
            timeout=aiohttp.ClientTimeout(total=ANSWER_SECONDS),
            connector=aiohttp.TCPConnector(limit=64),
        ) as session:
            yield session

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        async with AsyncExitStack() as stack:
            session = await stack.enter_async_context(self._session())
            self._http = HttpTransport(session, self._address)
            await AriClient(self._http).asterisk.ping()
            url = f"{self._address.url.rstrip('/')}/ari/events"
            yield await stack.enter_async_context(
                session.ws_connect(
                    url, params={"app": self._app}, heartbeat=PING_SECONDS, max_msg_size=0
                )
            )

    async def _serve(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Read and work side by side; when one ends, so does the other."""
        over_socket = WebSocketTransport(socket)
        both = {
            asyncio.create_task(self._read(socket, over_socket)),
            asyncio.create_task(self._work(over_socket)),
        }
        try:
            done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            over_socket.close()
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)

    async def _read(
        self, socket: aiohttp.ClientWebSocketResponse, over_socket: WebSocketTransport
    ) -> None:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.TEXT:
                self._sort(json.loads(message.data), over_socket)

    def _sort(self, event: AriEvent, over_socket: WebSocketTransport) -> None:
        match event.get("type"):
            case "RESTResponse":
                over_socket.take_answer(event)
            case "ApplicationReplaced":
                raise Replaced
            case _:
                self._on_event(event)

    async def _work(self, over_socket: WebSocketTransport) -> None:
        """What is due on a new connection: choose the way, adopt, then beat."""
        client = AriClient(await self._choose(over_socket), aside=self._http)
        with suppress(AriError):
            await client.applications.disallow_events(self._app, NOISE)
        self._client = client
        await self._on_connect()
        while True:
            await client.asterisk.set_global_variable(BEAT_VARIABLE, str(int(self._now())))
            self.ready.set()
            self._pause, self._complaint = FIRST_PAUSE, ""
            await asyncio.sleep(BEAT_SECONDS)

    async def _choose(self, over_socket: WebSocketTransport) -> Transport:
        """REST over the WebSocket where Asterisk answers there, else HTTP."""
        if self._way == "http":
            return self._http
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await AriClient(over_socket).asterisk.ping()
        except (TimeoutError, AriError, AriUnavailable):
            if self._way == "websocket":
                raise
            return self._http
        return over_socket

    async def _hand_over(self) -> None:
        """Our socket is deaf; requests still work."""
        async with self._session() as session:
            await self._on_replaced(AriClient(HttpTransport(session, self._address)))

    async def _wait_until_free(self) -> None:
        """Two controllers must not snatch the application from each other in turns."""
        while True:
            await asyncio.sleep(REPLACED_PAUSE)
            async with self._session() as session:
                try:
                    client = AriClient(HttpTransport(session, self._address))
                    await client.applications.get(self._app)
                except NotFound:
                    return
                except (AriError, AriUnavailable):
                    continue
