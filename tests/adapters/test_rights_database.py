"""What left on each day is counted once, and never past a limit: by all nodes together (UM-05)."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest

from tests.fake_counts import FakeCounts
from vm_ari.adapters.rights_database import DatabaseCounts
from vm_ari.domain.rights import Outgoing, Refused, Used, Why
from vm_ari.ports.rights import Counts, CountsUnavailable, Judge

DAY = date(2026, 3, 4)
NEXT = date(2026, 3, 5)
FAX, SMS = Outgoing.FAX, Outgoing.SMS
TWO = Used(1, 2)
Story = Callable[[Counts, Counts], Awaitable[None]]


def at_most(items: int = 0, pages: int = 0) -> Judge:
    """A limit of a day for faxes of two pages."""

    def judge(used: Used) -> Refused | None:
        over = (items and used.items >= items) or (pages and used.pages + 2 > pages)
        return Refused(Why.PER_DAY, FAX, most=items) if over else None

    return judge


@pytest.fixture(params=["fake", "sqlite", "postgresql"])
def tell(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[Story], None]:
    """Runs a story on two nodes that share a count."""
    kind = request.param
    url = (
        request.getfixturevalue("postgres_url")
        if kind == "postgresql"
        else f"sqlite:///{tmp_path}/counts.db"
    )

    async def run(story: Story) -> None:
        if kind == "fake":
            fake = FakeCounts()
            await story(fake, fake)
            return
        nodes = [DatabaseCounts(url), DatabaseCounts(url)]
        try:
            await nodes[0].sweep(date(9999, 1, 1))
            await story(*nodes)
        finally:
            for node in nodes:
                await node.close()

    return lambda story: asyncio.run(run(story))


def test_what_leaves_is_counted_once_by_user_day_and_kind(
    tell: Callable[[Story], None],
) -> None:
    async def story(one: Counts, two: Counts) -> None:
        for node in (one, two, one):
            assert await node.take("a", "anna", DAY, FAX, TWO, at_most()) is None
        assert await two.take("b", "anna", DAY, FAX, Used(1, 5), at_most()) is None
        assert await two.take("c", "anna", NEXT, FAX, TWO, at_most()) is None
        assert await two.take("d", "anna", DAY, SMS, Used(1), at_most()) is None
        assert await two.take("e", "bert", DAY, FAX, TWO, at_most()) is None
        assert await one.used("anna", DAY, FAX) == Used(2, 7)
        assert await one.used("anna", NEXT, FAX) == TWO
        assert await one.used("anna", DAY, SMS) == Used(1)
        assert await one.used("carla", DAY, FAX) == Used()

    tell(story)


def test_what_is_refused_counts_nothing_and_tells_why(tell: Callable[[Story], None]) -> None:
    async def story(one: Counts, two: Counts) -> None:
        assert await one.take("a", "anna", DAY, FAX, TWO, at_most(1)) is None
        refused = await two.take("b", "anna", DAY, FAX, TWO, at_most(1))
        assert refused
        assert refused.most == 1
        assert await one.take("a", "anna", DAY, FAX, TWO, at_most(1)) is None, "counted before"
        assert await one.used("anna", DAY, FAX) == TWO
        assert await two.take("b", "anna", NEXT, FAX, TWO, at_most(1)) is None, "another day"

    tell(story)


def test_what_did_not_leave_is_given_back_once(tell: Callable[[Story], None]) -> None:
    async def story(one: Counts, two: Counts) -> None:
        for name in ("a", "b"):
            await one.take(name, "anna", DAY, FAX, TWO, at_most())
        for node in (two, one):
            await node.give_back("a")
        await two.give_back("never")
        assert await one.used("anna", DAY, FAX) == TWO
        assert await one.take("a", "anna", DAY, FAX, TWO, at_most(2)) is None
        await one.sweep(NEXT)
        assert await two.used("anna", DAY, FAX) == Used()

    tell(story)


@pytest.mark.feature_part("UM-05", "orders at the same moment cannot pass a limit together")
def test_many_at_the_same_moment_cannot_pass_the_limit(tell: Callable[[Story], None]) -> None:
    async def story(one: Counts, two: Counts) -> None:
        wanted = [
            node.take(f"{name}-{number}", "anna", DAY, FAX, TWO, at_most(pages=15))
            for number in range(10)
            for name, node in (("one", one), ("two", two))
        ]
        answers = await asyncio.gather(*wanted)
        assert answers.count(None) == 7, "seven of two pages go into fifteen"
        assert await one.used("anna", DAY, FAX) == Used(7, 14)

    tell(story)


def test_nobody_waits_for_a_database_that_does_not_answer(tmp_path: Path) -> None:
    """Another process writes, and does not come to an end."""

    async def story() -> None:
        counts = DatabaseCounts(f"sqlite:///{tmp_path}/counts.db", patience=0.2)
        await counts.sweep(DAY)
        other = sqlite3.connect(tmp_path / "counts.db")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(CountsUnavailable, match=r"no answer within 0\.2 seconds"):
            await counts.take("a", "anna", DAY, FAX, TWO, at_most(1))
        other.rollback()
        other.close()
        await counts.close()

    asyncio.run(story())


def test_a_database_that_is_away_is_said(tmp_path: Path) -> None:
    async def story() -> None:
        counts = DatabaseCounts(f"sqlite:///{tmp_path}/counts.db")
        try:
            with pytest.raises(CountsUnavailable, match=r"daily limits|counts\.db"):
                await counts.used("anna", DAY, FAX)
        finally:
            with suppress(CountsUnavailable):
                await counts.close()

    (tmp_path / "counts.db").mkdir()
    asyncio.run(story())
