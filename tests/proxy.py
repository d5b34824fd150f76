"""A TCP proxy on loopback that can cut its connections, go silent, or refuse new ones."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


class Proxy:
    """Carries bytes both ways until told otherwise."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._writers: set[asyncio.StreamWriter] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._refuses = False
        self.port = 0

    def cut(self) -> None:
        """Break every connection at once, as a crash or a firewall does."""
        for writer in list(self._writers):
            writer.transport.abort()

    def refuse(self, refuses: bool = True) -> None:
        """Accept no new connections (they are closed at once), or accept them again."""
        self._refuses = refuses

    def hold(self) -> None:
        """Carry nothing, but keep connections open: a black hole."""
        self._flowing.clear()

    def flow(self) -> None:
        """Carry again, also what was held."""
        self._flowing.set()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client came."""
        if self._refuses:
            writer.transport.abort()
            return
        try:
            there = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, there[1]}
        async with asyncio.TaskGroup() as both:
            both.create_task(self._carry(reader, there[1]))
            both.create_task(self._carry(there[0], writer))
        self._writers -= {writer, there[1]}

    async def _carry(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                await self._flowing.wait()
                target.write(data)
                await target.drain()
        with suppress(OSError):
            target.close()


@asynccontextmanager
async def proxy_to(port: int) -> AsyncIterator[Proxy]:
    """A proxy to a port on loopback; its own port is `Proxy.port`."""
    proxy = Proxy(port)
    server = await asyncio.start_server(proxy.connected, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.flow()
        proxy.cut()
        await asyncio.sleep(0.05)
