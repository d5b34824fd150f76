"""What surrounds every request: whose host it is for, how much may come, what browsers may do."""

import asyncio
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 32_000_000
"""No page takes more, whatever it says."""
SLOWEST_SECONDS = 60.0
"""For the whole of what is sent."""
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; media-src 'self' blob:; worker-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "microphone=(self), camera=(), geolocation=(), payment=(), usb=()",
}
_HSTS = "max-age=31536000"


class TooMuch(Exception):
    """More was sent than any page takes, or too slowly."""


class Guard:
    """Refuses foreign hosts; sets the headers of every answer."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str]) -> None:
        self._app = app
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return  # there are no WebSockets here
        secure = scope["scheme"] == "https"

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers.setdefault("cache-control", "no-store")
                if secure:
                    headers["strict-transport-security"] = _HSTS
            await send(message)

        if _host(Headers(scope=scope).get("host", "")) not in self._hosts:
            refusal = PlainTextResponse("This is not the address of the portal.", 421)
            await refusal(scope, receive, with_headers)
            return
        await self._app(scope, _Bounded(receive), with_headers)


class _Bounded:
    """What comes in, so much and so long."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._left = MOST_BYTES
        self._complete = False
        self._latest = asyncio.get_running_loop().time() + SLOWEST_SECONDS

    async def __call__(self) -> Message:
        if self._complete:  # after the body, only the end of the connection is waited for
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._latest):
                message = await self._receive()
        except TimeoutError:
            raise TooMuch("too slow") from None
        self._left -= len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        if self._left < 0:
            raise TooMuch("too much")
        return message


def _host(header: str) -> str:
    """Without the port."""
    name = header.lower()
    if name.startswith("["):
        return name.partition("]")[0] + "]"
    return name.partition(":")[0]
