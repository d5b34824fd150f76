"""The parts of a house of nodes die at random while people call; what was promised is compared."""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from tests.system.listening import bank
from tests.system.node_house import NAMES, House
from tests.system.node_load import PATIENCE, Spoken, Tale, keeps_calling
from tests.torture import book as promises
from tests.torture.book import Book, Found, Judgement, Outage, Part, Way, judge
from tests.torture.found import in_mailbox
from vm_ari.adapters.spool import FileSpool
from vm_ari.demo.world import World

USUAL = 3.0
"""Seconds: what is not delivered after them has failed once, or was cut off."""
RECOVERY = 90.0
"""Seconds until nothing is on its way any more."""
Killer = Callable[[House, Tale, str, float], Awaitable[None]]


@dataclass(frozen=True)
class Outcome:
    """What came of a torment."""

    tale: Tale
    killed: Mapping[str, int]
    confirmed: int
    found: int
    violations: Sequence[str]
    settling: float
    """Seconds until nothing was on its way any more."""


async def torment(
    house: House, dice: random.Random, *, seconds: float, callers: int = 3
) -> Outcome:
    """So many callers at a time, and one thing after the other dies, for so long.

    Their ears are made before: that takes seconds, in which none of them could speak.
    """
    bank("de")
    tale, killed, end = Tale(), Counter[str](), time.monotonic() + seconds
    async with asyncio.TaskGroup() as town:
        for _ in range(callers):
            own = random.Random(dice.random())
            town.create_task(keeps_calling(house, tale, own, end))
        town.create_task(_kills(house, tale, dice, killed, end))
    settling = time.monotonic()
    complaints = []
    await asyncio.gather(*(_in_a_hurry(node) for node in house.nodes.values()))
    try:
        await all_is_delivered(house, RECOVERY)
    except AssertionError as error:
        complaints.append(str(error))
    found = await found_in(house)
    complaints += violations(tale, found)
    judgements = judged(tale, found)
    return Outcome(
        tale,
        killed,
        sum(one.confirmed for one in judgements),
        sum(one.found for one in judgements),
        complaints,
        time.monotonic() - settling,
    )


async def _in_a_hurry(node: World) -> None:
    """Nobody waits for the pauses behind failed deliveries; whether one has failed stays known."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(USUAL):
            while list((node.spool / "new").iterdir()):
                await asyncio.sleep(0.1)
            return
    await node.stop_controller()
    spool = FileSpool(node.spool)
    try:
        await spool.claim()
        for message, attempts, begun in await spool.waiting():
            failed = max(attempts.failed, int(begun))
            await spool.clear_attempt(message, replace(attempts, failed=failed, not_before=None))
    finally:
        spool.close()
    await node.start_controller()


async def _kills(
    house: House, tale: Tale, dice: random.Random, killed: Counter[str], end: float
) -> None:
    """Every kind once before one comes again."""
    while time.monotonic() < end:
        for kill in dice.sample(KILLERS, len(KILLERS)):
            await asyncio.sleep(dice.uniform(0.5, 2.5))
            if time.monotonic() >= end:
                return
            await kill(house, tale, dice.choice(NAMES), dice.uniform(0.3, 3.0))
            killed[kill.__name__.removeprefix("kill_")] += 1


# --- what dies


async def kill_controller(house: House, tale: Tale, node: str, away: float) -> None:
    """As a crash would; systemd starts it again after that time."""
    begun = time.monotonic()
    house.nodes[node].kill_controller()
    await asyncio.sleep(away)
    await house.nodes[node].start_controller()
    tale.outages[node].append(Outage(Part.CONTROLLER, Way.KILL, begun, time.monotonic()))


async def kill_asterisk(house: House, tale: Tale, node: str, away: float) -> None:
    """With every call on that node."""
    begun = time.monotonic()
    await house.nodes[node].asterisk.kill()
    await asyncio.sleep(away)
    await house.nodes[node].asterisk.start()
    await house.nodes[node].controller_is_back()
    tale.outages[node].append(Outage(Part.ASTERISK, Way.KILL, begun, time.monotonic()))


async def kill_node(house: House, tale: Tale, node: str, away: float) -> None:
    """Both at once: the machine."""
    begun = time.monotonic()
    house.nodes[node].kill_controller()
    await house.nodes[node].asterisk.kill()
    await asyncio.sleep(away)
    await house.nodes[node].asterisk.start()
    await house.nodes[node].start_controller()
    tale.outages[node].append(Outage(Part.ASTERISK, Way.KILL, begun, time.monotonic()))


async def kill_machine(house: House, tale: Tale, node: str) -> None:
    """For good, as far as anybody knows."""
    begun = time.monotonic()
    house.nodes[node].kill_controller()
    await house.nodes[node].asterisk.kill()
    tale.outages[node].append(Outage(Part.ASTERISK, Way.KILL, begun, begun))


async def kill_postgres(house: House, tale: Tale, node: str, away: float) -> None:
    """The database of both nodes."""
    del tale, node
    await house.postgres.kill()
    await asyncio.sleep(away)
    await house.postgres.start()


KILLERS: Sequence[Killer] = (kill_controller, kill_asterisk, kill_node, kill_postgres)


# --- what came of it


async def all_is_delivered(house: House, within: float) -> None:
    """Wait until no spool holds anything. Raises `AssertionError`."""
    end = time.monotonic() + within
    while left := on_their_way(house):
        assert time.monotonic() < end, f"not delivered after {within:.0f} s: {left}"
        await asyncio.sleep(0.2)


def on_their_way(house: House) -> list[str]:
    """What still lies in a spool."""
    states = ("open", "new", "fallback", "hold", "corrupt")
    return [
        f"{name}:{state}/{path.name}"
        for name, node in house.nodes.items()
        for state in states
        if (node.spool / state).is_dir()
        for path in (node.spool / state).iterdir()
    ]


async def found_in(house: House) -> list[Found]:
    """Every voice message in every mailbox."""
    return [
        one
        for person in house.people
        for raw in await house.mail.mails(person)
        for one in in_mailbox(raw, person.extension, deleted=False, new=True)
    ]


def judged(tale: Tale, found: Sequence[Found]) -> Sequence[Judgement]:
    """For each node with what has failed there: another node's deaths excuse nothing."""
    judgements = []
    for node in (*NAMES, ""):
        said = [one.said for one in tale.spoken if one.node == node]
        book = Book(said=said, outages=tale.outages.get(node, []))
        numbers = {one.number for one in said}
        judgements.append(judge(book, [one for one in found if one.caller in numbers], []))
    return judgements


def cut_off_without_cause(tale: Tale) -> list[Spoken]:
    """Whose line ended though his own node's Asterisk lived: no death elsewhere may do that."""
    return [
        one
        for one in tale.spoken
        if one.cut_off and not any(_hit(one, death) for death in tale.outages.get(one.node, []))
    ]


def _hit(one: Spoken, death: Outage) -> bool:
    begun = one.said.begun or one.said.over - 2 * PATIENCE
    return death.begun <= one.said.over and death.ended >= begun


def violations(tale: Tale, found: Sequence[Found]) -> list[str]:
    """Every promise that was broken."""
    wrong = [one for judgement in judged(tale, found) for one in judgement.violations]
    cut = [f"{one.said.number}: cut off at {one.node}" for one in cut_off_without_cause(tale)]
    return wrong + cut


def owed(tale: Tale) -> int:
    """How many messages have to be there."""
    return sum(
        promises.owed(one.said, tale.outages.get(one.node, [])) is not None for one in tale.spoken
    )
