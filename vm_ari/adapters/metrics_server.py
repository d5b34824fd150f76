"""``/metrics``, ``/healthz`` and ``/readyz`` by HTTP, served by the loop that serves the calls.

So a controller that hangs does not answer here either, which is what these questions are for.
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Sequence

import structlog
from aiohttp import web

from vm_ari.adapters.web_listening import listen

log = structlog.get_logger("vm_ari.metrics")

MOST_AT_ONCE = 20

Metrics = Callable[[str], Awaitable[tuple[bytes, str]]]
"""Given an ``Accept`` field: the text, and its media type."""
Ready = Callable[[], Awaitable[tuple[bool, Sequence[str]]]]
"""Can calls be served, and a line for each part. May not raise."""


class MetricsServer:
    """Listens on *address*; with a *token* it tells strangers yes and no only."""

    def __init__(
        self, address: str, port: int, token: str, *, metrics: Metrics, ready: Ready
    ) -> None:
        self._place = (address, port)
        self._token = token.encode()
        self._metrics = metrics
        self._ready = ready
        self._open = 0
        self.port = 0
        """On which it listens; 0 while it does not."""

    async def run(self) -> None:
        """Listen until cancelled; a port that is taken is tried again and again."""
        application = web.Application(middlewares=[self._few])
        application.router.add_get("/metrics", self._tell_metrics)
        application.router.add_get("/healthz", self._tell_alive)
        application.router.add_get("/readyz", self._tell_ready)
        runner = web.AppRunner(application, access_log=None, keepalive_timeout=75.0)
        await runner.setup()
        try:
            address, port = self._place
            self.port = await listen(runner, address, port, log, "nobody can ask for metrics")
            log.info("metrics and health", address=address, port=self.port)
            await asyncio.Event().wait()
        finally:
            self.port = 0
            await runner.cleanup()

    @web.middleware
    async def _few(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """Whoever asks very often must not cost calls anything."""
        if self._open >= MOST_AT_ONCE:
            return web.Response(status=503, text="too many questions at once\n")
        self._open += 1
        try:
            return await handler(request)
        finally:
            self._open -= 1

    def _knows_token(self, request: web.Request) -> bool:
        if not self._token:
            return True
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        fits = hmac.compare_digest(given.strip().encode("utf-8", "replace"), self._token)
        return scheme.lower() == "bearer" and fits

    async def _tell_metrics(self, request: web.Request) -> web.Response:
        if not self._knows_token(request):
            wanted = {"WWW-Authenticate": 'Bearer realm="vm-ari"'}
            return web.Response(status=401, text="a bearer token is needed\n", headers=wanted)
        body, media_type = await self._metrics(request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": media_type, **_NOT_KEPT})

    async def _tell_alive(self, _request: web.Request) -> web.Response:
        return web.Response(text="alive\n", headers=_NOT_KEPT)

    async def _tell_ready(self, request: web.Request) -> web.Response:
        """200, or 503 while something is missing that calls need."""
        ready, lines = await self._ready()
        told = ["ready" if ready else "not ready"]
        if self._knows_token(request):
            told += lines
        text = "".join(f"{line}\n" for line in told)
        return web.Response(status=200 if ready else 503, text=text, headers=_NOT_KEPT)


_NOT_KEPT = {"Cache-Control": "no-store"}
