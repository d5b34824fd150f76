"""Listening for web requests of machines, where a port may be taken for a while."""

import asyncio
from typing import Any

from aiohttp import web

AGAIN_SECONDS = 10.0
"""Until a port is tried again that somebody else has."""


async def listen(runner: web.AppRunner, address: str, port: int, log: Any, trouble: str) -> int:
    """On which port it listens from now on; one that is taken is tried again and again.

    *trouble*: what is not possible until then, for the *log*.
    """
    while True:
        site = web.TCPSite(runner, address, port, backlog=64)
        try:
            await site.start()
        except OSError as error:
            log.error(trouble, port=port, reason=error.strerror or str(error))
            if site in runner.sites:
                await site.stop()
            await asyncio.sleep(AGAIN_SECONDS)
            continue
        return int(runner.addresses[0][1])
