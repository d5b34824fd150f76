"""The embedded directory on real SQLite and PostgreSQL, from several processes; and its fake."""

import asyncio
import json
import stat
import subprocess
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, delete, event, text, update

from tests.adapters.directory_contract import (
    ANNA,
    BERT,
    FIRST_ANNA,
    PIN,
    DirectoryContract,
    Story,
)
from tests.fakes import FakeDirectory
from tests.patience import AT_MOST
from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.database_schema import Database, state, users
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.directory_text import Unstorable
from vm_ari.domain.entries import IMAP_PASSWORD, Entry, Organisation
from vm_ari.domain.pin import PinCheck
from vm_ari.ports import (
    DirectoryUnavailable,
    MailTaken,
    NumberTaken,
    Resealed,
    UnknownUser,
)

ROOT = Path(__file__).parents[2]
EmbeddedStory = Callable[[EmbeddedDirectory], Awaitable[None]]


def sqlite(base: Path) -> str:
    return f"sqlite:///{base}/directory.db"


def on_database(base: Path, story: EmbeddedStory, *, url: str = "", **options: Any) -> None:
    """Run a story on the database below *base* (or at *url*), and close it."""

    async def run() -> None:
        keys = KeyRing(base / "keys")
        where = url or sqlite(base)
        directory = EmbeddedDirectory(where, keys, **options)
        try:
            await story(directory)
        finally:
            await directory.close()

    asyncio.run(run())


@pytest.mark.feature("DIR-05")
class TestEmbeddedDirectory(DirectoryContract):
    """The contract on SQLite: the same fields as on directory servers."""

    @pytest.fixture(autouse=True)
    def _base(self, tmp_path: Path) -> None:
        self.base, self.number = tmp_path, 0

    def on_directory(self, story: Story, **options: Any) -> None:
        self.number += 1
        on_database(self.base / str(self.number), story, **options)


class TestFakeDirectory(DirectoryContract):
    """The contract on the fake."""

    def on_directory(self, story: Story, **options: Any) -> None:
        async def run() -> None:
            await story(FakeDirectory(**options))

        asyncio.run(run())


class TestOnPostgres(DirectoryContract):
    """The contract on PostgreSQL."""

    @pytest.fixture(autouse=True)
    def _base(self, tmp_path: Path, postgres_url: str) -> None:
        self.base, self.url = tmp_path, postgres_url

    def on_directory(self, story: Story, **options: Any) -> None:
        database = Database(self.url, connections=1)
        with database.open().begin() as db:
            db.execute(delete(users))
        database.engine.dispose()
        on_database(self.base, story, url=self.url, **options)


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
        engine = directory._work._database.engine
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


# --- Entries and settings

CARL = Entry(
    id="carl",
    name="Carl Weiß",
    mailbox="103",
    numbers=("+4930555103", "+4930555133"),
    mail="Carl@example.org",
    given="Carl",
    surname="Weiß",
    organisation="sales",
    settings={"language": "de", "x_other": "a;b=c\\"},
)
DEFAULTS = {"language": "en", "time_zone": "America/New_York", "takes_messages": "no"}


def test_an_entry_is_kept_as_it_is(tmp_path: Path) -> None:
    async def story(directory: EmbeddedDirectory) -> None:
        await directory.add_entry(CARL, PIN)
        kept = await directory.entry_by_id("carl")
        assert kept
        assert replace(kept, sealed={}) == CARL
        assert await directory.all_entries() == [kept]
        assert await directory.entry_by_number("+4930555133") == kept
        assert await directory.entry_by_number("*") is None
        assert await directory.check_pin("carl", PIN) is PinCheck.RIGHT

    on_database(tmp_path, story)


