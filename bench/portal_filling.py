"""What fills the overviews that `bench.portal` measures: journal, missed calls, live calls, log."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Insert, Table, create_engine, insert, select

from bench.journal import Scale, made
from tests.web.portal_house import House
from vm_ari.adapters import journal_tables as journal
from vm_ari.adapters import missed_call_tables as rung
from vm_ari.domain.callers import Caller
from vm_ari.domain.live_calls import Doing, LiveCall, Node
from vm_ari.domain.missed_call_records import key_of
from vm_ari.domain.missed_calls import Outcome
from vm_ari.domain.ringing import Ring, RungCall
from vm_ari.web.overview_parts import OverviewParts

BATCH = 2_000
MADE = 100_000


def user_id(number: int) -> str:
    """As `bench.portal.made` writes them."""
    return f"user{number:06}"


def fill_journal(url: str, entries: int, users: int) -> None:
    """Calls, messages and notices of all users in half a year. Blocks.

    The first `MADE` as calls write them; the others are the same at earlier times.
    """
    engine, chance = create_engine(url), random.Random(1)
    journal.create_tables(engine)
    first_ones, step = min(entries, MADE), timedelta(days=180) / entries
    scale = Scale(first_ones, users)
    for first in range(0, first_ones, BATCH):
        numbers = range(first, min(first + BATCH, first_ones))
        rows = [made(number, scale, chance) for number in numbers]
        named = [replace(one, user_id=user_id(int(one.mailbox))) for one in rows]
        with engine.begin() as db:
            journal.write(db, named)
    for copy in range(1, entries // first_ones):
        with engine.begin() as db:
            shift = round(copy * step / timedelta(microseconds=1))
            for table, name in ((journal.journal, "id"), (journal.terms, "entry_id")):
                db.execute(_earlier(table, name, f"-{copy}", shift))
    engine.dispose()


def _earlier(table: Table, name: str, suffix: str, shift: int) -> Insert:
    """The first ones once more, under other names and so many microseconds before."""
    changed: dict[str, ColumnElement[Any]] = {
        name: table.c[name] + suffix,
        "started": table.c.started - shift,
    }
    if "ended" in table.c:
        changed["ended"] = table.c.ended - shift
    columns = [changed.get(one.name, one) for one in table.c]
    first_ones = select(*columns).where(~table.c[name].contains("-"))
    return insert(table).from_select([one.name for one in table.c], first_ones)


def fill_missed_calls(url: str, count: int, users: int) -> None:
    """Each rang one phone. Blocks."""
    engine, chance = create_engine(url), random.Random(2)
    rung.create_tables(engine)
    now = datetime.now(UTC)
    for first in range(0, count, BATCH):
        calls, fates = [], []
        for number in range(first, min(first + BATCH, count)):
            began = now - timedelta(minutes=number)
            ring = Ring("101", began, began + timedelta(seconds=9))
            caller = Caller(f"+4930{number:07}", "Eve Example")
            call = RungCall(f"c.{number}", caller, "101", began, ring.ended, (ring,))
            key, text = key_of(call), rung.time_text(began)
            calls.append(
                {
                    "key": key,
                    "id": call.id,
                    "began": text,
                    "call": rung.call_text(call),
                    "open": False,
                    "due": text,
                    "tries": 1,
                }
            )
            fates.append(
                {
                    "key": key,
                    "user_id": user_id(chance.randrange(users)),
                    "outcome": Outcome.TOLD.value,
                    "caller": caller.number,
                    "began": text,
                }
            )
        with engine.begin() as db:
            db.execute(insert(rung.calls), calls)
            db.execute(insert(rung.fates), fates)
    engine.dispose()


async def fill_live_calls(house: House, count: int, users: int) -> None:
    """That many callers at once on one controller, whose clock stands still with the house's."""
    parts = next(one for one in house.portal.parts.more if isinstance(one, OverviewParts))
    now, chance = house.clock.now(), random.Random(3)
    node = Node("bench", now, now, "bench", "Asterisk 22")
    calls = [
        LiveCall(
            f"bench/{number}",
            str(number),
            "bench",
            chance.choice(list(Doing)),
            now,
            Caller(f"+4930{number:07}", "Eve Example"),
            called="+493012345",
            user_id=user_id(chance.randrange(users)),
            greeting="default",
            profile="work",
            why="It plays where no other greeting applies.",
        )
        for number in range(count)
    ]
    await parts.calls.store.begin(node)
    await parts.calls.store.write(node, calls, ())


def fill_log(file: Path, lines: int, users: int) -> None:
    """As calls write it. Blocks."""
    chance = random.Random(4)
    with file.open("w") as opened:
        for number in range(lines):
            opened.write(
                "timestamp=2026-03-04T12:00:00.123456+01:00 level=info event=greeting "
                f"call=1772622000.{number} user={user_id(chance.randrange(users))} "
                "rung=default profile=work language=de area=calls\n"
            )
