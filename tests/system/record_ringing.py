"""Writes down what a real Asterisk tells in each story: ``python -m tests.system.record_ringing``.

The pure tests read it (tests/domain/ringing/); run it again for a new release of Asterisk, and look
at the differences.
"""

import asyncio
import secrets
import socket
import sys
import tempfile
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

from tests.ring_records import RECORDED, lines
from tests.system.ringing_site import HOW, house, manager_account
from tests.system.ringing_stories import STORIES
from tests.system.transfer_site import nothing_is_left
from vm_ari.adapters.ami import ManagerAccount
from vm_ari.adapters.ami.events import ManagerEvents
from vm_ari.adapters.asterisk.configuration import Instance
from vm_ari.adapters.asterisk.install import find_or_fetch
from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.adapters.asterisk.process import PrivateAsterisk
from vm_ari.adapters.system_clock import SystemClock
from vm_ari.domain.ring_events import Lost, RingEvent

SETTLE_SECONDS = 0.5
Heard = asyncio.Queue[RingEvent]


async def record(names: Sequence[str]) -> None:
    """One file for each story."""
    with tempfile.TemporaryDirectory(prefix="ringing-") as directory:
        instance = Instance(
            Path(directory),
            sip_port=free_port(socket.SOCK_DGRAM),
            http_port=free_port(),
            ari_password=secrets.token_urlsafe(12),
            ami_port=free_port(),
            **HOW,
        )
        async with PrivateAsterisk(find_or_fetch(), instance) as asterisk:
            heard: Heard = asyncio.Queue()
            listening = asyncio.create_task(_listen(manager_account(asterisk), heard))
            await heard.get()  # connected
            for name in names:
                await _play(asterisk, name, heard)
            listening.cancel()


async def _listen(account: ManagerAccount, heard: Heard) -> None:
    async with aclosing(ManagerEvents(account, SystemClock()).listen()) as events:
        async for event in events:
            heard.put_nowait(event)


async def _play(asterisk: PrivateAsterisk, name: str, heard: Heard) -> None:
    async with house(asterisk) as people:
        await STORIES[name](people)
    await nothing_is_left(asterisk)
    await asyncio.sleep(SETTLE_SECONDS)
    events = [heard.get_nowait() for _ in range(heard.qsize())]
    assert not any(isinstance(event, Lost) for event in events)
    text = "".join(f"{line}\n" for line in lines(events))
    (RECORDED / f"{name}.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    RECORDED.mkdir(exist_ok=True)
    asyncio.run(record(sys.argv[1:] or list(STORIES)))
