"""A real web server on loopback that remembers what it was sent, and answers as a test wants."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import chain, repeat

from aiohttp import web

from tests.private_ca import Identity


@dataclass(frozen=True)
class Request:
    """What was sent."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass
class WebSite:
    """Answers one after the other; the last one for all that follow."""

    answers: list[tuple[int, str]] = field(default_factory=lambda: [(200, "ok")])
    hangs: bool = False
    """Takes a request and never answers it."""
    headers: Mapping[str, str] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    port: int = 0

    def __post_init__(self) -> None:
        self._next: Iterator[tuple[int, str]] = iter(())

    def answer(self, *answers: tuple[int, str]) -> None:
        """From now on these."""
        self.answers = list(answers)
        self._next = chain(self.answers, repeat(self.answers[-1]))

    async def handle(self, request: web.Request) -> web.Response:
        """Remember and answer."""
        body = await request.read()
        sent = Request(request.method, request.path, dict(request.query), request.headers, body)
        self.requests.append(sent)
        while self.hangs:
            await asyncio.sleep(0.02)
        status, text = next(self._next)
        return web.Response(status=status, text=text, headers=dict(self.headers))


@asynccontextmanager
async def web_site(site: WebSite, identity: Identity | None = None) -> AsyncIterator[str]:
    """Serve it; the address, without a slash at its end."""
    site.answer(*site.answers)
    context = None
    if identity:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(identity.certificate, identity.key)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", site.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", site.port, ssl_context=context).start()
    [(_, site.port)] = runner.addresses
    try:
        yield f"{'https' if identity else 'http'}://127.0.0.1:{site.port}"
    finally:
        site.hangs = False
        await runner.cleanup()
