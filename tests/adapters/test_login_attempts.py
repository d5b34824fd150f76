"""Nodes that share a database count failed logins together (LOGIN-03, OPS-04)."""

import asyncio
from collections.abc import Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vm_ari.adapters.login_attempts import DatabaseAttempts
from vm_ari.domain.login_budget import Budget, Pace
from vm_ari.services.logins import Attempts
from vm_ari.services.shared_attempts import SharedAttempts

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
GUESSER = "number +49891"
BUDGET = Budget(per_caller=4, for_all=100, window=timedelta(minutes=15))


class Clock:
    """Moves when it is told to."""

    moment = NOON

    def now(self) -> datetime:
        return self.moment


class Node:
    """One of several that count failures."""

    def __init__(self, url: str, name: str, clock: Clock) -> None:
        self.attempts, self.clock = Attempts(BUDGET), clock
        self.database = DatabaseAttempts(url, name)
        self.shared = SharedAttempts(self.attempts, self.database, clock)

    def fails(self, times: int, caller: str = GUESSER) -> None:
        for _ in range(times):
            self.attempts.begin(caller, self.clock)

    def pace(self, caller: str = GUESSER) -> Pace:
        return self.attempts.pace(caller, self.clock)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "postgresql":
        yield str(request.getfixturevalue("postgres_url"))
    else:
        yield f"sqlite:///{tmp_path / 'attempts.db'}"


@asynccontextmanager
async def two(url: str, clock: Clock):  # type: ignore[no-untyped-def]
    nodes = Node(url, "a", clock), Node(url, "b", clock)
    try:
        yield nodes
    finally:
        for node in nodes:
            await node.database.close()


@pytest.mark.feature_part("LOGIN-03", "guesses at several nodes count together")
def test_who_guesses_at_two_nodes_has_one_budget(url: str) -> None:
    async def story() -> None:
        clock = Clock()
        async with two(url, clock) as (a, b):
            a.fails(2)
            b.fails(2)
            assert a.pace() is b.pace() is Pace.FREE
            for node in (a, b, a):
                assert await node.shared.look()
            assert a.pace() is b.pace() is Pace.REFUSED
            assert b.pace("number +49892") is Pace.FREE
            a.attempts.succeeded(a.attempts.own()[0])  # one was under way, and right
            await a.shared.look()
            await b.shared.look()
            assert b.pace() is Pace.FREE
            clock.moment = NOON + timedelta(minutes=16)
            b.fails(1)
            for node in (a, b, a):
                await node.shared.look()
                assert node.pace() is Pace.FREE
            assert len(a.attempts.own()) == 0

    asyncio.run(story())


def test_without_the_database_each_node_counts_alone(tmp_path: Path) -> None:
    (tmp_path / "no directory").write_text("")
    url = f"sqlite:///{tmp_path / 'no directory' / 'attempts.db'}"

    async def story() -> None:
        async with two(url, Clock()) as (a, b):
            a.fails(4)
            assert not await a.shared.look()
            assert a.pace() is Pace.REFUSED
            assert b.pace() is Pace.FREE

    asyncio.run(story())