def test_the_user_wins_over_organisation_and_site(tmp_path: Path) -> None:
    async def story(_directory: EmbeddedDirectory) -> None:
        directory = EmbeddedDirectory(
            sqlite(tmp_path), KeyRing(tmp_path / "keys"), defaults=DEFAULTS
        )
        sales = Organisation("sales", "Sales", {"language": "en", "time_zone": "Asia/Tokyo"})
        await directory.set_organisation(sales)
        await directory.add_entry(CARL)
        user = await directory.user_by_number("103")
        assert user
        assert (user.language, user.time_zone, user.takes_messages) == ("de", "Asia/Tokyo", False)
        assert user == await directory.user_by_id("carl")
        await directory.set_organisation(replace(sales, settings={}))
        assert await directory.organisations() == [replace(sales, settings={})]
        user = await directory.user_by_number("103")
        assert user
        assert user.time_zone == "America/New_York"
        await directory.close()

    on_database(tmp_path, story)


@pytest.mark.parametrize("server", ["sqlite", "postgres"])
def test_an_address_is_one_users(
    tmp_path: Path, server: str, request: pytest.FixtureRequest
) -> None:
    url = sqlite(tmp_path) if server == "sqlite" else request.getfixturevalue("postgres_url")

    async def story(directory: EmbeddedDirectory) -> None:
        for entry in await directory.all_entries():
            await directory.remove_user(entry.id)
        await directory.add_entry(CARL)
        with pytest.raises(MailTaken, match="carl"):
            await directory.add_entry(Entry("dora", "Dora", mail="cARL@EXAMPLE.org"))
        await directory.add_entry(Entry("dora", "Dora"))
        await directory.add_entry(Entry("emil", "Emil"))
        with pytest.raises(MailTaken, match="carl"):
            await directory.change_details("dora", {"name": "D", "mail": "carl@example.org"})
        assert await directory.entry_by_id("dora") == Entry("dora", "Dora")
        await directory.change_details("carl", {"mail": "", "surname": "Schwarz"})
        await directory.change_details("dora", {"mail": "carl@example.org"})

    on_database(tmp_path, story, url=url)


def test_numbers_change_hands_or_nothing_does(tmp_path: Path) -> None:
    async def story(directory: EmbeddedDirectory) -> None:
        await directory.add_entry(CARL)
        await directory.add_entry(Entry("dora", "Dora", "104", ("+4930555104",)))
        with pytest.raises(NumberTaken, match="103 belongs to user carl"):
            await directory.set_numbers("dora", ["+4930555199", "+4930555103"], "104")
        assert await directory.entry_by_number("+4930555199") is None
        await directory.set_numbers("carl", ["+4930555133"], "133")
        await directory.set_numbers("dora", ["+4930555103", "+4930555104"], "103")
        dora = await directory.entry_by_number("103")
        assert dora
        assert (dora.id, dora.numbers) == ("dora", ("+4930555103", "+4930555104"))
        with pytest.raises(UnknownUser):
            await directory.set_numbers("nobody", [], "")

    on_database(tmp_path, story)


def test_many_are_added_or_none(tmp_path: Path) -> None:
    async def story(directory: EmbeddedDirectory) -> None:
        await directory.add_entry(CARL)
        many = [Entry(f"u{n:04}", f"U {n}", numbers=(f"+49305556{n:04}",)) for n in range(1200)]
        bad = Entry("zora", "Zora", numbers=CARL.numbers[:1])
        with pytest.raises(NumberTaken) as refused:
            await directory.add_entries([*many, bad])
        assert refused.value.entry_id == "zora"
        assert [entry.id for entry in await directory.all_entries()] == ["carl"]
        written: list[int] = []
        await directory.add_entries(many, written.append)
        assert sum(written) == 1200
        assert len(await directory.all_entries()) == 1201

    on_database(tmp_path, story)


