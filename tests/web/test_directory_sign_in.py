"""Signing in with the account of the directory servers: a bind as the user (WEB-03)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.adapters.ldap_people import SITE, person, settings_of, unit
from tests.slapd import PASSWORD as SERVICE_PASSWORD
from tests.slapd import Slapd, slapd
from vm_ari.adapters.ldap.directory import LdapDirectory
from vm_ari.adapters.ldap.portal_passwords import LdapPasswords
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.entries import Entry
from vm_ari.ports import DirectoryUnavailable

ANNAS = "annas own password ä"


@pytest.fixture(scope="module")
def server() -> Iterator[Slapd]:
    people = unit("people") + person("anna", userPassword=ANNAS) + person("bert")
    with slapd(people) as one:
        yield one


@asynccontextmanager
async def opened(server: Slapd, home: Path) -> AsyncIterator[tuple[LdapDirectory, LdapPasswords]]:
    directory = LdapDirectory(settings_of(server), KeyRing(home / "keys"), site=SITE)
    try:
        yield directory, LdapPasswords(directory)
    finally:
        await directory.close()


def test_only_the_own_password_of_somebody_who_has_one_fits(server: Slapd, tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(server, tmp_path) as (directory, passwords):
            assert await passwords.accepts("anna", ANNAS)
            wrong = [
                ("anna", "wrong"),
                ("anna", ""),  # many servers take that for an anonymous bind, and say yes
                ("bert", ANNAS),
                ("bert", ""),
                ("nobody", ANNAS),
                ("", ANNAS),
                ("anna", SERVICE_PASSWORD),
                ("*", ANNAS),
                ("anna", "\0"),
            ]
            assert [await passwords.accepts(*pair) for pair in wrong] == [False] * len(wrong)
            found = await directory.entry_by_id("anna")
            assert isinstance(found, Entry)  # our own connection is still ours

    asyncio.run(story())


def test_wrong_passwords_never_make_the_server_count_as_broken(
    server: Slapd, tmp_path: Path
) -> None:
    async def story() -> None:
        async with opened(server, tmp_path) as (directory, passwords):
            for _ in range(5):
                assert not await passwords.accepts("anna", "wrong")
            assert not any(pool.breaker.broken for pool in directory.servers.pools)

    asyncio.run(story())


def test_a_mail_address_names_one_user(server: Slapd, tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(server, tmp_path) as (directory, _):
            found = await directory.entry_by_mail("Anna@example.org")
            assert found
            assert found.id == "anna"
            assert await directory.entry_by_mail("nobody@example.org") is None
            assert await directory.entry_by_mail("*@example.org") is None

    asyncio.run(story())


def test_a_server_that_is_away_is_no_wrong_password(tmp_path: Path) -> None:
    async def story(server: Slapd) -> None:
        async with opened(server, tmp_path) as (_, passwords):
            with pytest.raises(DirectoryUnavailable):
                await passwords.accepts("anna", ANNAS)

    with slapd(unit("people")) as server:
        server.stop()
        asyncio.run(story(server))
