"""The log of calls on SQLite and PostgreSQL, for one controller and for two."""

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import create_engine, update

from vm_ari.adapters.missed_call_log import TAKEN_AT_ONCE, DatabaseCallLog
from vm_ari.adapters.missed_call_tables import SWEPT_AT_ONCE, calls
from vm_ari.domain.callers import Caller
from vm_ari.domain.messages import CallFacts
from vm_ari.domain.missed_call_records import Case, Fate, Record, key_of
from vm_ari.domain.missed_calls import Outcome
from vm_ari.domain.ringing import Ring, RungCall
from vm_ari.ports import CallLogUnavailable

T = TypeVar("T")
NOW = datetime(2026, 11, 22, 9, 0, 0, 250, tzinfo=UTC)
LATER = NOW + timedelta(minutes=2)
CALL = RungCall(
    "1700000000.1/2",
    Caller("+4989123456", "Jörg \U0001f4de"),
    "+4930555100",
    NOW,
    NOW + timedelta(seconds=20),
    (
        Ring("101", NOW, NOW + timedelta(seconds=10)),
        Ring("102", NOW, NOW + timedelta(seconds=10), answered=True),
    ),
    "102",
    NOW + timedelta(seconds=10),
)


def on(url: str, story: Callable[[DatabaseCallLog], Awaitable[T]]) -> T:
    async def run() -> T:
        log = DatabaseCallLog(url)
        try:
            return await story(log)
        finally:
            await log.close()

    return asyncio.run(run())


def later(seconds: float, **changes: Any) -> RungCall:
    """Another call, so much later."""
    moved = timedelta(seconds=seconds)
    return replace(
        CALL, **{"id": f"later.{seconds}", "began": NOW + moved, "ended": NOW + moved, **changes}
    )


class CallLogContract:
    """What every log keeps."""

    def test_a_call_is_decided_once(self, url: str) -> None:
        async def story(log: DatabaseCallLog) -> None:
            await log.remember(CALL, NOW)
            await log.remember(CALL, NOW)
            assert await log.take(NOW - timedelta(seconds=1), LATER) == [], "not due"
            assert await log.take(NOW, LATER) == [Case(key_of(CALL), CALL, 1)]
            assert await log.take(NOW, LATER) == [], "somebody has it in hand"
            [again] = await log.take(LATER, LATER + timedelta(minutes=2))
            assert again == Case(key_of(CALL), CALL, 2), "he has died"
            await log.finish(again, [Fate("anna", Outcome.TOLD), Fate("ben", Outcome.ANSWERED)])
            await log.remember(CALL, NOW)
            assert await log.take(LATER + timedelta(days=1), LATER + timedelta(days=2)) == []

        on(url, story)

    def test_of_two_controllers_one_decides(self, url: str) -> None:
        async def story(one: DatabaseCallLog) -> None:
            other = DatabaseCallLog(url)
            many = [later(n) for n in range(TAKEN_AT_ONCE)]
            await asyncio.gather(*(log.remember(c, NOW) for c in many for log in (one, other)))
            taken: list[str] = []
            for _ in range(4):
                for cases in await asyncio.gather(one.take(NOW, LATER), other.take(NOW, LATER)):
                    taken += [case.call.id for case in cases]
            assert sorted(taken) == sorted(call.id for call in many), "each once"
            await other.close()

        on(url, story)

    def test_what_cannot_be_decided_comes_again(self, url: str) -> None:
        async def story(log: DatabaseCallLog) -> None:
            await log.remember(CALL, NOW)
            [case] = await log.take(NOW, LATER)
            await log.postpone(case.key, NOW + timedelta(hours=1))
            assert await log.take(LATER, LATER + timedelta(minutes=2)) == []
            hour = NOW + timedelta(hours=1)
            assert [again.tries for again in await log.take(hour, hour + timedelta(1))] == [2]

        on(url, story)

    def test_who_was_told_of_a_caller_and_who_signed_in(self, url: str) -> None:
        async def story(log: DatabaseCallLog) -> None:
            for call, outcome in ((CALL, "told"), (later(60), "told"), (later(90), "short")):
                await log.remember(call, NOW)
                [case] = await log.take(NOW, LATER)
                await log.finish(case, [Fate("anna", Outcome(outcome)), Fate("ben", Outcome.SHORT)])
            minute = timedelta(minutes=1)
            number = CALL.caller.number
            assert await log.last_told(number, ["anna", "ben"]) == {"anna": NOW + minute}
            assert await log.last_told("+43", ["anna"]) == {}
            await log.note_login("anna", NOW)
            await log.note_login("anna", LATER)
            assert await log.last_logins(["anna", "ben"]) == {"anna": LATER}

        on(url, story)

    @pytest.mark.parametrize(
        ("changes", "belongs"),
        [
            ({"channel_id": "1700000000.1", "caller": Caller()}, True),
            ({"channel_id": "local.2"}, True),
            ({"channel_id": "local.2", "caller": Caller("+43")}, False),
            ({"channel_id": "local.2", "started": NOW + timedelta(minutes=5)}, False),
            ({"channel_id": "local.2", "started": NOW - timedelta(minutes=5)}, False),
        ],
    )
    def test_whether_a_message_was_left_in_a_call(
        self, url: str, changes: dict[str, Any], belongs: bool
    ) -> None:
        facts = CallFacts("m1", "<m1@x>", "", "101", "anna", CALL.caller, NOW)

        async def story(log: DatabaseCallLog) -> None:
            for _ in range(2):
                await log.note_message(replace(facts, **changes), "anna")
            assert await log.message_for(CALL) == frozenset({"anna"} if belongs else ())

        on(url, story)

    def test_callers_without_a_number_are_not_the_same(self, url: str) -> None:
        hidden = replace(CALL, caller=Caller())
        facts = CallFacts("m1", "<m1@x>", "local.2", "101", "anna", Caller(), NOW)

        async def story(log: DatabaseCallLog) -> None:
            await log.note_message(facts, "anna")
            assert await log.message_for(hidden) == frozenset()

        on(url, story)

    def test_calls_that_a_mailbox_may_be_the_end_of(self, url: str) -> None:
        silent = later(400, id="1700000000.1/voicemail", rings=(), silent_for="anna")
        near, late = later(390, id="near"), later(430, id="late")
        alike = later(-9000, id="1700000000.11")

        async def story(log: DatabaseCallLog) -> None:
            for one in (CALL, silent, near, late, alike):
                await log.remember(one, LATER)
            found = await log.calls_before(silent)
            assert {one.id for one in found} == {CALL.id, silent.id, "near"}
            assert silent in found, "nothing of it is lost"

        on(url, story)

    def test_calls_are_found_again(self, url: str) -> None:
        async def story(log: DatabaseCallLog) -> None:
            second = later(60, answered_by="", answered_at=None, rings=CALL.rings[:1])
            await log.remember(CALL, NOW)
            [case] = await log.take(NOW, LATER)
            await log.finish(case, [Fate("anna", Outcome.TOLD)])
            await log.remember(second, NOW)
            done = Record(case.key, CALL, (Fate("anna", Outcome.TOLD),))
            waiting = Record(key_of(second), second, (), open=True)
            assert await log.records() == [waiting, done]
            assert await log.records(call_id=CALL.id) == [done]
            assert await log.records(call_id=case.key) == [done]
            assert await log.records(user_id="anna") == [done]
            assert await log.records(since=NOW + timedelta(seconds=1)) == [waiting]
            assert await log.records(most=1) == [waiting]

        on(url, story)

    def test_old_calls_are_forgotten(self, url: str) -> None:
        async def story(log: DatabaseCallLog) -> None:
            facts = CallFacts("m1", "<m1@x>", CALL.id, "101", "anna", CALL.caller, NOW)
            await log.note_message(facts, "anna")
            for n in range(3):
                await log.remember(later(n), NOW)
            await log.sweep(NOW + timedelta(seconds=2))
            assert [one.call for one in await log.records()] == [later(2)]
            assert await log.message_for(CALL) == frozenset()

        on(url, story)


