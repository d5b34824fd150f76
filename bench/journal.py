"""The journal with many entries: milliseconds for each list page, and entries written a second.

    python -m bench.journal [--entries 1000000] [--users 100000] [--rounds 200] [--url URL]

The database is filled as calls would fill it, in batches, and then pages are asked for: of random
users, of everybody, and with each filter; from the first page and from far back. The peer is the
same first page with OFFSET, as a list without keyset paging would ask for it.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, select

from bench.heading import heading
from vm_ari.adapters import journal_tables
from vm_ari.adapters.journal_database import DatabaseJournal
from vm_ari.domain.callers import Caller
from vm_ari.domain.journal import JournalEntry, Kind, Result, Search, Viewer
from vm_ari.domain.numbers import Site
from vm_ari.services.journal import JournalReading

T = TypeVar("T")

START = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 500
GIVEN = [f"{a}{b}" for a in ("An", "Ber", "Car", "Dor", "Em", "Flo", "Gus") for b in ("na", "ta")]
SURNAMES = [
    f"{a}{b}"
    for a in ("Mül", "Schmi", "Web", "Hof", "Kra", "Lan", "Zim")
    for b in ("ler", "dt", "er", "mann", "ger", "ke", "rich", "stein", "bach", "feld")
]
RESULTS = (*(Result.MESSAGE_LEFT, Result.HUNG_UP) * 20, *Result)
KINDS = (*(Kind.CALL,) * 20, *Kind)


@dataclass(frozen=True)
class Scale:
    """How much there is."""

    entries: int
    users: int

    @property
    def step(self) -> timedelta:
        """Between two calls: all of them in half a year."""
        return timedelta(days=180) / self.entries


def made(number: int, scale: Scale, chance: random.Random) -> JournalEntry:
    """A tenth of the users get half of the calls; every caller's number comes back."""
    user = chance.randrange(scale.users // 10 if chance.random() < 0.5 else scale.users)
    caller = chance.randrange(scale.users * 2)
    started = START + number * scale.step
    return JournalEntry(
        id=f"node/{number:012}",
        kind=chance.choice(KINDS),
        started=started,
        ended=started + timedelta(seconds=40),
        result=chance.choice(RESULTS),
        user_id=f"user{user}",
        mailbox=str(user),
        caller=Caller(
            f"+4930{caller:08}", f"{chance.choice(GIVEN)} {SURNAMES[caller % 70]}{caller % 997}"
        ),
        called=f"+49895{user:06}",
        greeting="profile",
        profile="work",
        why="The active profile is work (the user's setting).",
        message_id=f"<{number:024x}@pbx.example>",
        seconds=12.5,
        delivered=True,
        node="node",
    )


async def fill(store: DatabaseJournal, scale: Scale) -> float:
    """Entries a second."""
    chance, began = random.Random(1), time.perf_counter()
    for first in range(0, scale.entries, BATCH):
        last = min(first + BATCH, scale.entries)
        await store.write([made(number, scale, chance) for number in range(first, last)])
    return scale.entries / (time.perf_counter() - began)


def questions(scale: Scale) -> dict[str, Callable[[random.Random], tuple[Viewer, Search]]]:
    """By name: who asks for what; each time for something else."""
    operator = Viewer("operator", everybody=True)

    def user(chance: random.Random) -> Viewer:
        return Viewer(f"user{chance.randrange(scale.users)}")

    def busy(chance: random.Random) -> Viewer:
        return Viewer(f"user{chance.randrange(max(1, scale.users // 1000))}")

    def day(chance: random.Random) -> datetime:
        return START + timedelta(days=chance.randrange(180))

    return {
        "a user's own": lambda c: (user(c), Search()),
        "a user's own, by result": lambda c: (busy(c), Search(result=c.choice(list(Result)))),
        "everybody's": lambda c: (operator, Search()),
        "everybody's, a day": lambda c: (
            operator,
            Search(since=(begin := day(c)), until=begin + timedelta(days=1)),
        ),
        "everybody's, a kind": lambda c: (operator, Search(kind=c.choice(list(Kind)))),
        "everybody's, a result": lambda c: (operator, Search(result=c.choice(list(Result)))),
        "everybody's, kind and result": lambda c: (
            operator,
            Search(kind=c.choice(list(Kind)), result=c.choice(list(Result))),
        ),
        "everybody's, a number": lambda c: (
            operator,
            Search(number=f"030 {c.randrange(scale.users * 2):08}"),
        ),
        "everybody's, a name": lambda c: (
            operator,
            Search(name=f"{c.choice(SURNAMES)}{c.randrange(997)}"),
        ),
        "everybody's, a beginning": lambda c: (operator, Search(name=c.choice(SURNAMES)[:5])),
        "everybody's, given name": lambda c: (operator, Search(name=c.choice(GIVEN)[:3])),
        "everybody's, until a day": lambda c: (operator, Search(until=day(c))),
    }


async def timed(work: Awaitable[T]) -> tuple[T, float]:
    """What came of it, and its milliseconds."""
    began = time.perf_counter()
    return await work, (time.perf_counter() - began) * 1000


async def two_pages(reading: JournalReading, question: tuple[Viewer, Search]) -> list[float]:
    """The first, and the one after it where there is one."""
    page, first = await timed(reading.entries_for(*question))
    if not page.older:
        return [first]
    _, second = await timed(reading.entries_for(*question, after=page.older))
    return [first, second]


def shown(name: str, taken: Sequence[float]) -> None:
    """One line of the table."""
    percentiles = statistics.quantiles(taken, n=100, method="inclusive")
    print(
        f"| {name} | {percentiles[49]:.1f} | {percentiles[94]:.1f} | {max(taken):.1f} |", flush=True
    )


async def run(url: str, scale: Scale, rounds: int) -> None:
    """Fill, if it is empty, and measure."""
    store = DatabaseJournal(url)
    reading = JournalReading(store, (Site(base_number="+49895"),))
    if not await store.oldest(START + timedelta(days=999), 1):
        print(f"written: {await fill(store, scale):.0f} entries a second\n", flush=True)
    print("| page of 50 | p50 | p95 | max |\n| --- | --- | --- | --- |", flush=True)
    chance = random.Random(2)
    for name, question in questions(scale).items():
        asked = [await two_pages(reading, question(chance)) for _ in range(rounds)]
        shown(name, [taken for pages in asked for taken in pages])
    await _by_offset(store, scale, rounds)
    await store.close()


async def _by_offset(store: DatabaseJournal, scale: Scale, rounds: int) -> None:
    """The peer: a page far back, by counting."""
    table, chance = journal_tables.journal, random.Random(3)
    newest = select(table).order_by(table.c.started.desc(), table.c.id.desc()).limit(50)

    taken = []
    for _ in range(min(rounds, 30)):
        skipped = newest.offset(chance.randrange(scale.entries))
        taken.append((await timed(store._ask(partial(_rows, skipped))))[1])
    shown("peer: everybody's, by OFFSET", taken)


def _rows(asked: Select[Any], db: Connection) -> int:
    return len(db.execute(asked).all())


def main() -> None:
    """Read the options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--users", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--url", default="", help="empty: SQLite in a directory of its own")
    given = parser.parse_args()
    print(heading(seed=1))
    place = nullcontext("") if given.url else tempfile.TemporaryDirectory()
    with place as directory:
        url = given.url or f"sqlite:///{Path(directory) / 'journal.db'}"
        asyncio.run(run(url, Scale(given.entries, given.users), given.rounds))


if __name__ == "__main__":
    main()
