"""The journal on SQLite, on PostgreSQL and in memory; and a database that is away."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from tests.adapters.journal_contract import ANNA, JournalContract, Tell, entry
from tests.fake_journal import FakeJournalStore
from vm_ari.adapters import journal_tables
from vm_ari.adapters.journal_database import DatabaseJournal
from vm_ari.domain.journal import Search
from vm_ari.ports import JournalUnavailable


def on(url: str) -> Tell:
    """Each story by a process of its own, as it were."""

    def tell(story: Any) -> Any:
        async def run() -> Any:
            store = DatabaseJournal(url)
            try:
                return await story(store)
            finally:
                await store.close()

        return asyncio.run(run())

    return tell


def _empty(server: str) -> None:
    engine = create_engine(server)
    with engine.begin() as db:
        for table in ("journal", "journal_terms"):
            db.exec_driver_sql(f"DROP TABLE IF EXISTS {table}")
    engine.dispose()


class TestOnSqlite(JournalContract):
    """The contract on SQLite."""

    @pytest.fixture
    def tell(self, tmp_path: Path) -> Tell:
        return on(f"sqlite:///{tmp_path}/new/journal.db")


class TestOnPostgres(JournalContract):
    """The contract on PostgreSQL."""

    @pytest.fixture
    def tell(self, postgres_url: str) -> Tell:
        _empty(postgres_url)
        return on(postgres_url)


class TestInMemory(JournalContract):
    """The contract on the fake of other tests."""

    @pytest.fixture
    def tell(self) -> Tell:
        store = FakeJournalStore()
        return lambda story: asyncio.run(_told(story, store))


async def _told(story: Any, store: FakeJournalStore) -> Any:
    return await story(store)


def test_a_database_that_is_away_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for url in (
        f"sqlite:///{tmp_path}/file/journal.db",
        "postgresql+psycopg://vmari@127.0.0.1:1/x",
    ):
        for story in (
            lambda store: store.write([entry()]),
            lambda store: store.page(ANNA, Search()),
        ):
            with pytest.raises(JournalUnavailable, match="The database of the journal: "):
                on(url)(story)


def test_only_we_may_read_the_file(tmp_path: Path) -> None:
    on(f"sqlite:///{tmp_path}/journal.db")(lambda store: store.write([entry()]))
    modes = {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {0o600}


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_terms_that_many_entries_have_are_found_too(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a large site: there they are looked for in each entry."""
    monkeypatch.setattr(journal_tables, "COMMON", 0)
    url = f"sqlite:///{tmp_path}/journal.db"
    if kind == "postgres":
        url = request.getfixturevalue("postgres_url")
        _empty(url)
    JournalContract().test_searches_find_what_a_look_at_every_entry_finds(on(url))


@pytest.mark.feature_part("UM-05", "a journal of before gets the column of cost centres")
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_journal_of_before_goes_on_with_cost_centres(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Its entries stay, two nodes may begin at once, and one of before may still be writing."""
    url = f"sqlite:///{tmp_path}/journal.db"
    if kind == "postgres":
        url = request.getfixturevalue("postgres_url")
        _empty(url)
    old, new = entry(1), entry(2, cost_centre="4711-B")
    on(url)(lambda store: store.write([old, entry(3, cost_centre="forgotten")]))
    engine = create_engine(url)
    with engine.begin() as db:
        db.exec_driver_sql("ALTER TABLE journal DROP COLUMN cost_centre")
    engine.dispose()

    async def both() -> None:
        nodes = [DatabaseJournal(url), DatabaseJournal(url)]
        try:
            await asyncio.gather(*(node.write([new]) for node in nodes))
        finally:
            for node in nodes:
                await node.close()

    asyncio.run(both())
    tell = on(url)
    assert tell(lambda store: store.entry(old.id)) == old
    assert tell(lambda store: store.entry(new.id)) == new
    assert tell(lambda store: store.entry(entry(3).id)) == entry(3)