class TestOnSqlite(CallLogContract):
    """The contract on SQLite."""

    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        return f"sqlite:///{tmp_path}/calls.db"

    def test_several_logs_of_one_process_survive_a_command_beside_them(self, url: str) -> None:
        """SQLite's locks belong to the process: opening the file once more must not drop them."""
        command = f"""
import sqlite3
db = sqlite3.connect({url.removeprefix("sqlite:///")!r})
print(db.execute("SELECT count(*) FROM rung_calls").fetchone()[0])
db.close()
"""

        def told() -> str:
            done = subprocess.run([sys.executable, "-c", command], capture_output=True, check=True)
            return done.stdout.decode().strip()

        async def story(log: DatabaseCallLog) -> None:
            await log.remember(CALL, NOW)
            other = DatabaseCallLog(url)
            await other.remember(later(1), NOW)
            assert told() == "2"
            await log.remember(later(2), NOW)
            assert told() == "3"
            await other.close()

        on(url, story)

    def test_a_damaged_row_stops_nobody(self, url: str) -> None:
        async def story(log: DatabaseCallLog) -> None:
            await log.remember(CALL, NOW)
            await log.remember(later(1), NOW)
            engine = create_engine(url)
            with engine.begin() as db:
                db.execute(update(calls).where(calls.c.id == CALL.id).values(call="{}"))
            engine.dispose()
            assert [case.call for case in await log.take(NOW, LATER)] == [later(1)]
            assert await log.take(LATER, LATER + timedelta(1)) != []
            assert [one.call for one in await log.records()] == [later(1)]

        on(url, story)

    def test_many_old_calls_are_forgotten_in_steps(self, url: str) -> None:
        async def story(log: DatabaseCallLog) -> None:
            await log.remember(CALL, NOW)
            engine = create_engine(url)
            rows = [
                {"key": f"k{n}", "id": "x", "began": "2020", "call": "{}", "open": False}
                | {"due": "", "tries": 0}
                for n in range(SWEPT_AT_ONCE + 1)
            ]
            with engine.begin() as db:
                db.execute(calls.insert(), rows)
            engine.dispose()
            await log.sweep(NOW)
            assert [one.call for one in await log.records()] == [CALL]

        on(url, story)

    def test_a_database_that_is_away_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")

        async def story(log: DatabaseCallLog) -> None:
            with pytest.raises(CallLogUnavailable, match="the log of calls cannot be used"):
                await log.remember(CALL, NOW)

        on(f"sqlite:///{tmp_path}/file/calls.db", story)


class TestOnPostgresql(CallLogContract):
    """The contract on PostgreSQL."""

    @pytest.fixture
    def url(self, postgres_url: str) -> Iterator[str]:
        yield postgres_url
        engine = create_engine(postgres_url)
        with engine.begin() as db:
            for table in calls.metadata.sorted_tables:
                db.execute(table.delete())
        engine.dispose()


def test_two_asterisks_may_give_two_calls_the_same_name() -> None:
    assert key_of(CALL) == key_of(replace(CALL, began=LATER, rings=()))
    assert key_of(CALL) != key_of(replace(CALL, caller=Caller("+43")))
    assert key_of(CALL) != key_of(replace(CALL, called="102"))
