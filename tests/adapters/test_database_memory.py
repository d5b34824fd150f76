"""Users who are remembered: never older than what was committed before the question."""

import asyncio
import asyncio.subprocess
import os
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from tests.adapters.directory_contract import ANNA, BERT
from tests.patience import AT_MOST
from vm_ari.adapters import database_memory
from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.database_memory import Field, RememberedUsers
from vm_ari.adapters.database_schema import users
from vm_ari.adapters.database_stamp import OF_A_USER, StampReader
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.entries import Organisation
from vm_ari.domain.pin import PinCheck
from vm_ari.domain.users import User
from vm_ari.ports import DirectoryUnavailable

ROOT = Path(__file__).parents[2]
CARL = replace(BERT, id="carl", mailbox="103", mail="carl@example.org")


@asynccontextmanager
async def directory_in(base: Path, *people: User) -> AsyncIterator[EmbeddedDirectory]:
    """On a file there, with these people."""
    directory = EmbeddedDirectory(f"sqlite:///{file_in(base)}", KeyRing(base / "keys"))
    try:
        for one in people:
            await directory.add_user(one)
        yield directory
    finally:
        await directory.close()


def file_in(base: Path) -> Path:
    return base / "directory.db"


@contextmanager
def somebody_else(file: Path) -> Iterator[sqlite3.Connection]:
    """Who writes without our code, as a program of before does."""
    with closing(sqlite3.connect(file, isolation_level=None, timeout=AT_MOST)) as db:
        db.execute("PRAGMA foreign_keys=ON")
        yield db


def changes(file: Path, *statements: str) -> None:
    """In one transaction."""
    with somebody_else(file) as db:
        db.executescript(f"BEGIN; {'; '.join(statements)}; COMMIT")


def renamed(user_id: str, name: str) -> str:
    return f"UPDATE users SET name = '{name}' WHERE id = '{user_id}'"


def name_of(user: User | None) -> str | None:
    return user.name if user else None


class Asked:
    """What a directory has sent to its database."""

    def __init__(self, directory: EmbeddedDirectory) -> None:
        self._statements = 0
        event.listen(directory._work._database.engine, "before_cursor_execute", self._note)

    def _note(self, *_arguments: object) -> None:
        self._statements += 1

    async def nothing_for(self, question: Callable[[], Awaitable[object]]) -> bool:
        """Is the answer known?"""
        before = self._statements
        await question()
        return self._statements == before

    async def nothing_soon(self, question: Callable[[], Awaitable[object]]) -> None:
        """Wait until the answer is known: on a busy machine a stamp may come too late."""
        async with asyncio.timeout(AT_MOST):
            while not await self.nothing_for(question):
                await asyncio.sleep(0.01)


# --- What is remembered


def test_the_same_is_not_asked_twice(tmp_path: Path) -> None:
    async def story() -> None:
        async with directory_in(tmp_path, ANNA) as directory:
            asked = Asked(directory)
            assert not await asked.nothing_for(lambda: directory.user_by_number("101"))
            await asked.nothing_soon(lambda: directory.user_by_number("101"))
            await asked.nothing_soon(lambda: directory.user_by_number("+4930999"))
            await asked.nothing_soon(lambda: directory.user_by_id("anna"))
            await asked.nothing_soon(lambda: directory.user_by_id("nobody"))
            assert await directory.user_by_number("101") == ANNA
            assert await directory.user_by_number("+4930999") is None
            assert await directory.user_by_id("anna") == ANNA
            assert await directory.user_by_id("nobody") is None

    asyncio.run(story())


def test_a_login_makes_nobody_forgotten(tmp_path: Path) -> None:
    async def story() -> None:
        async with directory_in(tmp_path, ANNA) as directory:
            reader = StampReader(file_in(tmp_path))
            before = reader.read()
            assert before
            await directory.set_pin("anna", "246813")
            assert await directory.check_pin("anna", "1") is PinCheck.WRONG
            assert await directory.check_pin("anna", "246813") is PinCheck.RIGHT
            await directory.unlock("anna")
            assert reader.read() == before
            await directory.change_settings("anna", {"language": "fr"})
            assert reader.read() not in (None, before)
            reader.close()

    asyncio.run(story())


