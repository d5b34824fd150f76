"""Whole small telephone systems for tests: one shared by all tests of a worker, and own ones.

A plugin (`tests/conftest.py` names it), so that the shared world is one for all test modules.
"""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from vm_ari.adapters.asterisk.install import AsteriskInstall
from vm_ari.demo.world import Person, World

NewWorld = Callable[..., World]

_EXTENSIONS = itertools.count(200)
CALLS_ALLOWED = """
[notice_call]
enabled = true
hours = "always"
interval_minutes = 1
[spoken_messages]
enabled = true
hours = "always"
after_busy = [0.02]
"""
"""Users are called about new messages who have set that: by itself nobody has."""
MEASURED = """
[metrics]
enabled = true
port = 0
"""
"""On any port, which the controller's log tells."""


@pytest.fixture(scope="session")
def new_world(
    asterisk_install: AsteriskInstall, tmp_path_factory: pytest.TempPathFactory
) -> NewWorld:
    """Make a world, not yet started; the keywords are those of `World`."""

    def new(**how: Any) -> World:
        return World(asterisk_install, tmp_path_factory.mktemp("world"), **how)

    return new


@pytest.fixture(scope="session")
def login_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the shared world writes failed logins (LOGIN-09)."""
    return tmp_path_factory.mktemp("logs") / "logins.log"


@pytest.fixture(scope="session")
def world(new_world: NewWorld, login_log: Path) -> Iterator[World]:
    """The world that tests of one worker share, each with people of its own.

    It belongs to no event loop: every test runs its own.
    """
    shared = new_world(settings=f'{CALLS_ALLOWED}\n[logins]\nlog = "{login_log}"\n{MEASURED}')
    asyncio.run(shared.__aenter__())
    yield shared
    asyncio.run(_end(shared))


async def _end(world: World) -> None:
    """Asterisk would wait some 15 s for channels that a test has left; nobody else does."""
    await world.stop_controller()
    await world.asterisk.kill()
    await world.__aexit__(None, None, None)


async def somebody(world: World, language: str = "de", **settings: Any) -> Person:
    """A new user of that world; *settings* are fields of `User`."""
    extension = str(next(_EXTENSIONS))
    person = Person(f"User{extension}", extension, language, settings=settings)
    await world.add(person)
    return person