def test_settings_are_set_and_removed(tmp_path: Path) -> None:
    async def story(directory: EmbeddedDirectory) -> None:
        await directory.add_entry(CARL, PIN)
        await directory.change_settings("carl", {"language": None, "folder": "INBOX/Voice"})
        carl = await directory.entry_by_id("carl")
        assert carl
        assert carl.settings == {"x_other": CARL.settings["x_other"], "folder": "INBOX/Voice"}
        with pytest.raises(UnknownUser):
            await directory.change_settings("nobody", {"language": "de"})
        for bad in ({"pin": "1"}, {"pin_failures": "0"}, {"a b": "c"}, {"folder": "a\nb"}):
            with pytest.raises(Unstorable):
                await directory.change_settings("carl", bad)
        assert await directory.entry_by_id("carl") == carl

    on_database(tmp_path, story)


def test_a_new_key_seals_everything_anew(tmp_path: Path) -> None:
    async def story(directory: EmbeddedDirectory) -> None:
        keys = directory._keys
        password = keys.seal("s3cret", owner="carl", attribute=IMAP_PASSWORD)
        await directory.add_entry(replace(CARL, sealed={IMAP_PASSWORD: password}), PIN)
        await directory.add_user(ANNA, PIN)
        foreign = keys.seal(PIN, owner="carl", attribute="pin")
        await directory.add_entry(Entry("dora", "Dora", sealed={"pin": foreign}))
        await directory.add_user(BERT)
        assert await directory.reseal() == Resealed(0, 4)
        keys.rotate()
        done: list[int] = []
        assert await directory.reseal(done.append) == Resealed(3, 0, ("dora",))
        assert sum(done) == 4
        (tmp_path / "keys" / "0001.key").unlink()
        fresh = EmbeddedDirectory(sqlite(tmp_path), KeyRing(tmp_path / "keys"))
        assert await fresh.check_pin("carl", PIN) is PinCheck.RIGHT
        carl = await fresh.entry_by_id("carl")
        assert carl
        opened = fresh._keys.open(carl.sealed[IMAP_PASSWORD], owner="carl", attribute=IMAP_PASSWORD)
        assert opened == "s3cret"
        await fresh.close()

    on_database(tmp_path, story)


# --- Databases of the first version

FIRST_TABLES = (
    "CREATE TABLE users (id VARCHAR NOT NULL, name VARCHAR NOT NULL, mailbox VARCHAR NOT NULL, "
    "mail VARCHAR NOT NULL, settings JSON NOT NULL, pin VARCHAR, pin_failures INTEGER NOT NULL, "
    "PRIMARY KEY (id))",
    "CREATE TABLE numbers (number VARCHAR NOT NULL, user_id VARCHAR NOT NULL, position INTEGER, "
    "PRIMARY KEY (number), FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE)",
    "CREATE INDEX ix_numbers_user_id ON numbers (user_id)",
    "CREATE TABLE state (name VARCHAR NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (name))",
    "INSERT INTO state VALUES ('schema', 1), ('attempts_without_pin', 0)",
)


def make_first_version(engine: Engine, keys: KeyRing) -> None:
    """What the first version left of ANNA, and of BERT, who has her address."""
    settings = {
        "language": ANNA.language,
        "time_zone": ANNA.time_zone,
        "voice_mail_enabled": ANNA.voice_mail_enabled,
        "takes_messages": ANNA.takes_messages,
        "may_log_in": ANNA.may_log_in,
    }
    pin = keys.seal(PIN, owner="anna", attribute="pin")
    positions = [("101", None), *((n, p) for p, n in enumerate(ANNA.numbers))]
    user = text("INSERT INTO users VALUES (:id, :name, :mailbox, :mail, :settings, :pin, 4)")
    with engine.begin() as db:
        for statement in FIRST_TABLES:
            db.execute(text(statement))
        for one, sealed in ((ANNA, pin), (BERT, None)):
            values = {"id": one.id, "name": one.name, "mailbox": one.mailbox, "mail": ANNA.mail}
            own = settings if one is ANNA else {}
            db.execute(user, {**values, "settings": json.dumps(own), "pin": sealed})
        for number, position in positions:
            row = {"n": number, "p": position}
            db.execute(text("INSERT INTO numbers VALUES (:n, 'anna', :p)"), row)