def test_no_more_is_remembered_than_there_is_room_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_memory, "MOST", 5)

    async def story() -> None:
        async with directory_in(tmp_path, ANNA) as directory:
            asked = Asked(directory)
            for number in range(20):
                assert await directory.user_by_number(f"4930{number}") is None
                assert await directory.user_by_id("anna") == ANNA
            assert len(directory._remembered._answers) <= 5
            assert not await asked.nothing_for(lambda: directory.user_by_number("49300"))
            long = "4" * (database_memory.LONGEST + 1)
            for _ in range(3):
                assert not await asked.nothing_for(lambda: directory.user_by_number(long))

    asyncio.run(story())


def test_every_column_of_a_user_counts() -> None:
    no_part_of_one = {"pin", "pin_failures", "mail_key"}
    assert {column.name for column in users.columns} == {*OF_A_USER, *no_part_of_one}


# --- What others change

IDS = ("anna", "bert", "carl")
NUMBERS = ("101", "102", "103", "+4930555101", "+4930555109")
CHANGES = (
    *(renamed(one, name) for one in IDS for name in ("Name A", "Name B")),
    *(f"UPDATE users SET texts = 'cost_centre={n}' WHERE id = 'bert'" for n in range(2)),
    *(f"UPDATE users SET organisation = '{name}' WHERE id = 'carl'" for name in ("", "sales")),
    "UPDATE users SET pin_failures = pin_failures + 1",
    "DELETE FROM users WHERE id = 'bert'",
    "INSERT OR REPLACE INTO users (id, name, mailbox, mail, pin_failures) "
    "VALUES ('bert', 'Again', '', 'b@example.org', 0)",
    *(f"INSERT OR REPLACE INTO numbers VALUES ('{n}', 'carl', 7)" for n in NUMBERS[2:]),
    "UPDATE numbers SET user_id = 'anna' WHERE user_id = 'carl'",
    "DELETE FROM numbers WHERE number = '103'",
    *(
        f"INSERT OR REPLACE INTO organisations VALUES ('sales', 'S', 'language={n}')"
        for n in ("fr", "de")
    ),
    "DELETE FROM organisations",
)
Step = tuple[str, bool] | str
"""A change, and is it committed? Or what is asked for."""
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(CHANGES), st.booleans()), st.sampled_from((*IDS, *NUMBERS))
    ),
    min_size=5,
    max_size=25,
)


