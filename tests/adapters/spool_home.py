"""A spool of our own on a real disk, for the tests of its parts."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from tests.recordings import record, spoken, wav
from vm_ari.adapters.spool import FileSpool
from vm_ari.domain.callers import Caller
from vm_ari.domain.messages import CallFacts

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
FACTS = CallFacts(
    id="0123456789abcdef",
    message_id="<0123456789abcdef@pbx.example>",
    channel_id="1700000000.1",
    called="101",
    user_id="anna",
    caller=Caller("+49891234567", "Jörg <b>"),
    started=NOW,
)

Story = Callable[[FileSpool], Awaitable[None]]


def on_spool(root: Path, story: Story, *, min_free: int = 0, mode: int = 0o2770) -> None:
    """Run a story on a spool that this process owns."""

    async def run() -> None:
        spool = FileSpool(root, min_free=min_free, directory_mode=mode)
        try:
            await spool.claim()
            await story(spool)
        finally:
            spool.close()

    asyncio.run(run())


def tree(root: Path) -> list[str]:
    """All files below *root* but the lock."""
    files = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return sorted(str(path) for path in files if path.name != ".lock")


async def kept(spool: FileSpool, facts: CallFacts = FACTS, seconds: float = 3.0) -> None:
    await spool.begin(facts)
    record(spool.recording_path(facts.id, 1), wav(spoken(seconds)))
    await spool.keep(facts, 1, partial=False)
