"""What must be so in the end: nothing on its way, lamps that are right, no leftovers."""

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tests.system.mails import on_their_way
from tests.torture.killer import started
from tests.torture.servers import MortalMailStore
from tests.torture.stories import Town
from vm_ari.adapters.softphone import Softphone
from vm_ari.adapters.spool import FileSpool
from vm_ari.demo.world import ControllerFailed, Person

RECOVERY = 90.0
"""Seconds: a delivery that was cut off is asked about again after 60."""
LAMPS = 60.0
"""Seconds: a store that was away is asked again after 30 at the latest."""


async def settle(town: Town, phones: Sequence[Softphone]) -> None:
    """Wait until nothing is on its way and every lamp is right; complain of what never is."""
    await _controller_serves(town)
    await _restart_in_a_hurry(town)
    if waiting := await _still_there(lambda: on_their_way(town.world), RECOVERY):
        town.book.complaints.append(f"not delivered after {RECOVERY:.0f} s: {waiting}")
    if left := await _channels_left(town):
        town.book.complaints.append(f"left in Asterisk: {left}")
    await _lamps_are_right(town, phones)


async def _controller_serves(town: Town) -> None:
    try:
        await town.world.controller_is_back()
    except ControllerFailed:
        town.world.kill_controller()
        await started(town.world.start_controller)


async def _restart_in_a_hurry(town: Town) -> None:
    """Nobody waits for the pauses behind failed deliveries; whether one has failed stays known."""
    await town.world.stop_controller()
    spool = FileSpool(town.world.spool)
    try:
        await spool.claim()
        for message, attempts, begun in await spool.waiting():
            failed = max(attempts.failed, int(begun))
            hurried = replace(attempts, failed=failed, not_before=None)
            await spool.clear_attempt(message, hurried)
    finally:
        spool.close()
    await started(town.world.start_controller)


async def _channels_left(town: Town) -> str:
    """What Asterisk still has though all have hung up: channels, or bridges."""
    left = ""

    async def look() -> list[str]:
        channels = await town.world.asterisk.command("core show channels concise")
        bridges = (await town.world.asterisk.command("bridge show all")).splitlines()[1:]
        return [line for line in (*channels.splitlines(), *bridges) if line.strip()]

    end = time.monotonic() + RECOVERY
    while lines := await look():
        left = " | ".join(lines)
        if time.monotonic() > end:
            return left
        await asyncio.sleep(0.5)
    return ""


async def _lamps_are_right(town: Town, phones: Sequence[Softphone]) -> None:
    for phone in phones:
        with contextlib.suppress(Exception):
            await phone.register()
    people = {person.extension: person for person in (*town.people, town.transferred)}
    wrong: list[str] = []
    end = time.monotonic() + LAMPS
    while True:
        counts = [await counted(town, people[phone.user]) for phone in phones]
        wrong = [
            f"{phone.user}: {_shown(phone)} instead of {count}"
            for phone, count in zip(phones, counts, strict=True)
            if _shown(phone) != count
        ]
        if not wrong or time.monotonic() > end:
            break
        await asyncio.sleep(1)
    town.book.told["lamps compared"] = len(phones)
    town.book.complaints.extend(f"lamp of {one}" for one in wrong)


async def counted(town: Town, person: Person) -> tuple[int, int]:
    """New and heard voice messages in the INBOX, as a mail program sees them."""
    store = town.world.store
    assert isinstance(store, MortalMailStore)
    inbox = [one for one in await store.voice_messages(person) if not one.deleted]
    return sum(one.new for one in inbox), sum(not one.new for one in inbox)


def _shown(phone: Softphone) -> tuple[int, int] | None:
    return (phone.lamps[-1].new, phone.lamps[-1].old) if phone.lamps else None


async def look_for_leftovers(town: Town) -> None:
    """End the controller, and complain of every file and process that it leaves behind."""
    await town.world.stop_controller()
    temporary = Path(os.environ["TMPDIR"])
    complaints = town.book.complaints
    complaints += [f"file left over: {path}" for path in leftovers(town.world.directory, temporary)]
    complaints += [f"process left over: {one}" for one in processes(str(temporary))]


def leftovers(directory: Path, temporary: Path) -> Iterator[Path]:
    """Files and directories of work that nobody does any more."""
    recordings = directory / "asterisk" / "spool" / "recording"
    spool = recordings / "vm-ari"
    yield from (path for path in recordings.iterdir() if path != spool)
    for state in ("tmp", "open", "new", "hold", "corrupt", "fallback", "listening"):
        yield from (spool / state).glob("*")
    yield from directory.rglob("*.unfinished")
    yield from (directory / "speech").glob("speaking-*")
    yield from temporary.iterdir()


def processes(temporary: str) -> Iterator[str]:
    """Of our program, started by a controller of this torture."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            command = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            mine = f"TMPDIR={temporary}".encode() in (place / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if mine and "vm_ari" in command:
            yield f"{place.name}: {command}"


async def _still_there(look: Callable[[], list[str]], within: float) -> list[str]:
    """Wait until there is nothing to see; else what is."""
    end = time.monotonic() + within
    while (seen := look()) and time.monotonic() < end:
        await asyncio.sleep(0.2)
    return seen
