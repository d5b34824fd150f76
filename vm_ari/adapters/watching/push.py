"""Mail servers say by HTTP whose mailbox has changed; each is answered first, and counted then.

``POST /mailbox-changed`` with ``user=<name>`` as a form; ``POST /recount-all``; and, for
administrators, ``GET /lamps/<mailbox>``. A token proves who may: ``Authorization: Bearer <token>``,
or before the path, ``/<token>/mailbox-changed``, for servers that cannot send header fields.
"""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog
from aiohttp import web

from vm_ari.adapters.lamps.method import LampCounts
from vm_ari.adapters.web_listening import listen
from vm_ari.domain.callers import printable

log = structlog.get_logger("vm_ari.watching")

MOST_BYTES = 4096
"""Of a body."""
LONGEST_NAME = 200
MOST_NAMES = 20
"""In one request."""
BODY_SECONDS = 3.0
MOST_AT_ONCE = 200
RATE, BURST = 300.0, 3000.0
"""Requests a second in the long run, and at once; who says more is asked to stop."""
AGAIN_SECONDS = 10.0
"""Until a wrong token is told of again; and of calm, before everything is counted."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Bucket:
    """How many requests there may be; *now* is seconds of any clock."""

    rate: float = RATE
    burst: float = BURST
    _left: float = field(init=False)
    _since: float = 0.0

    def __post_init__(self) -> None:
        self._left = self.burst

    def take(self, now: float) -> bool:
        """May there be one more?"""
        self._left = min(self.burst, self._left + (now - self._since) * self.rate)
        self._since = now
        if self._left < 1:
            return False
        self._left -= 1
        return True


@dataclass(frozen=True)
class Told:
    """What becomes of what is said."""

    changed: Callable[[str], None]
    """The mail server's name of a user."""
    recount_all: Callable[[], None]
    lamp: Callable[[str], LampCounts | None]
    """What phones of a mailbox were told last, as far as that is known."""


class PushReceiver:
    """Listens on *address*; without a *token* of some length it must not be started."""

    def __init__(self, address: str, port: int, token: str, told: Told) -> None:
        self._place = (address, port)
        self._token = token.encode()
        self._told = told
        self._bucket = Bucket()
        self._open = 0
        self._warned = -AGAIN_SECONDS
        self._recounting: asyncio.TimerHandle | None = None
        self.port = 0
        """On which it listens; 0 while it does not."""

    async def run(self) -> None:
        """Listen until cancelled; a port that is taken is tried again and again."""
        application = web.Application(middlewares=[self._judged], client_max_size=MOST_BYTES)
        for prefix in ("", "/{token}"):
            application.router.add_post(prefix + "/mailbox-changed", self._changed)
            application.router.add_post(prefix + "/recount-all", self._recount_all)
            application.router.add_get(prefix + "/lamps/{mailbox}", self._lamp)
        runner = web.AppRunner(application, access_log=None, keepalive_timeout=15.0)
        await runner.setup()
        try:
            address, port = self._place
            self.port = await listen(runner, address, port, log, "nobody can push changes")
            log.info("changes may be pushed", address=address, port=self.port)
            await asyncio.Event().wait()
        finally:
            self.port = 0
            if self._recounting:
                self._recounting.cancel()
            await runner.cleanup()

    # --- who may, and how often

    @web.middleware
    async def _judged(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if self._open >= MOST_AT_ONCE:
            return web.Response(status=503)
        self._open += 1
        try:
            if not self._bucket.take(asyncio.get_running_loop().time()):
                return self._too_many()
            if not self._may(request):
                self._warn(request)
                return web.Response(status=403)
            async with asyncio.timeout(BODY_SECONDS):
                return await handler(request)
        except TimeoutError:
            return web.Response(status=408)
        finally:
            self._open -= 1

    def _may(self, request: web.Request) -> bool:
        said = request.headers.get("Authorization", "").removeprefix("Bearer ")
        given = said or request.match_info.get("token", "")
        return hmac.compare_digest(given.encode("utf-8", "replace"), self._token)

    def _warn(self, request: web.Request) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._warned >= AGAIN_SECONDS:
            log.warning("push refused: wrong token", peer=printable(request.remote or "", 60))
            self._warned = now

    def _too_many(self) -> web.Response:
        """What is not heard may have been a change: everything is counted when it is calmer."""
        if self._recounting:
            self._recounting.cancel()
        loop = asyncio.get_running_loop()
        self._recounting = loop.call_later(AGAIN_SECONDS, self._told.recount_all)
        return web.Response(status=429)

    # --- what they say

    async def _changed(self, request: web.Request) -> web.Response:
        form = await request.post()
        names = _names(form.getall("user", []))
        if not names:
            return web.Response(status=400, text="write user=<name>\n")
        for name in names:
            self._told.changed(name)
        return web.Response(status=204)

    async def _recount_all(self, _request: web.Request) -> web.Response:
        self._told.recount_all()
        return web.Response(status=204)

    async def _lamp(self, request: web.Request) -> web.Response:
        counts = self._told.lamp(request.match_info["mailbox"])
        told = {"new": counts.new, "old": counts.old} if counts else None
        return web.json_response({"told": told})


def _names(values: Sequence[object]) -> Sequence[str]:
    texts = [value for value in values[:MOST_NAMES] if isinstance(value, str)]
    return [text for text in texts if text and len(text) <= LONGEST_NAME and text.isprintable()]
