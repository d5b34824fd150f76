"""Organisations and open changes of addresses, kept by several nodes (UM-02, UM-03)."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from vm_ari.adapters.mail_change_database import MailChangeDatabase
from vm_ari.adapters.organisation_database import OrganisationDatabase
from vm_ari.domain.mail_changes import LASTS, MOST_CODES, TRIES, MailChange
from vm_ari.domain.organisations import Agreement, OrganisationRecord

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
NORTH = OrganisationRecord(
    "north",
    "North Ä",
    {"language": "de"},
    ("adam", "bert"),
    Agreement(date(2026, 1, 15), "olga", NOW),
    25,
)
CHANGE = MailChange("anna", "old@example.org", "New@example.org", "a" * 64, NOW + LASTS)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/portal.db"
    return str(request.getfixturevalue("postgres_url"))


def test_an_organisation_is_kept_wholly_and_nobody_is_overwritten(url: str) -> None:
    async def story() -> None:
        async with AsyncExitStack() as closing:
            one, two = OrganisationDatabase(url), OrganisationDatabase(url)
            for database in (one, two):
                closing.push_async_callback(database.close)
            assert not any(await asyncio.gather(one.all(), two.all()))
            firsts = await asyncio.gather(*(node.write(NORTH) for node in (one, two) * 3))
            assert firsts.count(True) == 1
            kept = replace(NORTH, version=1)
            assert await two.all() == [kept]
            changed = [replace(kept, name=f"North {n}", agreement=None) for n in range(6)]
            pairs = zip((one, two) * 3, changed, strict=True)
            wrote = await asyncio.gather(*(node.write(record) for node, record in pairs))
            assert wrote.count(True) == 1
            winner = changed[wrote.index(True)]
            assert await one.all() == [replace(winner, version=2)]
            assert not await one.write(kept)

    asyncio.run(story())


def test_tries_are_counted_whoever_comes_at_once(url: str) -> None:
    async def story() -> None:
        async with AsyncExitStack() as closing:
            nodes = [MailChangeDatabase(url) for _ in range(2)]
            for node in nodes:
                closing.push_async_callback(node.close)
            one, two = nodes
            begun = await asyncio.gather(*(n.begin(CHANGE, NOW) for n in nodes))
            assert begun == [True, True]
            for _ in range(MOST_CODES - 2):
                assert await one.begin(CHANGE, NOW)
            assert not await two.begin(CHANGE, NOW + timedelta(minutes=59))
            assert await one.open_one("anna", NOW) == CHANGE
            tried = await asyncio.gather(*(n.count_try("anna", NOW) for n in nodes * 10))
            assert sorted(c.tries for c in tried if c) == list(range(1, TRIES + 1))
            assert await one.open_one("anna", NOW) is None
            assert await two.begin(CHANGE, NOW + timedelta(minutes=61))
            assert await one.open_one("anna", NOW + LASTS) is None
            await _marks(one, two)

    asyncio.run(story())


async def _marks(one: MailChangeDatabase, two: MailChangeDatabase) -> None:
    """Of two changes to the same address, one can be made at a time."""
    other = replace(CHANGE, user_id="bert", new="new@example.org", proof="b" * 64)
    assert await two.begin(other, NOW)
    marks = await asyncio.gather(one.mark(CHANGE, NOW), two.mark(other, NOW))
    assert marks.count(True) == 1
    first, second = (CHANGE, other) if marks[0] else (other, CHANGE)
    assert await two.marked(NOW - timedelta(seconds=1)) == []
    assert [c.user_id for c in await two.marked(NOW)] == [first.user_id]
    assert not await one.begin(first, NOW), "it is being made"
    await one.unmark(first)
    assert await two.mark(second, NOW)
    await two.end(second)
    assert await one.mark(first, NOW)
    await one.end(first)
    assert await one.marked(NOW) == []


def test_whoever_only_reads_makes_no_database(tmp_path: Path) -> None:
    async def story() -> None:
        database = OrganisationDatabase(f"sqlite:///{tmp_path}/portal.db")
        assert not await database.all()
        await database.close()

    asyncio.run(story())
    assert not list(tmp_path.iterdir())
