"""A controller of the transfer site in a process of its own, which can be killed."""

import asyncio
import os
import shutil
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tests.patience import AT_MOST
from tests.system.transfer_site import Mailboxes, address, controller_at
from vm_ari.adapters.ari.transport import Address
from vm_ari.adapters.asterisk.process import PrivateAsterisk

READY = b"ready\n"
PASSWORD = "TRANSFER_NODE_PASSWORD"  # the name of a variable


class Node:
    """Started and killed as often as it pleases the test."""

    def __init__(self, asterisk: PrivateAsterisk) -> None:
        self._address = address(asterisk)
        self._process: Process | None = None

    async def start(self) -> None:
        """Wait until calls come to it; it dies with us."""
        setpriv = shutil.which("setpriv")
        self._process = process = await asyncio.create_subprocess_exec(
            *([setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []),
            *(sys.executable, "-m", __name__, self._address.url, self._address.user),
            stdin=DEVNULL,
            stdout=PIPE,
            env={**os.environ, PASSWORD: self._address.password},
        )
        assert process.stdout
        async with asyncio.timeout(AT_MOST):
            while (line := await process.stdout.readline()) != READY:
                assert line, "the controller did not start"

    async def kill(self) -> None:
        """As a crash would."""
        if self._process:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.communicate()


@asynccontextmanager
async def node(asterisk: PrivateAsterisk) -> AsyncIterator[Node]:
    """One that runs, and does not any more afterwards."""
    one = Node(asterisk)
    await one.start()
    try:
        yield one
    finally:
        await one.kill()


async def _serve(where: Address) -> None:
    async with controller_at(where, Mailboxes({"101": "102"}, seconds=20)):
        sys.stdout.buffer.write(READY)
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(Address(sys.argv[1], sys.argv[2], os.environ[PASSWORD])))
