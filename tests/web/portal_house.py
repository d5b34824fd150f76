"""A small house with a portal: users of two organisations, an administrator, an operator."""

import asyncio
import re
import shutil
from atexit import register
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeVar

import httpx
from argon2 import PasswordHasher
from starlette.types import ASGIApp

from vm_ari.adapters.database import EmbeddedDirectory
from vm_ari.adapters.portal_database import PortalDatabase
from vm_ari.adapters.sealing import KeyRing
from vm_ari.config import Config
from vm_ari.domain.entries import Entry
from vm_ari.web import cookies
from vm_ari.web.portal import application
from vm_ari.wiring.directories import Directories, open_greetings
from vm_ari.wiring.mail import Post, open_post
from vm_ari.wiring.store import open_store
from vm_ari.wiring.surroundings import Surroundings
from vm_ari.wiring.web import Portal, the_portal

T = TypeVar("T")

HOST = "https://localhost"
PASSWORD = "a-password-of-7-words"
ANNA, BERT, CORA = "anna", "bert", "cora"
"""Users; Bert is of organisation north, Cora of south, whose agreement is not recorded."""
ADAM, OLGA = "adam", "olga"
"""The administrator of north; the operator."""
PEOPLE = (
    Entry(ANNA, "Anna Acker", "101", ("+49814247910",), "anna@example.org"),
    Entry(BERT, "Bert Bauer", "102", ("+49814247912",), "bert@example.org", organisation="north"),
    Entry(CORA, "Cora Curie", "103", ("+49814247913",), "cora@example.org", organisation="south"),
    Entry(ADAM, "Adam Adler", "104", ("+49814247914",), "adam@example.org", organisation="north"),
    Entry(OLGA, "Olga Ott", "105", ("+49814247915",), "olga@example.org"),
)
WITH_PASSWORD = (ANNA, BERT, ADAM, OLGA)
_TOKEN = re.compile(r'name="csrf" value="([0-9a-f]+)"')


@dataclass
class HouseClock:
    """The time, which tests can let pass."""

    at: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def now(self) -> datetime:
        """See `Clock`."""
        return self.at

    def passes(self, **time: float) -> None:
        """Such as ``minutes=16``."""
        self.at += timedelta(**time)


@dataclass(frozen=True)
class House:
    """The portal and what is behind it."""

    portal: Portal
    app: ASGIApp
    directory: EmbeddedDirectory
    clock: HouseClock
    post: Post

    async def sets_password(self, user_id: str, password: str = PASSWORD) -> None:
        """As an admin does."""
        assert self.portal.parts.passwords
        await self.portal.parts.passwords.set_password(user_id, password)

    def browser(self, **headers: str) -> "Browser":
        """A browser that has never been here."""
        return Browser(self.app, headers)


class Browser:
    """A browser without JavaScript."""

    def __init__(
        self, app: ASGIApp, headers: Mapping[str, str], address: str = "192.0.2.1"
    ) -> None:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 4711))
        self.http = httpx.AsyncClient(transport=transport, base_url=HOST, headers=headers)

    async def sees(self, path: str, **headers: str) -> httpx.Response:
        """GET, without following."""
        return await self.http.get(path, headers=headers)

    async def sends(self, path: str, page: str = "", **fields: str) -> httpx.Response:
        """Fill in and send the form of a *page* (the same path, where nothing is said)."""
        shown = await self.http.get(page or path)
        return await self.http.post(path, data={"csrf": token_in(shown.text), **fields})

    def has_session(self, token: str) -> None:
        """Somebody put it there."""
        domain = "localhost.local"  # what the cookie jar makes of localhost
        self.http.cookies.set(cookies.SESSION, token, domain=domain, path="/")

    async def signs_in(self, name: str, password: str = PASSWORD) -> httpx.Response:
        """By the form."""
        return await self.sends("/sign-in", name=name, password=password)


def token_in(page: str) -> str:
    """Of the first form."""
    found = _TOKEN.search(page)
    assert found, page[:500]
    return found[1]


def config_of(home: Path, **tables: Any) -> Config:
    """The configuration of the house."""
    web = {"enabled": True, "operators": [OLGA], "port": 0, "directory": home / "web"}
    return Config(
        **{
            "asterisk": {"password": "unused"},
            "directory": {"url": f"sqlite:///{home}/directory.db", "keys": home / "keys"},
            "spool": {"directory": home / "spool" / "vm-ari"},
            "store": {"maildir": home / "mail"},
            "greetings": {"directory": home / "greetings"},
            "speech": {"cache": home / "speech"},
            "site": {"base_number": "+498142479", "area": "8142"},
            "organisations": {
                "north": {
                    "name": "North",
                    "administrators": [ADAM],
                    "data_processing_agreement": "2026-01-15",
                },
                "south": {"name": "South"},
            },
            **tables,
            "web": {**web, **tables.get("web", {})},
        }
    )


@cache
def _furnished() -> Path:
    """A home with everybody in it, to be copied; these passwords are cheap to judge."""
    home = Path(mkdtemp(prefix="vm-ari-portal-"))
    register(shutil.rmtree, home, ignore_errors=True)

    async def furnish() -> None:
        async with _opened(home) as house:
            await house.directory.add_entries(PEOPLE)
        cheap = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
        database = PortalDatabase(config_of(home).directory.url)
        for user_id in WITH_PASSWORD:
            await database.set_password_hash(user_id, cheap)
        await database.close()

    asyncio.run(furnish())
    return home


@asynccontextmanager
async def portal_house(home: Path, **tables: Any) -> AsyncIterator[House]:
    """Everything but a port."""
    shutil.copytree(await asyncio.to_thread(_furnished), home, dirs_exist_ok=True)
    async with _opened(home, **tables) as house:
        yield house


@asynccontextmanager
async def _opened(home: Path, **tables: Any) -> AsyncIterator[House]:
    config, clock = config_of(home, **tables), HouseClock()
    keys = KeyRing(config.directory.keys)
    directory = EmbeddedDirectory(
        config.directory.url,
        keys,
        defaults=config.user_defaults(),
        organisations=config.known_organisations(),
    )

    async def fresh() -> None:
        """The embedded directory needs no looking after."""

    directories = Directories(directory, directory, fresh, directory.close)
    post = open_post(config, keys, clock, directory, directory)
    (home / "listening").mkdir(exist_ok=True)
    store = open_store(config, keys, directory, home / "listening")
    greetings = open_greetings(config)
    shared = Surroundings(
        keys,
        clock,
        directories,
        mailboxes=store.mailboxes,
        greetings=greetings,
        notices=post.mails,
    )
    portal = the_portal(config, shared)
    try:
        yield House(portal, application(portal.parts), directory, clock, post)
    finally:
        await portal.close()
        await greetings.close()
        await store.close()
        await post.close()
        await directory.close()


def in_house(home: Path, story: Callable[[House], Awaitable[T]], **tables: Any) -> T:
    """Run a story in the house."""

    async def run() -> T:
        async with portal_house(home, **tables) as house:
            return await story(house)

    return asyncio.run(run())