@pytest.fixture(scope="module")
def three_people(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of them, not in use."""
    base = tmp_path_factory.mktemp("three")

    async def story() -> None:
        async with directory_in(base, ANNA, BERT, CARL):
            pass

    asyncio.run(story())
    return base


@pytest.mark.feature_part("DIR-05", "whoever changes a user, it counts for the next question")
@settings(max_examples=60, deadline=None)
@given(steps=STEPS)
def test_whatever_others_change_the_answer_is_that_of_the_database(
    three_people: Path, steps: Sequence[Step]
) -> None:
    with TemporaryDirectory() as base:
        shutil.copytree(three_people, base, dirs_exist_ok=True)
        asyncio.run(follow(Path(base), steps))


async def follow(base: Path, steps: Sequence[Step]) -> None:
    """Each answer beside one that nobody remembers."""
    async with directory_in(base) as directory:
        await directory.all_users()
        with somebody_else(file_in(base)) as other:
            other.execute("PRAGMA synchronous=OFF")
            for step in steps:
                match step:
                    case (change, committed):
                        other.execute("BEGIN")
                        other.execute(str(change))
                        other.execute("COMMIT" if committed else "ROLLBACK")
                    case text:
                        expected = await not_remembered(directory, str(text))
                        assert await asked_for(directory, str(text)) == expected


async def asked_for(directory: EmbeddedDirectory, text: str) -> User | None:
    return await (directory.user_by_id if text in IDS else directory.user_by_number)(text)


async def not_remembered(directory: EmbeddedDirectory, text: str) -> User | None:
    entry = await (directory.entry_by_id if text in IDS else directory.entry_by_number)(text)
    everybody = {one.id: one for one in await directory.all_users()}
    return everybody[entry.id] if entry else None


def test_what_is_not_committed_yet_is_not_answered(tmp_path: Path) -> None:
    async def story() -> None:
        async with directory_in(tmp_path, BERT) as directory:
            with somebody_else(file_in(tmp_path)) as other:
                other.execute("BEGIN IMMEDIATE")
                other.execute(renamed("bert", "Not yet"))
                assert await directory.user_by_id("bert") == BERT
                assert await directory.user_by_id("bert") == BERT
                other.execute("COMMIT")
            assert name_of(await directory.user_by_id("bert")) == "Not yet"

    asyncio.run(story())


RENAMER = """
import asyncio, sys
from pathlib import Path
from tempfile import TemporaryDirectory
from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.sealing import KeyRing

async def rename():
    directory = EmbeddedDirectory(sys.argv[1], KeyRing(Path(sys.argv[2])))
    for turn in range(1, 301):
        await directory.change_details("bert", {"name": str(turn)})
        print(turn, flush=True)
    await directory.close()

asyncio.run(rename())
"""


@pytest.mark.feature_part("DIR-05", "what another process has changed counts at once")
def test_another_process_is_believed_as_soon_as_it_says_so(tmp_path: Path) -> None:
    async def listen(process: asyncio.subprocess.Process) -> None:
        assert process.stdout
        async for line in process.stdout:
            said.append(int(line))

    async def story() -> None:
        async with directory_in(tmp_path, replace(BERT, name="0")) as directory:
            command = [sys.executable, "-c", RENAMER, f"sqlite:///{file_in(tmp_path)}"]
            process = await asyncio.create_subprocess_exec(
                *command, str(tmp_path / "keys"), stdout=asyncio.subprocess.PIPE, cwd=ROOT
            )
            listening = asyncio.create_task(listen(process))
            async with asyncio.timeout(AT_MOST):
                while not listening.done():
                    at_least = said[-1]
                    assert int(name_of(await directory.user_by_number("102")) or -1) >= at_least
                    await asyncio.sleep(0)
                assert await process.wait() == 0
            await listening
            assert name_of(await directory.user_by_id("bert")) == "300"

    said = [0]
    asyncio.run(story())


def test_what_changes_while_it_is_asked_is_asked_again(tmp_path: Path) -> None:
    async def story() -> None:
        async with directory_in(tmp_path, BERT) as directory:
            memory = RememberedUsers(f"sqlite:///{file_in(tmp_path)}")

            async def overtaken() -> User | None:
                found = await directory.user_by_id("bert")
                changes(file_in(tmp_path), renamed("bert", "Later"))
                return found

            async def told_otherwise() -> User | None:
                memory.forget()
                return BERT

            async def now() -> User | None:
                return await directory.user_by_id("bert")

            assert await memory.find(Field.ID, "bert", overtaken) == BERT
            assert name_of(await memory.find(Field.ID, "bert", now)) == "Later"
            assert name_of(await memory.find(Field.NUMBER, "102", told_otherwise)) == "Bert"
            assert name_of(await memory.find(Field.NUMBER, "102", now)) == "Later"
            await memory.close()

    asyncio.run(story())


def test_organisations_of_the_configuration_count_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with directory_in(tmp_path, BERT) as directory:
            await directory.change_details("bert", {"organisation": "sales"})
            await directory.change_settings("bert", {"language": None})
            for language in ("fr", "de", "en"):
                sales = Organisation("sales", "Sales", {"language": language})
                directory.know_organisations({"sales": sales})
                for _ in range(2):
                    user = await directory.user_by_number("102")
                    assert user
                    assert user.language == language

    asyncio.run(story())


# --- The file itself


def move(file: Path, target: Path) -> None:
    """With the log beside it, as SQLite demands."""
    for end in ("-wal", "-shm", ""):
        target.with_name(target.name + end).unlink(missing_ok=True)
        if (there := file.with_name(file.name + end)).exists():
            there.replace(target.with_name(target.name + end))


def test_a_database_that_is_put_in_place_counts_at_once(tmp_path: Path) -> None:
    """As an admin brings a backup back without stopping us."""

    async def story() -> None:
        async with directory_in(tmp_path, BERT) as directory:
            (tmp_path / "other").mkdir()
            other = replace(BERT, name="Other")
            async with directory_in(tmp_path / "other", other):
                pass
            assert await directory.user_by_id("bert") == BERT
            move(file_in(tmp_path / "other"), file_in(tmp_path))
            for _ in range(2):
                assert await directory.user_by_id("bert") == other
                assert [one.name for one in await directory.all_entries()] == ["Other"]
            changes(file_in(tmp_path), renamed("bert", "Third"))
            assert name_of(await directory.user_by_id("bert")) == "Third"

    asyncio.run(story())


@pytest.mark.parametrize("into_the_file", [True, False])
def test_a_backup_that_others_change_again_is_not_mistaken_for_what_was(
    tmp_path: Path, *, into_the_file: bool
) -> None:
    """As many changes on as those who are remembered."""
    file, backup, again = file_in(tmp_path), tmp_path / "backup.db", tmp_path / "again.db"

    def bring_back() -> None:
        if into_the_file:
            with somebody_else(file) as db, closing(sqlite3.connect(backup)) as copy:
                copy.backup(db)
        else:
            shutil.copy(backup, again)
            move(again, file)

    async def story() -> None:
        async with directory_in(tmp_path, BERT) as directory:
            with somebody_else(file) as db:
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                shutil.copy(file, backup)
            for name in ("A", "B", "C"):
                changes(file, renamed("bert", name))
                assert name_of(await directory.user_by_id("bert")) == name
                bring_back()
            assert await directory.user_by_id("bert") == BERT

    asyncio.run(story())


def without_triggers(file: Path) -> None:
    """As a program of before has left it."""
    with somebody_else(file) as db:
        found = db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
        assert found
        for (name,) in found:
            db.execute(f"DROP TRIGGER {name}")
        db.execute("DELETE FROM state WHERE name = 'users_stamp'")


def test_a_database_of_before_gets_what_it_needs(tmp_path: Path) -> None:
    async def story() -> None:
        async with directory_in(tmp_path, BERT):
            pass
        without_triggers(file_in(tmp_path))
        async with directory_in(tmp_path) as directory:
            assert await directory.user_by_id("bert") == BERT
            await Asked(directory).nothing_soon(lambda: directory.user_by_id("bert"))
            changes(file_in(tmp_path), renamed("bert", "New"))
            assert name_of(await directory.user_by_id("bert")) == "New"

    asyncio.run(story())


def test_without_the_triggers_nothing_is_remembered(tmp_path: Path) -> None:
    async def story() -> None:
        async with directory_in(tmp_path, BERT) as directory:
            assert await directory.user_by_id("bert") == BERT
            without_triggers(file_in(tmp_path))
            for name in ("A", "B"):
                changes(file_in(tmp_path), renamed("bert", name))
                assert name_of(await directory.user_by_id("bert")) == name

    asyncio.run(story())


@pytest.mark.parametrize("garbage", [b"", b"no database" * 1000])
def test_a_broken_database_is_not_hidden(tmp_path: Path, garbage: bytes) -> None:
    async def story() -> None:
        file, kept = file_in(tmp_path), tmp_path / "kept"
        async with directory_in(tmp_path, BERT) as directory:
            asked = Asked(directory)
            await asked.nothing_soon(lambda: directory.user_by_id("bert"))
            move(file, kept)
            file.write_bytes(garbage)
            for _ in range(2):
                with pytest.raises(DirectoryUnavailable):
                    await directory.user_by_id("bert")
            move(kept, file)
            assert await directory.user_by_id("bert") == BERT

    asyncio.run(story())


def test_a_lost_table_is_not_hidden(tmp_path: Path) -> None:
    async def story() -> None:
        async with directory_in(tmp_path, BERT) as directory:
            await Asked(directory).nothing_soon(lambda: directory.user_by_id("bert"))
            changes(file_in(tmp_path), "DROP TABLE organisations")
            with pytest.raises(DirectoryUnavailable, match="organisations"):
                await directory.user_by_id("bert")

    asyncio.run(story())


def test_calls_go_on_while_the_disk_hangs(tmp_path: Path) -> None:
    """Who opens a pipe waits until somebody else has opened it, too."""

    async def directory() -> User | None:
        return BERT

    async def story() -> None:
        os.mkfifo(tmp_path / "pipe")
        memory = RememberedUsers(f"sqlite:///{tmp_path / 'pipe'}")
        try:
            found = [memory.find(Field.ID, "bert", directory) for _ in range(20)]
            assert await asyncio.gather(*found) == [BERT] * 20
            assert memory._reading
            assert not memory._reading.done()
        finally:
            os.close(os.open(tmp_path / "pipe", os.O_RDWR))
            await memory.close()

    asyncio.run(story())
