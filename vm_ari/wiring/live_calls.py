"""The calls that go on, as configured: where controllers write them, and who reads."""

import asyncio
from collections.abc import Awaitable, Callable
from importlib.metadata import version

from vm_ari.adapters.ari.application import AriApplication
from vm_ari.adapters.ari.client import AriClient
from vm_ari.adapters.ari.errors import AriError, AriUnavailable
from vm_ari.adapters.live_calls_database import DatabaseLiveCalls
from vm_ari.config import Config
from vm_ari.ports import Clock
from vm_ari.services.call_records import CallRecords
from vm_ari.services.live_calls import LiveCalls
from vm_ari.wiring.directories import blamed
from vm_ari.wiring.logs import follow_level


class Controller:
    """What a controller needs: its own calls, shown to others, and ended where they order it."""

    def __init__(self, config: Config, calls: LiveCalls, store: DatabaseLiveCalls) -> None:
        self._config = config
        self._calls = calls
        self._store = store

    def watching(self, records: CallRecords) -> CallRecords:
        """The records of calls, with an eye on those that go on."""
        return self._calls.watching(records)

    async def run(self) -> None:
        """Until cancelled; follows the log level that an administrator wishes, too."""
        async with asyncio.TaskGroup() as parts:
            parts.create_task(self._calls.run(), name="live calls")
            parts.create_task(follow_level(self._config), name="log level")

    async def close(self) -> None:
        """Nothing of us is to be seen any more."""
        await self._calls.close()
        await self._store.close()


def open_live_calls(config: Config, clock: Clock, node: str, ari: AriApplication) -> Controller:
    """For a controller; nothing is connected yet. Raises `BadConfig`."""
    store = open_live_calls_store(config)
    calls = LiveCalls(store, clock, node, ari.end, version("vm-ari"), _telephony(ari))
    return Controller(config, calls, store)


def open_live_calls_store(config: Config) -> DatabaseLiveCalls:
    """That of the journal, which all nodes share; to be closed. Raises `BadConfig`."""
    with blamed("journal.url"):
        return DatabaseLiveCalls(config.journal.url or config.directory.url)


def _telephony(ari: AriApplication) -> Callable[[], Awaitable[str]]:
    """Asked once for each connection."""
    asked: AriClient | None = None
    told = ""

    async def tell() -> str:
        nonlocal asked, told
        try:
            client = ari.connection.client
            if client is not asked:
                info = await client.asterisk.info()
                asked, told = client, f"Asterisk {info['system']['version']}"
        except (AriUnavailable, AriError, KeyError, TypeError):
            return ""
        return told

    return tell
