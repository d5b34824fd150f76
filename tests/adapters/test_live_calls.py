"""The calls of several controllers in one database: told, ended, and gone with their node."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vm_ari.adapters.live_calls_database import DatabaseLiveCalls
from vm_ari.domain.callers import Caller
from vm_ari.domain.journal import Kind
from vm_ari.domain.live_calls import SILENT_AFTER, LiveCall
from vm_ari.ports import LiveCallsUnavailable
from vm_ari.services.call_records import CallRecords
from vm_ari.services.journal_writing import NoJournal
from vm_ari.services.live_calls import LiveCalls, LiveCallsView

START = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
EVE = Caller("+49301234567", "Eve “<b>” \udce4")


@dataclass
class Clock:
    at: datetime = START

    def now(self) -> datetime:
        return self.at


@dataclass
class Controller:
    """One node; what it has hung up."""

    url: str
    node: str
    clock: Clock
    ended: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = DatabaseLiveCalls(self.url)
        self.calls = LiveCalls(self.store, self.clock, self.node, self._end, "1.0", self._asterisk)
        self.records = self.calls.watching(CallRecords(NoJournal(), self.clock, self.node))

    async def _end(self, channel: str) -> bool:
        self.ended.append(channel)
        return True

    async def _asterisk(self) -> str:
        return "Asterisk 22"

    async def starts(self) -> None:
        await self.store.begin(await self.calls._self())


def on_nodes(url: str, story: Callable[..., Awaitable[None]]) -> None:
    """Two controllers, and somebody who looks."""

    async def run() -> None:
        clock = Clock()
        nodes = [Controller(url, name, clock) for name in ("one", "two")]
        for node in nodes:
            await node.starts()
        looking = DatabaseLiveCalls(url)
        try:
            await story(*nodes, LiveCallsView(looking, clock))
        finally:
            for store in (*(node.store for node in nodes), looking):
                await store.close()

    asyncio.run(run())


async def calls_are_told_ended_and_gone_with_their_node(
    one: Controller, two: Controller, view: LiveCallsView
) -> None:
    async with one.records.of("a.1", Kind.CALL, caller=EVE, called="101") as record:
        assert await one.calls.publish(beat=False)
        assert not await one.calls.publish(beat=False), "nothing has changed"
        async with two.records.of("a.1", Kind.CALL):
            await two.calls.publish(beat=True)
            first, second = sorted(await view.calls(), key=lambda call: call.node)
            assert (first.caller, first.called, first.channel) == (EVE, "101", "a.1")
            assert first.id != second.id, "channels of two nodes may have the same name"
            record.takes_message()
            await one.calls.publish(beat=False)
            assert {call.doing.value for call in await view.calls()} == {"message", "arriving"}
            await view.end(second, "olga")
            await one.calls.carry_out()
            await two.calls.carry_out()
            await two.calls.carry_out()
            assert (one.ended, two.ended) == ([], ["a.1"])
        assert [node.telephony for node in await view.nodes()] == ["Asterisk 22"] * 2
        one.clock.at += SILENT_AFTER + timedelta(seconds=1)
        await two.calls.publish(beat=True)
        assert not await view.calls(), "the one is dead, and the other's call is over"
        assert [node.name for node in await view.nodes()] == ["two"]
        await one.calls.publish(beat=True)
        assert len(await view.calls()) == 1, "it was only slow"
        await one.starts()
        assert not await view.calls(), "what an earlier life has told counts no more"
    await one.calls.close()
    await two.calls.close()
    assert not await view.nodes()


def test_calls_are_told_ended_and_gone_with_their_node(tmp_path: Path) -> None:
    on_nodes(f"sqlite:///{tmp_path}/calls.db", calls_are_told_ended_and_gone_with_their_node)


def test_the_same_on_postgres(postgres_url: str) -> None:
    on_nodes(postgres_url, calls_are_told_ended_and_gone_with_their_node)


def test_an_old_order_is_not_carried_out_and_one_for_nobody_harms_nobody(tmp_path: Path) -> None:
    async def story(one: Controller, _two: Controller, view: LiveCallsView) -> None:
        async with one.records.of("a.1", Kind.CALL):
            await one.calls.publish(beat=False)
            [call] = await view.calls()
            await view.end(replace(call, id="one/gone", channel="gone"), "olga")
            await view.end(call, "olga")
            one.clock.at += timedelta(minutes=5)
            await one.calls.carry_out()
            assert not one.ended

    on_nodes(f"sqlite:///{tmp_path}/calls.db", story)


def test_a_controller_that_never_began_takes_nobody_elses_calls_away(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/calls.db"

    async def story(one: Controller, _two: Controller, view: LiveCallsView) -> None:
        async with one.records.of("a.1", Kind.CALL):
            await one.calls.publish(beat=False)
            second = Controller(url, "one", one.clock)  # it finds the spool in use, and ends
            await second.calls.close()
            await second.store.close()
            assert len(await view.calls()) == 1

    on_nodes(url, story)


def test_many_calls_are_written_within_bounds(tmp_path: Path) -> None:
    async def story(one: Controller, _two: Controller, view: LiveCallsView) -> None:
        board, count = one.calls.board, 700
        opened = [one.records.of(f"c.{n}", Kind.CALL) for n in range(count)]
        for call in opened:
            await call.__aenter__()
        assert len(board.calls()) == 500
        await one.calls.publish(beat=False)
        assert len(await view.calls()) == 500
        for call in opened:
            await call.__aexit__(None, None, None)
        await one.calls.publish(beat=False)
        assert not await view.calls()

    on_nodes(f"sqlite:///{tmp_path}/calls.db", story)


def test_a_database_that_is_away_or_damaged_is_told_and_hurts_no_call(tmp_path: Path) -> None:
    async def run() -> None:
        away = Controller(f"sqlite:///{tmp_path}", "one", Clock())  # a directory
        publishing = asyncio.create_task(away.calls.run())
        async with away.records.of("a.1", Kind.CALL):
            await asyncio.sleep(0.1)
            assert not publishing.done()
        publishing.cancel()
        await asyncio.gather(publishing, return_exceptions=True)
        await away.calls.close()
        with pytest.raises(LiveCallsUnavailable, match="database of calls"):
            await LiveCallsView(away.store, away.clock).calls()
        await away.store.close()

    asyncio.run(run())


def test_a_row_of_another_version_is_words(tmp_path: Path) -> None:
    async def story(one: Controller, _two: Controller, view: LiveCallsView) -> None:
        call = LiveCall("one/x", "x", "one", "dancing", START)  # type: ignore[arg-type]
        object.__setattr__(call, "doing", type("Odd", (), {"value": "dancing"}))
        await one.store.write(await one.calls._self(), [call], ())
        with pytest.raises(LiveCallsUnavailable, match="dancing"):
            await view.calls()

    on_nodes(f"sqlite:///{tmp_path}/calls.db", story)
