"""What very many mailboxes and several nodes cost the database that the nodes share.

    python -m bench.scale [--users 100000] [--nodes 1,2,4] [--seconds 5] [--url URL]

A PostgreSQL of its own (with fsync) is filled with users; then node processes do what a call or a
count does, each as fast as it can: a look-up by number, a wrong PIN, a count that changed nothing
(the usual one of a round), a count that changed something. Printed are operations a second of all
nodes together, and milliseconds of one; then how long a node reads the list of all users, which
each does for every round, and what memory that takes.
"""

import argparse
import asyncio
import os
import random
import resource
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from bench.heading import heading
from tests.system.node_postgres import MortalPostgres
from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.notification_state import DatabaseNoticeBook
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.entries import Entry
from vm_ari.domain.login_state import LoginState
from vm_ari.domain.messages import Counts
from vm_ari.domain.notifications import judge

BATCH = 2_000
BASE = "+4989"
AT_ONCE = 8
"""Calls that one node serves at the same moment."""
WORKS = ("look-up by number", "wrong PIN", "count, nothing new", "count, something new")

Work = Callable[[int], Awaitable[object]]


@dataclass(frozen=True)
class Place:
    """What a node process needs to begin."""

    url: str
    keys: Path
    users: int
    seconds: float


@dataclass(frozen=True)
class Done:
    """What one node process has done."""

    milliseconds: Sequence[float]
    seconds: float


def entry(number: int) -> Entry:
    """One of very many users."""
    return Entry(
        id=f"user{number:07}",
        name=f"User Number {number}",
        mailbox=f"{number:07}",
        numbers=(f"{BASE}{number:07}",),
        mail=f"user{number:07}@example.org",
    )


async def fill(place: Place) -> float:
    """Users a second."""
    directory, began = EmbeddedDirectory(place.url, KeyRing(place.keys)), time.perf_counter()
    try:
        for first in range(0, place.users, BATCH):
            numbers = range(first, min(first + BATCH, place.users))
            await directory.add_entries([entry(number) for number in numbers])
    finally:
        await directory.close()
    return place.users / (time.perf_counter() - began)


def one_node(place: Place, name: str, seed: int) -> Done:
    """A process of its own."""
    return asyncio.run(_busy(place, name, random.Random(seed)))


async def _busy(place: Place, name: str, chance: random.Random) -> Done:
    directory = EmbeddedDirectory(place.url, KeyRing(place.keys))
    book = DatabaseNoticeBook(place.url)
    work = _works(directory, book, chance)[name]
    took: list[float] = []
    try:
        await work(0)  # connected
        began = time.perf_counter()
        end = began + place.seconds
        await asyncio.gather(*(_repeat(work, place, chance, took, end) for _ in range(AT_ONCE)))
        return Done(took, time.perf_counter() - began)
    finally:
        await book.close()
        await directory.close()


async def _repeat(
    work: Work, place: Place, chance: random.Random, took: list[float], end: float
) -> None:
    while (began := time.perf_counter()) < end:
        await work(chance.randrange(place.users))
        took.append((time.perf_counter() - began) * 1000)


def _works(
    directory: EmbeddedDirectory, book: DatabaseNoticeBook, chance: random.Random
) -> dict[str, Work]:
    def noted(new: Callable[[], int]) -> Work:
        async def work(number: int) -> object:
            counts = Counts(new_voice=new())

            def decide(before):  # type: ignore[no-untyped-def]  # as services.notifications
                return judge(before, counts, {}).state, None

            return await book.note(f"user{number:07}", decide)

        return work

    return {
        WORKS[0]: lambda number: directory.user_by_number(f"{BASE}{number:07}"),
        WORKS[1]: lambda number: directory.change_login(f"user{number:07}", _failed),
        WORKS[2]: noted(lambda: 1),
        WORKS[3]: noted(lambda: chance.randrange(1000)),
    }


def _failed(state: LoginState) -> LoginState:
    return replace(state, failures=state.failures + 1)


def row(place: Place, name: str, nodes: int) -> str:
    """One line of the table; the count that changes nothing has its mailboxes counted first."""
    with ProcessPoolExecutor(nodes) as pool:
        done = list(pool.map(one_node, [place] * nodes, [name] * nodes, range(nodes)))
    took = sorted(ms for one in done for ms in one.milliseconds)
    a_second = sum(len(one.milliseconds) / one.seconds for one in done)
    p99 = took[min(len(took) - 1, len(took) * 99 // 100)]
    return f"| {name} | {nodes} | {a_second:,.0f} | {statistics.median(took):.1f} | {p99:.1f} |"


async def whole_list(place: Place) -> tuple[int, float, float]:
    """How many users were read, in how many seconds, and the megabytes at the highest point."""
    directory = EmbeddedDirectory(place.url, KeyRing(place.keys))
    before, began = _megabytes(), time.perf_counter()
    try:
        users = await directory.all_users()
    finally:
        await directory.close()
    return len(users), time.perf_counter() - began, _megabytes() - before


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def _measure(chosen: argparse.Namespace, url: str, keys: Path) -> None:
    place = Place(url, keys, chosen.users, chosen.seconds)
    print(f"filled: {await fill(place):,.0f} users a second", flush=True)
    print(f"load of the machine {os.getloadavg()[0]:.1f}\n")
    print("| | nodes | a second | ms p50 | ms p99 |\n| --- | --- | --- | --- | --- |")
    for name in WORKS:
        for nodes in chosen.nodes:
            print(await asyncio.to_thread(row, place, name, nodes), flush=True)
    count, seconds, megabytes = await whole_list(place)
    print(f"\n{count:,} users listed in {seconds:.1f} s, {megabytes:.0f} MB at the highest point")


async def main() -> None:
    """Fill, measure, print."""
    options = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    options.add_argument("--users", type=int, default=100_000)
    options.add_argument("--nodes", type=lambda text: [*map(int, text.split(","))], default=[1, 2])
    options.add_argument("--seconds", type=float, default=5.0)
    options.add_argument("--url", help="an empty PostgreSQL database; else one is started")
    chosen = options.parse_args()
    print(await asyncio.to_thread(heading))
    if chosen.url:
        await _measure(chosen, chosen.url, Path("bench-keys").absolute())
        return
    server = MortalPostgres(careful=True)
    await server.start()
    try:
        await _measure(chosen, server.url, server.base / "keys")
    finally:
        await server.stop()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
