"""Memory and board of conferences: the real ones and the fakes of tests do the same."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.fake_conferences import FakeConferenceBoard, FakeConferenceMemory
from vm_ari.adapters.audio import write_wav
from vm_ari.adapters.conference_memory import FORGOTTEN, FileConferenceMemory
from vm_ari.adapters.conference_records import (
    BadConference,
    conference_from_json,
    conference_to_json,
)
from vm_ari.adapters.conferences_database import DatabaseConferences
from vm_ari.domain.callers import Caller
from vm_ari.domain.conference_settings import Alone, Announcement, Begin, Recorded
from vm_ari.domain.conferences import Conference, Party, Role, RoomRules, entered
from vm_ari.ports.conference import (
    ConferenceBoard,
    ConferenceMemory,
    ConferencesUnavailable,
    LiveConference,
    MemoryFailed,
    RoomOrder,
    Verb,
)

NOW = datetime(2026, 3, 4, 13, 35, 7, 120_000, tzinfo=UTC)
HOSTILE = Caller("+4930", "'; drop table \U0001f600 \ud800 “ß” \\u0000 ${EXTEN}")
RULES = RoomRules(
    Announcement.TONE, Alone.SENTENCE, Begin.WITH_MODERATOR, Recorded.ALWAYS, False, 7, 90
)
FULL = replace(
    entered(
        Conference("c1", "+4930555103", "anna", NOW, "de", RULES),
        Party("PJSIP-1.2", 0, Role.MODERATOR, NOW, HOSTILE, True, "/x/name", True, True),
    ),
    locked=True,
    hushed=True,
    recording="abc",
    warned=True,
)


def test_a_conference_is_read_as_it_was_written() -> None:
    assert conference_from_json(conference_to_json(FULL)) == FULL


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"parties": 1, "rules": 2}', "\x00"])
def test_what_is_none_is_named(text: str) -> None:
    with pytest.raises(BadConference):
        conference_from_json(text)


# --- the memory


@pytest.fixture(params=["fake", "file"])
def memory(request: pytest.FixtureRequest, tmp_path: Path) -> ConferenceMemory:
    return FakeConferenceMemory() if request.param == "fake" else FileConferenceMemory(tmp_path)


def test_what_is_kept_is_found_until_it_is_forgotten(memory: ConferenceMemory) -> None:
    async def story() -> None:
        assert list(await memory.all()) == []
        await memory.keep(FULL)
        await memory.keep(replace(FULL, locked=False))
        await memory.keep(replace(FULL, id="c2"))
        assert {one.id: one.locked for one in await memory.all()} == {"c1": False, "c2": True}
        await memory.forget(FULL)
        await memory.forget(FULL)
        assert [one.id for one in await memory.all()] == ["c2"]
        assert await memory.inspect(memory.new_name()) is None

    asyncio.run(story())


def test_names_go_with_their_conference_and_nothing_else_does(tmp_path: Path) -> None:
    async def story() -> None:
        memory = FileConferenceMemory(tmp_path / "vm-ari")
        await memory.all()
        take, other, old = memory.new_name(), memory.new_name(), memory.new_name()
        assert take.name.startswith("vm-ari/conferences/names/")
        samples = np.random.default_rng(1).normal(0, 0.2, 8000)
        for one in (take, other, old):
            write_wav(one.file, samples, 8000)
        os.utime(old.file, (1, 1))
        found = await memory.inspect(take)
        assert found
        assert 0.9 < found.seconds < 1.1
        outside = tmp_path / "precious.wav"
        outside.write_bytes(b"x")
        names = (str(take.path), str(tmp_path / "precious"), str(other.path))
        mine = replace(FULL, names=names[:2])
        await memory.keep(replace(mine, names=(str(old.path),)))
        assert old.file.exists(), FORGOTTEN
        await memory.forget(mine)
        await memory.all()
        assert [one.file.exists() for one in (take, other, old)] == [False, True, False]
        assert outside.exists()

    asyncio.run(story())


def test_what_cannot_be_read_is_put_aside_and_a_bad_disk_is_named(tmp_path: Path) -> None:
    async def story() -> None:
        memory = FileConferenceMemory(tmp_path)
        await memory.keep(FULL)
        (tmp_path / "conferences" / "c9.json").write_text("{")
        assert [one.id for one in await memory.all()] == ["c1"]
        assert (tmp_path / "conferences" / "c9.bad").exists()
        with pytest.raises(ValueError, match="id"):
            await memory.keep(replace(FULL, id="../x"))
        blocked = tmp_path / "file"
        blocked.write_text("")
        with pytest.raises(MemoryFailed, match="file"):
            await FileConferenceMemory(blocked).keep(FULL)

    asyncio.run(story())


# --- the board

Tell = Callable[[Callable[[ConferenceBoard], Awaitable[None]]], None]


@pytest.fixture(params=["fake", "sqlite", "postgresql"])
def tell(request: pytest.FixtureRequest, tmp_path: Path) -> Tell:
    if request.param == "fake":
        return lambda story: asyncio.run(_run(story, FakeConferenceBoard()))
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/board.db"
    else:
        url = str(request.getfixturevalue("postgres_url"))
    return lambda story: asyncio.run(_closing(story, DatabaseConferences(url)))


async def _run(story: Callable[[ConferenceBoard], Awaitable[None]], board: ConferenceBoard) -> None:
    await story(board)


async def _closing(
    story: Callable[[ConferenceBoard], Awaitable[None]], board: DatabaseConferences
) -> None:
    try:
        await story(board)
    finally:
        await board.close()


def test_each_controller_shows_its_own(tell: Tell) -> None:
    async def story(board: ConferenceBoard) -> None:
        later = replace(FULL, id="c2", started=NOW + timedelta(minutes=1))
        await board.write("b", [LiveConference(later, "b", NOW, frozenset())])
        await board.write("a", [LiveConference(FULL, "a", NOW, frozenset({1, 3}))])
        shown = list(await board.all(NOW))
        assert [(one.conference, one.node, one.talking) for one in shown] == [
            (FULL, "a", {1, 3}),
            (later, "b", frozenset()),
        ]
        assert list(await board.all(NOW + timedelta(seconds=1))) == []
        await board.write("a", [])
        assert [one.node for one in await board.all(NOW)] == ["b"]
        await board.write("c", [LiveConference(later, "c", NOW)])  # it has been taken over
        assert [one.node for one in await board.all(NOW)] == ["c"]

    tell(story)


def test_an_order_is_told_once_in_its_place_and_never_late(tell: Tell) -> None:
    async def story(board: ConferenceBoard) -> None:
        first, second = RoomOrder("c1", Verb.MUTE, 2, "anna"), RoomOrder("c1", Verb.END)
        await board.order("a", RoomOrder("c1", Verb.LOCK), NOW - timedelta(hours=1))
        await board.order("a", first, NOW)
        await board.order("b", second, NOW)
        await board.order("a", second, NOW)
        since = NOW - timedelta(minutes=1)
        assert list(await board.take_orders("a", since)) == [first, second]
        assert list(await board.take_orders("a", since)) == []
        assert list(await board.take_orders("b", since)) == [second]

    tell(story)


def test_a_database_that_is_away_is_named(tmp_path: Path) -> None:
    async def story() -> None:
        (tmp_path / "file").write_text("")
        board = DatabaseConferences(f"sqlite:///{tmp_path}/file/x.db")
        with pytest.raises(ConferencesUnavailable, match="database of conferences"):
            await board.all(NOW)
        await board.close()

    asyncio.run(story())
