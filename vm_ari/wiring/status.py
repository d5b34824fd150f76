"""How the installation is doing, as ``vm-ari status`` tells it: read beside the controllers."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from vm_ari.adapters.sealing import KeysUnusable
from vm_ari.adapters.system_clock import SystemClock
from vm_ari.config import Config
from vm_ari.domain.live_calls import LiveCall, Node
from vm_ari.domain.log_lines import LogLine, LogQuery
from vm_ari.ports import DirectoryUnavailable, LiveCallsUnavailable, LogsUnavailable
from vm_ari.services.live_calls import LiveCallsView
from vm_ari.wiring.check_ground import sqlite_file, untouched
from vm_ari.wiring.live_calls import open_live_calls_store
from vm_ari.wiring.logs import open_logs
from vm_ari.wiring.outbox import UNUSABLE, What, open_outbox_desk

PATIENCE = 10.0
"""Seconds for each thing that is asked."""


@dataclass(frozen=True)
class Queue:
    """Things of one kind on their way."""

    what: What
    waiting: int = 0
    held: int = 0
    oldest: datetime | None = None
    """Of those that wait."""


@dataclass(frozen=True)
class Status:
    """What could be found out; *problems* say what could not."""

    nodes: Sequence[Node] = ()
    silent: Sequence[Node] = ()
    """Controllers that have not left, and say nothing any more."""
    calls: Sequence[LiveCall] = ()
    queues: Sequence[Queue] = ()
    corrupt: int = 0
    """Recordings that nobody can read."""
    lamps_on: int | None = None
    """Users with new messages; None: that takes too long to ask here."""
    users: int | None = None
    last_error: LogLine | None = None
    problems: Sequence[str] = field(default_factory=tuple)

    @property
    def serves(self) -> bool:
        """Are calls answered? No controller is silent, and each has its Asterisk."""
        there = bool(self.nodes) and all(one.telephony for one in self.nodes)
        return there and not self.silent


async def look_around(config: Config) -> Status:
    """Everything side by side; nothing is made or changed."""
    with untouched(config) as seen:
        (nodes, silent, calls, away), (queues, stuck), error, lamps = await asyncio.gather(
            _controllers(config), _queues(seen), _last_error(config), _lamps(seen)
        )
    return Status(
        nodes=nodes,
        silent=silent,
        calls=calls,
        queues=queues,
        corrupt=await asyncio.to_thread(_corrupt, config),
        lamps_on=lamps[0],
        users=lamps[1],
        last_error=error,
        problems=[one for one in (away, stuck) if one],
    )


Controllers = tuple[Sequence[Node], Sequence[Node], Sequence[LiveCall], str]


async def _controllers(config: Config) -> Controllers:
    """Those that live, those that are silent, the calls, and why nobody can tell."""
    file = sqlite_file(config.journal.url or config.directory.url)
    if file is not None and not file.exists():
        return (), (), (), ""  # no controller has ever run
    store = open_live_calls_store(config)
    view = LiveCallsView(store, SystemClock())
    try:
        async with asyncio.timeout(PATIENCE):
            living = await view.nodes()
            known = {one.name for one in living}
            silent = [one for one in await store.nodes() if one.name not in known]
            return living, silent, await view.calls(), ""
    except (LiveCallsUnavailable, TimeoutError) as error:
        return (), (), (), f"nobody knows which controllers run: {error or 'no answer'}"
    finally:
        await store.close()


async def _queues(config: Config) -> tuple[Sequence[Queue], str]:
    if not config.spool.directory.is_dir():
        return [Queue(what) for what in What], ""
    try:
        async with open_outbox_desk(config) as desk:
            there = await desk.everything()
    except (*UNUSABLE, KeysUnusable) as error:
        return (), f"the outbox cannot be read: {error}"
    found = []
    for what in What:
        waits = [one.since for one in there if one.what is what and not one.held]
        held = sum(one.held for one in there if one.what is what)
        found.append(Queue(what, len(waits), held, min(waits, default=None)))
    return found, ""


def _corrupt(config: Config) -> int:
    grave = config.spool.directory / "corrupt"
    return sum(1 for _ in grave.iterdir()) if grave.is_dir() else 0


async def _last_error(config: Config) -> LogLine | None:
    """Where the log is kept in a file, or by systemd."""
    try:
        async with asyncio.timeout(PATIENCE):
            page = await open_logs(config).newest(LogQuery(level="error"), limit=1)
    except (LogsUnavailable, TimeoutError):
        return None
    return page.lines[0] if page.lines else None


MOST_COUNTED = 500
"""Mailboxes that are counted for this; of more, or on mail servers, that takes too long."""


async def _lamps(config: Config) -> tuple[int | None, int | None]:
    """How many of how many users have new voice messages."""
    from vm_ari.adapters.sealing import KeyRing
    from vm_ari.domain.entries import effective_user
    from vm_ari.wiring.directories import open_register
    from vm_ari.wiring.mwi import look_at
    from vm_ari.wiring.organisations import organisations_now

    try:
        register = open_register(config, KeyRing(config.directory.keys))
    except KeysUnusable:
        return None, None
    try:
        async with asyncio.timeout(PATIENCE):
            groups = await organisations_now(config, register)
            entries = await register.all_entries()
            defaults = config.user_defaults()
            people = [
                effective_user(one, groups.get(one.organisation), defaults) for one in entries
            ]
            people = [one for one in people if one.mailbox]
            if config.store.kind != "local" or len(people) > MOST_COUNTED:
                return None, len(people)
            looks = await look_at(config, register, people)
    except (DirectoryUnavailable, TimeoutError, OSError):
        return None, None
    finally:
        await register.close()
    return sum(bool(one.counts and one.counts.new_voice) for one in looks), len(people)


def age(since: datetime) -> str:
    """Such as “3 d 4 h”, “12 min”."""
    minutes = max(0, int((datetime.now(UTC) - since).total_seconds()) // 60)
    hours, days = minutes // 60, minutes // 1440
    if days:
        return f"{days} d {hours % 24} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"
