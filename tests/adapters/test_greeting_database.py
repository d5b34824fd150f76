"""Greetings of several nodes: SQLite and PostgreSQL, local copies, and a database that is away."""

import asyncio
import shutil
import socket
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import create_engine, update

from tests.adapters.greeting_sounds import pitch, speech_like
from tests.adapters.greetings_contract import ANNA, WORK, GreetingsContract, Tell
from tests.adapters.test_told_ends import one_node_tells_and_the_other_only_when_that_one_is_gone
from vm_ari.adapters.greeting_database import DatabaseGreetings
from vm_ari.adapters.greeting_tables import greetings
from vm_ari.domain.greetings import GlobalMode, Greeting, GreetingKey, Source
from vm_ari.ports import GreetingsUnavailable

T = TypeVar("T")


def on_node(
    url: str,
    copies: Path,
    story: Callable[[DatabaseGreetings], Awaitable[T]],
    *,
    patience: float = 60.0,
) -> T:
    """Run a story on a node with these local copies."""

    async def run() -> T:
        store = DatabaseGreetings(url, copies, patience=patience)
        try:
            return await story(store)
        finally:
            await store.close()

    return asyncio.run(run())


def of(url: str, copies: Path, owner: str = ANNA) -> dict[GreetingKey, Greeting]:
    return dict(on_node(url, copies, lambda store: store.of(owner)))


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/greetings.db"


@pytest.fixture
def take(tmp_path: Path) -> Path:
    return speech_like(tmp_path / "take.wav", 1.0)


class TestOnSqlite(GreetingsContract):
    """The contract on SQLite."""

    @pytest.fixture
    def tell(self, url: str, tmp_path: Path) -> Tell:
        return lambda story: on_node(url, tmp_path / "copies", story)


class TestOnPostgres(GreetingsContract):
    """The contract on PostgreSQL."""

    @pytest.fixture
    def tell(self, postgres_url: str, tmp_path: Path) -> Tell:
        engine = create_engine(postgres_url)
        with engine.begin() as db:
            for table in ("greetings", "greeting_state"):
                db.exec_driver_sql(f"DROP TABLE IF EXISTS {table}")
        engine.dispose()
        return lambda story: on_node(postgres_url, tmp_path / "copies", story)


def test_of_what_has_ended_one_node_tells_on_postgres_too(postgres_url: str) -> None:
    one_node_tells_and_the_other_only_when_that_one_is_gone(postgres_url)


class TestOnAnotherNode(GreetingsContract):
    """The contract, where every story is told to another node."""

    @pytest.fixture
    def tell(self, url: str, tmp_path: Path) -> Tell:
        nodes = iter(range(100))
        return lambda story: on_node(url, tmp_path / f"node-{next(nodes)}", story)

    def test_what_was_kept_is_there_for_everybody_who_asks_later(
        self, tell: Tell, audio: Path
    ) -> None:
        """As the contract says, but for the path: each node has its own copies."""

        async def keep(store: DatabaseGreetings) -> Greeting:
            return await store.keep(WORK, audio, Source.UPLOAD)

        kept = tell(keep)  # type: ignore[arg-type]
        there = tell(lambda store: store.of(ANNA))[WORK]
        assert there.path != kept.path
        assert (there.path.name, there.seconds) == (kept.path.name, kept.seconds)
        for suffix in (".wav", ".wav16"):
            files = [Path(f"{one.path}{suffix}").read_bytes() for one in (there, kept)]
            assert files[0] == files[1]


def test_a_change_is_heard_with_the_next_call_on_every_node(
    url: str, take: Path, tmp_path: Path
) -> None:
    other = speech_like(tmp_path / "other.wav", 1.0, hertz=800)

    async def story(first: DatabaseGreetings) -> None:
        second = DatabaseGreetings(url, tmp_path / "second", patience=60.0)
        try:
            for file, hertz in ((take, 440), (other, 800)):
                await first.keep(WORK, file, Source.UPLOAD)
                heard = (await second.of(ANNA))[WORK].path
                for suffix in (".wav", ".wav16"):
                    assert pitch(Path(f"{heard}{suffix}")) == pytest.approx(hertz, abs=10)
            await first.delete(WORK)
            assert await second.of(ANNA) == {}
            await first.set_global_mode(GlobalMode.ALWAYS)
            assert await second.global_mode() is GlobalMode.ALWAYS
        finally:
            await second.close()

    on_node(url, tmp_path / "first", story)


def test_lost_and_damaged_copies_are_fetched_again(url: str, take: Path, tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    on_node(url, copies, lambda store: store.keep(WORK, take, Source.UPLOAD))
    [kept] = of(url, copies).values()
    Path(f"{kept.path}.wav16").unlink()
    assert of(url, copies) == {WORK: kept}
    assert Path(f"{kept.path}.wav16").is_file()
    (kept.path.parent / "index.json").write_text("{")
    assert of(url, copies) == {WORK: kept}
    shutil.rmtree(copies)
    assert of(url, copies) == {WORK: kept}
    assert Path(f"{kept.path}.wav").is_file()


def test_without_the_database_callers_hear_the_local_copy(
    url: str, take: Path, tmp_path: Path
) -> None:
    copies = tmp_path / "copies"
    on_node(url, copies, lambda store: store.keep(WORK, take, Source.UPLOAD))
    on_node(url, copies, lambda store: store.set_global_mode(GlobalMode.IF_NONE))
    known = of(url, copies)
    (tmp_path / "greetings.db").rename(tmp_path / "away.db")
    (tmp_path / "greetings.db").mkdir()
    assert of(url, copies) == known
    assert on_node(url, copies, lambda store: store.global_mode()) is GlobalMode.IF_NONE
    with pytest.raises(GreetingsUnavailable, match="database of greetings"):
        of(url, copies, "bert")
    with pytest.raises(GreetingsUnavailable, match=r"greetings\.db"):
        on_node(url, copies, lambda store: store.delete(WORK))
    assert of(url, copies) == known


def test_a_database_that_hangs_makes_one_caller_wait_and_not_the_next(
    take: Path, tmp_path: Path
) -> None:
    """Something listens there and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql+psycopg://vmari@127.0.0.1:{silent.getsockname()[1]}/x?connect_timeout=3"
        copies = tmp_path / "copies"
        sqlite = f"sqlite:///{tmp_path}/greetings.db"
        on_node(sqlite, copies, lambda store: store.keep(WORK, take, Source.UPLOAD))

        async def story(store: DatabaseGreetings) -> None:
            assert set(await store.of(ANNA)) == {WORK}
            threads = threading.active_count()
            for _ in range(20):
                assert set(await store.of(ANNA)) == {WORK}
            assert threading.active_count() <= threads + 4

        pytest.importorskip("psycopg")
        on_node(url, copies, story, patience=0.2)


def test_a_damaged_row_is_named(url: str, take: Path, tmp_path: Path) -> None:
    on_node(url, tmp_path / "copies", lambda store: store.keep(WORK, take, Source.UPLOAD))
    engine = create_engine(url)
    with engine.begin() as db:
        db.execute(update(greetings).values(generation="../../etc/passwd"))
    engine.dispose()
    with pytest.raises(GreetingsUnavailable, match="table of greetings is damaged"):
        of(url, tmp_path / "elsewhere")
