"""Sessions and links on SQLite and on PostgreSQL: the same rules, also for two who come at once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.adapters.postgres import postgres, postgres_programs
from vm_ari.adapters.portal_database import PortalDatabase
from vm_ari.domain.portal_sessions import Method, Session

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
SESSION = Session("a" * 64, "anna", Method.PASSWORD, NOW, NOW, NOW)
Story = Callable[[PortalDatabase], Awaitable[None]]

pytestmark = pytest.mark.xdist_group("portal database")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('portal')}/portal.db"
        return
    programs = postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    with postgres(programs) as address:
        yield address


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
