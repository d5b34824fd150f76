"""The embedded directory on real SQLite and PostgreSQL, from several processes; and its fake."""

import asyncio
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, delete, event, update

from tests.adapters.directory_contract import ANNA, BERT, PIN, DirectoryContract, Story
from tests.adapters.postgres import postgres, postgres_programs
from tests.fakes import FakeDirectory
from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.database_schema import Database, state, users
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.pin import PinCheck
from vm_ari.ports import DirectoryUnavailable

ROOT = Path(__file__).parents[2]
EmbeddedStory = Callable[[EmbeddedDirectory], Awaitable[None]]


def sqlite(base: Path) -> str:
    return f"sqlite:///{base}/directory.db"


def on_database(
    base: Path, story: EmbeddedStory, *, url: str = "", allowed_failures: int = 5
) -> None:
    """Run a story on the database below *base* (or at *url*), and close it."""

    async def run() -> None:
        keys = KeyRing(base / "keys")
        where = url or sqlite(base)
        directory = EmbeddedDirectory(where, keys, allowed_failures=allowed_failures)
        try:
            await story(directory)
        finally:
            await directory.close()

    asyncio.run(run())


class TestEmbeddedDirectory(DirectoryContract):
    """The contract on SQLite."""

    @pytest.fixture(autouse=True)
    def _base(self, tmp_path: Path) -> None:
        self.base, self.number = tmp_path, 0

    def on_directory(self, story: Story, *, allowed_failures: int = 5) -> None:
        self.number += 1
        on_database(self.base / str(self.number), story, allowed_failures=allowed_failures)


class TestFakeDirectory(DirectoryContract):
    """The contract on the fake."""

    def on_directory(self, story: Story, *, allowed_failures: int = 5) -> None:
        async def run() -> None:
            await story(FakeDirectory(allowed_failures=allowed_failures))

        asyncio.run(run())


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    pytest.importorskip("psycopg")
    programs = postgres_programs()
    if programs is None:
        pytest.skip("no PostgreSQL here")
    with postgres(programs) as url:
        yield url


class TestOnPostgres(DirectoryContract):
    """The contract on PostgreSQL."""

    @pytest.fixture(autouse=True)
    def _base(self, tmp_path: Path, postgres_url: str) -> None:
        self.base, self.url = tmp_path, postgres_url

    def on_directory(self, story: Story, *, allowed_failures: int = 5) -> None:
        database = Database(self.url, connections=1)
        with database.open().begin() as db:
            db.execute(delete(users))
        database.engine.dispose()
        on_database(self.base, story, url=self.url, allowed_failures=allowed_failures)


@contextmanager
def raw(base: Path) -> Iterator[Engine]:
    """Somebody else's access to the file."""
    engine = create_engine(sqlite(base))
    try:
        yield engine
    finally:
        engine.dispose()


async def add_anna(directory: EmbeddedDirectory) -> None:
    await directory.add_user(ANNA, PIN)


def test_the_fake_can_be_unavailable() -> None:
    directory = FakeDirectory(ANNA, pin=PIN)
    assert asyncio.run(directory.check_pin("anna", PIN)) is PinCheck.RIGHT
    directory.unavailable = True
    with pytest.raises(DirectoryUnavailable):
        asyncio.run(directory.user_by_number("101"))


# --- Secrets


def test_no_pin_lies_on_the_disk(tmp_path: Path) -> None:
    on_database(tmp_path, add_anna)
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) >= 2
    for file in files:
        assert PIN.encode() not in file.read_bytes()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_pin_copied_to_another_user_is_worth_nothing(tmp_path: Path) -> None:
    async def prepare(directory: EmbeddedDirectory) -> None:
        await directory.add_user(ANNA, PIN)
        await directory.add_user(BERT, "999999")

    async def login(directory: EmbeddedDirectory) -> None:
        for pin in ("999999", PIN, "0", "0", "0", "0", "0"):
            with pytest.raises(DirectoryUnavailable, match="user anna"):
                await directory.check_pin("anna", pin)
        assert await directory.check_pin("bert", "999999") is PinCheck.RIGHT

    on_database(tmp_path, prepare)
    with raw(tmp_path) as engine, engine.begin() as db:
        of_bert = users.select().where(users.c.id == "bert")
        sealed = db.execute(of_bert).mappings().one()["pin"]
        db.execute(update(users).where(users.c.id == "anna").values(pin=sealed))
    on_database(tmp_path, login)


def test_an_error_does_not_tell_what_was_asked(tmp_path: Path) -> None:
    async def story(directory: EmbeddedDirectory) -> None:
        with raw(tmp_path) as engine, engine.begin() as db:
            db.exec_driver_sql("DROP TABLE users")
        with pytest.raises(DirectoryUnavailable) as refused:
            await directory.set_pin("anna", PIN)
        assert "v1." not in str(refused.value)
        assert PIN not in str(refused.value)

    async def first(directory: EmbeddedDirectory) -> None:
        await directory.add_user(ANNA, PIN)
        await story(directory)

    on_database(tmp_path, first)


