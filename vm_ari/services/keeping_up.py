"""What goes on beside the calls must not end them, whatever goes wrong in it."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger("vm_ari.app")

PAUSE = 10.0
"""Seconds after a fault."""


async def kept_up(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """Until it ends by itself; after a fault, which is logged, it begins again."""
    while True:
        try:
            return await run()
        except Exception:
            log.exception("a part beside the calls has stopped; it begins again", part=name)
        await asyncio.sleep(PAUSE)
