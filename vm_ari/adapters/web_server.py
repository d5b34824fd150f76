"""Serves an ASGI application on a port, beside everything else that this process does (uvicorn)."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
import uvicorn
from starlette.types import ASGIApp

log = structlog.get_logger("vm_ari.portal")

TRY_AGAIN = 30.0
"""Seconds, where the port cannot be had."""
MOST_CONNECTIONS = 500
_LONGEST_HEADER = 32_000
_BACKLOG = 128


@dataclass(frozen=True)
class Listening:
    """Where and how."""

    address: str
    port: int
    certificate: Path | None = None
    """None: no TLS."""
    key: Path | None = None
    trusted_proxies: Sequence[str] = ()


class _Server(uvicorn.Server):
    """Signals are the business of the process, not of one of its parts."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class WebServer:
    """Serves until told to stop; a port that is taken, or a broken certificate, ends nothing."""

    def __init__(self, app: ASGIApp, listening: Listening) -> None:
        self._app = app
        self._listening = listening
        self._server: _Server | None = None
        self.port = 0
        """The one that was given, where any was asked for; 0 while it does not listen."""

    async def run(self) -> None:
        """Serve until cancelled."""
        while True:
            try:
                await self._serve()
            except (OSError, ssl.SSLError, ValueError) as error:
                log.error(
                    "the portal cannot listen",
                    address=self._listening.address,
                    port=self._listening.port,
                    reason=str(error),
                )
            except Exception:  # whatever it is: calls go on in the same process
                log.exception("the portal has stopped")
            await asyncio.sleep(TRY_AGAIN)

    async def _serve(self) -> None:
        listening = self._listening
        with _socket(listening) as bound:
            server = _Server(self._config())
            server.config.load()  # now, for uvicorn ends the process where that fails
            self.port = bound.getsockname()[1]
            log.info("the portal listens", address=listening.address, port=self.port)
            try:
                await self._until_cancelled(server, bound)
            finally:
                self.port = 0

    async def _until_cancelled(self, server: _Server, bound: socket.socket) -> None:
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            server.should_exit = True
            await asyncio.gather(serving, return_exceptions=True)
            raise

    def _config(self) -> uvicorn.Config:
        listening = self._listening
        return uvicorn.Config(
            self._app,
            interface="asgi3",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            ws="none",
            http="h11",
            loop="none",
            limit_concurrency=MOST_CONNECTIONS,
            h11_max_incomplete_event_size=_LONGEST_HEADER,
            timeout_keep_alive=15,
            timeout_graceful_shutdown=3,
            proxy_headers=bool(listening.trusted_proxies),
            forwarded_allow_ips=list(listening.trusted_proxies),
            ssl_certfile=listening.certificate,
            ssl_keyfile=listening.key,
        )


def _socket(listening: Listening) -> socket.socket:
    """Raises OSError."""
    family = socket.AF_INET6 if ":" in listening.address else socket.AF_INET
    return socket.create_server(
        (listening.address, listening.port), family=family, backlog=_BACKLOG, reuse_port=False
    )