def test_a_wrong_pin_and_an_unknown_user_cost_the_same(tmp_path: Path) -> None:
    statements: list[str] = []

    def note(*arguments: object) -> None:
        statements.append(str(arguments[2]).split()[0])

    async def story(directory: EmbeddedDirectory) -> None:
        await directory.add_user(ANNA, PIN)
        await directory.add_user(BERT)
        writes = {}
        engine = directory._database.engine
        event.listen(engine, "before_cursor_execute", note)
        event.listen(engine, "commit", lambda _: statements.append("COMMIT"))
        for user_id in ("anna", "bert", "nobody"):
            statements.clear()
            assert await directory.check_pin(user_id, "0") is PinCheck.WRONG
            writes[user_id] = statements[-2:]
        assert list(writes.values()) == [["UPDATE", "COMMIT"]] * 3

    on_database(tmp_path, story)


# --- Durability


def test_commits_are_durable(tmp_path: Path) -> None:
    on_database(tmp_path, add_anna)
    database = Database(sqlite(tmp_path), connections=1)
    with database.open().connect() as db:
        assert db.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert db.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
    database.engine.dispose()


def test_a_restart_forgets_no_failure(tmp_path: Path) -> None:
    async def guess(directory: EmbeddedDirectory) -> None:
        for _ in range(3):
            seen.append(await directory.check_pin("anna", "0"))

    seen: list[PinCheck] = []
    on_database(tmp_path, add_anna)
    for _ in range(2):
        on_database(tmp_path, guess)
    assert seen == [PinCheck.WRONG] * 5 + [PinCheck.LOCKED]


def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    async def story(directory: EmbeddedDirectory) -> None:
        with pytest.raises(DirectoryUnavailable, match="schema 99"):
            await directory.user_by_id("anna")

    on_database(tmp_path, add_anna)
    with raw(tmp_path) as engine, engine.begin() as db:
        db.execute(update(state).where(state.c.name == "schema").values(value=99))
    on_database(tmp_path, story)


def test_a_database_that_comes_back_is_used_again(tmp_path: Path) -> None:
    async def story(directory: EmbeddedDirectory) -> None:
        with pytest.raises(DirectoryUnavailable):
            await directory.user_by_number("101")
        (tmp_path / "later").unlink()
        await directory.add_user(ANNA, PIN)
        assert await directory.user_by_number("101") == ANNA

    (tmp_path / "later").write_text("a file where the directory should be")
    on_database(tmp_path, story, url=sqlite(tmp_path / "later"))


# --- Several processes

GUESSER = """
import asyncio, os, sys
from collections import Counter
from pathlib import Path
from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.sealing import KeyRing

async def guess(pins):
    directory = EmbeddedDirectory(sys.argv[1], KeyRing(Path(sys.argv[2])), workers=8)
    await directory.all_users()
    print("ready", flush=True)
    sys.stdin.readline()
    results = await asyncio.gather(*(directory.check_pin("anna", pin) for pin in pins))
    print(*(result.value for result in results), flush=True)
    os._exit(0)  # no orderly end: what was answered must be durable already

asyncio.run(guess(sys.argv[3:]))
"""


def guess_in_processes(url: str, keys: Path, pins: list[list[str]]) -> "Counter[str]":
    """Each list is guessed by one process with eight threads, all beginning at once."""
    command = [sys.executable, "-c", GUESSER, url, str(keys)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    running = [subprocess.Popen([*command, *own], **pipes) for own in pins]  # type: ignore[call-overload]
    for process in running:
        assert process.stdout.readline() == "ready\n"
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [process.communicate(timeout=60)[0].split() for process in running]
    return Counter(answer for own in answers for answer in own)


@pytest.mark.parametrize("server", ["sqlite", "postgres"])
def test_two_processes_never_get_more_than_the_allowed_guesses(
    tmp_path: Path, server: str, request: pytest.FixtureRequest
) -> None:
    url = sqlite(tmp_path) if server == "sqlite" else request.getfixturevalue("postgres_url")

    async def start(directory: EmbeddedDirectory) -> None:
        if await directory.user_by_id("anna"):
            await directory.remove_user("anna")
        await directory.add_user(ANNA, PIN)

    async def still_locked(directory: EmbeddedDirectory) -> None:
        assert await directory.check_pin("anna", PIN) is PinCheck.LOCKED

    on_database(tmp_path, start, url=url)
    wrong = [f"{n:06}" for n in range(200)]
    seen = guess_in_processes(url, tmp_path / "keys", [wrong[:100], wrong[100:]])
    assert seen == {"wrong": 5, "locked": 195}
    on_database(tmp_path, still_locked, url=url)


def test_the_right_pin_is_right_however_many_log_in_at_once(tmp_path: Path) -> None:
    on_database(tmp_path, add_anna)
    seen = guess_in_processes(sqlite(tmp_path), tmp_path / "keys", [[PIN] * 100] * 2)
    assert seen == {"right": 200}


def test_processes_that_start_at_once_on_nothing_agree(tmp_path: Path) -> None:
    seen = guess_in_processes(sqlite(tmp_path), tmp_path / "keys", [["1"]] * 4)
    assert seen == {"wrong": 4}
    assert list((tmp_path / "keys").iterdir()) == [tmp_path / "keys" / "0001.key"]
