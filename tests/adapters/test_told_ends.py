"""What users were told, remembered by several nodes (GREET-10).

On PostgreSQL, too: `test_greeting_database` has one running.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vm_ari.adapters.told_ends import ABANDONED, REMEMBERED, ToldEnds
from vm_ari.ports import TellingsUnavailable

NOW = datetime(2026, 3, 4, 12, 0, 0, 5, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def on_nodes(url: str, story: Callable[[ToldEnds, ToldEnds], Awaitable[None]]) -> None:
    """Two of them, which share the database."""

    async def run() -> None:
        nodes = [ToldEnds(url, name) for name in ("one", "two")]
        try:
            await story(*nodes)
        finally:
            for node in nodes:
                await node.close()

    asyncio.run(run())


def one_node_tells_and_the_other_only_when_that_one_is_gone(url: str) -> None:
    async def story(one: ToldEnds, two: ToldEnds) -> None:
        begun = await asyncio.gather(one.begun(NOW), two.begun(NOW))
        assert list(begun) == [NOW.replace(microsecond=0)] * 2
        assert await two.begun(NOW + ABANDONED) == begun[0]
        for number in range(20):
            name = f"race-{number}"
            claims = await asyncio.gather(*(node.claim(name, NOW) for node in (one, two) * 3))
            firsts = {place % 2 for place, claimed in enumerate(claims) if claimed}
            assert len(firsts) == 1, "one node, however often it asks"
        assert await one.claim("a", NOW)
        assert await one.settled(["a", "b"]) == frozenset()
        assert await one.claim("a", NOW + SECOND), "still its own, after a restart"
        assert not await two.claim("a", NOW + ABANDONED - SECOND)
        assert await two.claim("a", NOW + ABANDONED + SECOND)
        assert not await one.claim("a", NOW + ABANDONED + SECOND)
        await two.tell("a")
        assert not await two.claim("a", NOW + 3 * ABANDONED)
        many = [f"none-{n}" for n in range(1200)]
        assert await one.settled([*many, "a"]) == {"a"}
        await one.sweep(NOW + REMEMBERED + 2 * ABANDONED)
        assert await one.settled(["a"]) == frozenset()
        assert await one.begun(NOW + REMEMBERED) == begun[0]

    on_nodes(url, story)


def test_on_sqlite(tmp_path: Path) -> None:
    one_node_tells_and_the_other_only_when_that_one_is_gone(f"sqlite:///{tmp_path}/told.db")


def test_a_database_that_is_away_is_said(tmp_path: Path) -> None:
    async def story(one: ToldEnds, _two: ToldEnds) -> None:
        with pytest.raises(TellingsUnavailable, match="told"):
            await one.claim("a", NOW)

    (tmp_path / "told.db").mkdir()
    on_nodes(f"sqlite:///{tmp_path}/told.db", story)
