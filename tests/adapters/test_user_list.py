"""The list of users: by SQL on SQLite and PostgreSQL, and in memory, all alike (DIR-07)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.user_list import DatabaseUserList, RememberedUserList
from vm_ari.domain.entries import Entry
from vm_ari.domain.user_queries import UserQuery, words_of
from vm_ari.ports import DirectoryUnavailable, UserList

HOUSE = frozenset({""})
BOTH = frozenset({"", "north"})
PEOPLE = (
    Entry("anna", "Anna Acker", "101", ("+49814247910",), "anna@example.org"),
    Entry("bert", "Bert Bauer", "102", ("+49814247912",), "Bert@Example.org", organisation="north"),
    Entry("emp_100", "100% Ümit Özil", "300", given="Ümit", surname="ÖZIL"),
    Entry("cora", "Cora Curie", "103", organisation="south"),
)
Lists = Callable[[EmbeddedDirectory, str], DatabaseUserList | RememberedUserList]
LISTS: dict[str, Lists] = {
    "sql": lambda _directory, url: DatabaseUserList(url),
    "memory": lambda directory, _url: RememberedUserList(directory),
}


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/directory.db"
    return str(request.getfixturevalue("postgres_url"))


@asynccontextmanager
async def furnished(kind: str, url: str, home: Path) -> AsyncIterator[UserList]:
    directory = EmbeddedDirectory(url, KeyRing(home / "keys"))
    for entry in await directory.all_entries():
        await directory.remove_user(entry.id)
    await directory.add_entries(PEOPLE)
    listed = LISTS[kind](directory, url)
    try:
        yield listed
    finally:
        await listed.close()
        await directory.close()


def told(kind: str, url: str, home: Path, story: Callable[[UserList], Awaitable[None]]) -> None:
    async def run() -> None:
        async with furnished(kind, url, home) as listed:
            await story(listed)

    asyncio.run(run())


@pytest.mark.parametrize("kind", LISTS)
def test_pages_hold_whom_one_may_see_and_what_is_looked_for(
    kind: str, url: str, tmp_path: Path
) -> None:
    async def story(listed: UserList) -> None:
        async def found(typed: str = "", after: str = "", most: int = 9) -> list[str]:
            query = UserQuery(BOTH, words_of(typed), after, most)
            return [one.id for one in await listed.page(query)]

        assert await found() == ["anna", "bert", "emp_100"]
        assert await found(most=2) == ["anna", "bert"]
        assert await found(after="bert") == ["emp_100"]
        for typed in ("ACKER", "anna@EXAMPLE", "08142/47-910", "+49 8142 47910", "47910", "101"):
            assert await found(typed) == ["anna"], typed
        for typed in ("ümit", "Özil", "özil ümit", "100%", "p_1", "300", "ozil x", "100"):
            wanted = [] if typed == "ozil x" else ["emp_100"]
            assert await found(typed) == wanted, typed
        assert await found("cora") == []
        assert await found("acker bauer") == []
        only = UserQuery(HOUSE)
        assert [one.id for one in await listed.page(only)] == ["anna", "emp_100"]
        assert not await listed.page(UserQuery(frozenset()))
        assert dict(await listed.counts()) == {"": 2, "north": 1, "south": 1}
        assert list(await listed.with_more_numbers(0)) == [("anna", "", 1), ("bert", "north", 1)]
        assert not await listed.with_more_numbers(1)

    told(kind, url, tmp_path, story)


def test_what_is_remembered_is_asked_again_after_a_change(tmp_path: Path) -> None:
    async def story() -> None:
        url = f"sqlite:///{tmp_path}/directory.db"
        directory, now = EmbeddedDirectory(url, KeyRing(tmp_path / "keys")), [0.0]
        listed = RememberedUserList(directory, now=lambda: now[0])
        await directory.add_entries(PEOPLE[:1])
        assert len(await listed.page(UserQuery(BOTH))) == 1
        await directory.add_entries(PEOPLE[1:2])
        assert len(await listed.page(UserQuery(BOTH))) == 1
        listed.changed()
        assert len(await listed.page(UserQuery(BOTH))) == 2
        await directory.remove_user("anna")
        now[0] += 60
        assert len(await listed.page(UserQuery(BOTH))) == 1
        await directory.close()

    asyncio.run(story())


def test_a_database_that_is_away_is_said(tmp_path: Path) -> None:
    async def story() -> None:
        (tmp_path / "file").touch()
        listed = DatabaseUserList(f"sqlite:///{tmp_path}/file/directory.db")
        with pytest.raises(DirectoryUnavailable):
            await listed.page(UserQuery(HOUSE))
        await listed.close()

    asyncio.run(story())