@pytest.mark.parametrize("server", ["sqlite", "postgres"])
def test_a_database_of_the_first_version_keeps_working(
    tmp_path: Path, server: str, request: pytest.FixtureRequest
) -> None:
    url = sqlite(tmp_path) if server == "sqlite" else request.getfixturevalue("postgres_url")
    engine = create_engine(url)
    if server == "postgres":
        with engine.begin() as db:
            for table in ("numbers", "users", "state", "organisations"):
                db.execute(text(f"DROP TABLE IF EXISTS {table}"))
    make_first_version(engine, KeyRing(tmp_path / "keys"))
    engine.dispose()

    async def story(directory: EmbeddedDirectory) -> None:
        other = EmbeddedDirectory(url, KeyRing(tmp_path / "keys"))
        try:
            found = await asyncio.gather(directory.user_by_id("anna"), other.user_by_id("anna"))
        finally:
            await other.close()
        assert list(found) == [FIRST_ANNA, FIRST_ANNA]
        assert await directory.check_pin("anna", "0") is PinCheck.WRONG
        assert await directory.check_pin("anna", PIN) is PinCheck.LOCKED
        with pytest.raises(MailTaken, match="anna"):
            await directory.add_entry(replace(CARL, mail=ANNA.mail))
        await directory.change_details("bert", {"mail": BERT.mail})
        await directory.add_entry(CARL)
        await directory.change_settings("anna", {"language": "en"})
        user = await directory.user_by_number("101")
        assert user == replace(FIRST_ANNA, language="en")

    on_database(tmp_path, story, url=url)


# --- Several processes

CHANGER = """
import asyncio, sys
from pathlib import Path
from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.sealing import KeyRing

async def change(name):
    directory = EmbeddedDirectory(sys.argv[1], KeyRing(Path(sys.argv[2])), workers=8)
    await directory.all_users()
    print("ready", flush=True)
    sys.stdin.readline()
    changes = [{f"{name}{n}": str(n), "shared": f"{name}{n}"} for n in range(50)]
    await asyncio.gather(*(directory.change_settings("anna", new) for new in changes))
    await directory.close()

asyncio.run(change(sys.argv[3]))
"""


@pytest.mark.parametrize("server", ["sqlite", "postgres"])
@pytest.mark.feature_part("DIR-03", "no concurrent change is lost, in the embedded directory")
def test_two_processes_lose_no_change(
    tmp_path: Path, server: str, request: pytest.FixtureRequest
) -> None:
    url = sqlite(tmp_path) if server == "sqlite" else request.getfixturevalue("postgres_url")

    async def start(directory: EmbeddedDirectory) -> None:
        if await directory.user_by_id("anna"):
            await directory.remove_user("anna")
        await directory.add_user(replace(ANNA, mail="", mailbox="", numbers=()))

    async def look(directory: EmbeddedDirectory) -> None:
        anna = await directory.entry_by_id("anna")
        assert anna
        mine = {f"{name}{n}": str(n) for name in "ab" for n in range(50)}
        assert mine.items() <= anna.settings.items()
        assert anna.settings["shared"] in mine

    on_database(tmp_path, start, url=url)
    run_together(CHANGER, [[url, str(tmp_path / "keys"), name] for name in "ab"])
    on_database(tmp_path, look, url=url)


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
    outputs = run_together(GUESSER, [[url, str(keys), *own] for own in pins])
    return Counter(answer for output in outputs for answer in output.split())


def run_together(script: str, arguments: list[list[str]]) -> list[str]:
    """One process for each list; all go on at once when all are ready. What they print then."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    running = [
        subprocess.Popen([sys.executable, "-c", script, *own], **pipes)  # type: ignore[call-overload]
        for own in arguments
    ]
    for process in running:
        assert process.stdout.readline() == "ready\n"
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=AT_MOST)[0] for process in running]
    assert [process.returncode for process in running] == [0] * len(running)
    return outputs


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
