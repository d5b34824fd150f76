"""The contract of registers over each of them: SQLite, PostgreSQL, OpenLDAP."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete

from tests.adapters.ldap_people import OPENLDAP, UserDirectory, on_ldap, person, settings_of, unit
from tests.adapters.register_contract import RegisterContract, Story
from tests.slapd import ADMIN, SUFFIX, Slapd, slapd
from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.database_schema import Database, users
from vm_ari.adapters.ldap.names import units_above
from vm_ari.adapters.sealing import KeyRing


def on_database(url: str, keys: Path, story: Story, allowed_failures: int) -> None:
    """Run a story, and close."""

    async def run() -> None:
        directory = EmbeddedDirectory(url, KeyRing(keys), allowed_failures=allowed_failures)
        try:
            await story(directory)
        finally:
            await directory.close()

    asyncio.run(run())


class TestSqlite(RegisterContract):
    """The contract on a file."""

    @pytest.fixture(autouse=True)
    def _base(self, tmp_path: Path) -> None:
        self.base = tmp_path

    def on_register(self, story: Story, *, allowed_failures: int = 5) -> None:
        on_database(f"sqlite:///{self.base}/d.db", self.base / "keys", story, allowed_failures)


class TestPostgres(RegisterContract):
    """The contract on a server."""

    @pytest.fixture(autouse=True)
    def _base(self, tmp_path: Path, postgres_url: str) -> None:
        self.base, self.url = tmp_path, postgres_url

    def on_register(self, story: Story, *, allowed_failures: int = 5) -> None:
        database = Database(self.url, connections=1)
        with database.open().begin() as db:
            db.execute(delete(users))
        database.engine.dispose()
        on_database(self.url, self.base / "keys", story, allowed_failures)


@pytest.fixture(scope="module")
def server() -> Iterator[Slapd]:
    with slapd(unit("people")) as running:
        yield running


def added(record: str) -> str:
    """An LDIF record as a change."""
    return record.replace("\nobjectClass", "\nchangetype: add\nobjectClass", 1)


class TestOpenLdap(RegisterContract):
    """The contract in LDAP; each story has a unit of its own."""

    @pytest.fixture(autouse=True)
    def _base(self, tmp_path: Path, server: Slapd) -> None:
        self.base, self.server = tmp_path, server

    def on_register(self, story: Story, *, allowed_failures: int = 5) -> None:
        name = self.base.name.lower()
        self.server.modify(added(unit(name)))
        settings = settings_of(
            self.server, dn=ADMIN, bases=(f"ou={name},{SUFFIX}",), mapping=OPENLDAP
        )
        on_ldap(settings, self.base / "keys", story, allowed_failures=allowed_failures)


def test_an_entry_knows_the_units_above_it(server: Slapd, tmp_path: Path) -> None:
    within = f"ou=Berlin,ou=Größe\\2c Ost,{SUFFIX}"
    server.modify(added(unit("Größe\\2c Ost").replace("ou: Größe\\2c Ost", "ou: Größe, Ost")))
    server.modify(added(unit("Berlin", f"ou=Größe\\2c Ost,{SUFFIX}")))
    server.modify(added(person("ute", within, telephoneNumber="+498142479105")))

    async def story(directory: UserDirectory) -> None:
        entry = await directory.entry_by_id("ute")
        assert entry
        assert entry.units == ("Berlin", "Größe, Ost")

    on_ldap(settings_of(server, dn=ADMIN, bases=(within,)), tmp_path, story)


@pytest.mark.parametrize(
    ("name", "units"),
    [
        ("uid=a,OU=x,dc=y", ("x",)),
        ("uid=a,l=b+ou=c,dc=y", ("c",)),
        (r"uid=a\,ou=no,ou=R\+D,dc=y", ("R+D",)),
        ("ou=x", ()),
        ("", ()),
        ("\\", ()),
        ("uid=a,ou=\\", ()),
        ("uid=a,ou=\x1b[2J,dc=y", ("[2J",)),
    ],
)
def test_units_are_read_from_names(name: str, units: tuple[str, ...]) -> None:
    assert units_above(name) == units
