"""Sessions and links on SQLite and on PostgreSQL: the same rules, also for two who come at once."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from vm_ari.adapters.api_tokens import ApiTokenRows
from vm_ari.adapters.portal_database import PortalDatabase
from vm_ari.domain.api_tokens import ApiToken, Reach, Scope
from vm_ari.domain.portal_sessions import Method, Session

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
SESSION = Session("a" * 64, "anna", Method.PASSWORD, NOW, NOW, NOW)
Story = Callable[[PortalDatabase], Awaitable[None]]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path_factory.mktemp('portal')}/portal.db"
    return str(request.getfixturevalue("postgres_url"))


def on_database(url: str, story: Story) -> None:
    async def run() -> None:
        database = PortalDatabase(url)
        try:
            await story(database)
        finally:
            await database.close()

    asyncio.run(run())


def test_a_session_is_found_changed_and_ended(url: str) -> None:
    async def story(database: PortalDatabase) -> None:
        other = replace(SESSION, key="b" * 64)
        for session in (SESSION, other):
            await database.add_session(session)
        assert await database.session(SESSION.key) == SESSION
        later = replace(SESSION, used=NOW + timedelta(minutes=3), said="pin.saved")
        await database.change_session(later)
        assert await database.session(SESSION.key) == later
        await database.end_sessions_of("anna", but=[other.key])
        assert await database.session(SESSION.key) is None
        await database.change_session(later)  # a request that was under way brings nothing back
        assert await database.session(SESSION.key) is None
        await database.sweep_sessions(NOW + timedelta(hours=1))
        assert await database.session(other.key) is None

    on_database(url, story)


def test_of_two_who_use_a_link_at_once_one_gets_nothing(url: str) -> None:
    async def story(database: PortalDatabase) -> None:
        end = datetime.now(UTC) + timedelta(hours=1)
        await database.add_link("old", "anna", end)
        await database.add_link("new", "anna", end)
        assert await database.link("old") == ""
        used = await asyncio.gather(*(database.use_link("new") for _ in range(4)))
        assert sorted(used) == ["", "", "", "anna"]
        await database.add_link("over", "anna", datetime.now(UTC) - timedelta(seconds=1))
        assert await database.use_link("over") == ""

    on_database(url, story)


def test_a_password_is_replaced_and_removed(url: str) -> None:
    async def story(database: PortalDatabase) -> None:
        for text in ("one", "two", ""):
            await database.set_password_hash("anna", text)
            assert await database.password_hash("anna") == text

    on_database(url, story)


def test_tokens_are_kept_found_and_forgotten(url: str) -> None:
    async def run() -> None:
        rows = ApiTokenRows(url)
        north = Scope(Reach.ADMINISTRATOR, "north", read_only=True)
        end = NOW + timedelta(days=1)
        first = ApiToken("a" * 12, "f" * 64, "anna", "one", Scope(), NOW, end)
        other = ApiToken("b" * 12, "e" * 64, "bert", "two", north, NOW, end + timedelta(days=1))
        try:
            for token in (first, other):
                await rows.add(token)
            assert await rows.token(other.id) == other
            assert (await rows.all(), await rows.of("anna")) == ([first, other], [first])
            await rows.note_use(first.id, NOW)
            assert await rows.token(first.id) == replace(first, used=NOW)
            assert not await rows.remove(first.id, "bert")
            await rows.sweep(end)
            assert await rows.all() == [other]
            assert await rows.remove(other.id, "bert")
            assert await rows.remove_all("bert") == 0
        finally:
            await rows.close()

    asyncio.run(run())
