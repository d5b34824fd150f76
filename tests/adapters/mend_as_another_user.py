"""Controller and Asterisk as two users of one group, as `test_spool` starts it (needs root)."""

import asyncio
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.recordings import killed, record, spoken
from vm_ari.adapters.spool import FileSpool
from vm_ari.domain.callers import Caller
from vm_ari.domain.messages import CallFacts

FACTS = CallFacts("x", "<x@host>", "1.1", "101", None, Caller(), datetime.now(UTC))


async def main(directory: Path, controller: int, asterisk: int, group: int) -> None:
    """Begin as the controller, record as Asterisk, keep as the controller."""
    os.setgroups([])
    os.setegid(group)
    os.seteuid(controller)
    spool = FileSpool(directory / "vm-ari", min_free=0)
    await spool.claim()
    await spool.begin(FACTS)
    os.seteuid(0)
    os.seteuid(asterisk)
    record(spool.recording_path("x", 1), killed(spoken(5))).chmod(0o644)
    os.seteuid(0)
    os.seteuid(controller)
    take = await spool.inspect("x", 1)
    if take is not None and spool.was_cut("x", 1):
        message = await spool.keep(FACTS, 1, partial=False)
        sys.stdout.write("mended and kept\n" if message.partial else "not marked\n")


asyncio.run(main(Path(sys.argv[1]), *map(int, sys.argv[2:])))
