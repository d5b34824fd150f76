"""An admin gives a PIN for one login, and its owner chooses another one by telephone."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from tests.patience import AT_MOST
from tests.system.callers import Caller
from tests.system.test_remote_inquiry import logged_in
from tests.system.worlds import somebody
from vm_ari.demo.world import Person, World


def command(world: World, *words: str) -> list[dict[str, str]]:
    """What an admin types; the answer's rows."""
    done = subprocess.run(
        [sys.executable, "-m", "vm_ari", *words, "-c", str(world.config), "-o", "json"],
        capture_output=True,
        check=True,
        text=True,
        timeout=AT_MOST,
    )
    rows: list[dict[str, str]] = json.loads(done.stdout)
    return rows


def with_one_time_pin(world: World, person: Person) -> Person:
    """It was given by an admin."""
    [row] = command(world, "users", "reset-pin", person.user.id)
    return replace(person, pin=row["pin"])


@asynccontextmanager
async def must_change(world: World, person: Person) -> AsyncIterator[Caller]:
    """Logged in, and asked for another PIN."""
    async with logged_in(world, person) as caller:
        await caller.hears("pin-must-change", "enter-new-pin")
        yield caller


@pytest.mark.feature("LOGIN-02", "LOGIN-05")
@pytest.mark.feature_part("LOGIN-04", "a change is enforced at the login")
def test_a_pin_for_one_login_must_be_changed(world: World) -> None:
    async def story() -> None:
        person = await asyncio.to_thread(with_one_time_pin, world, await somebody(world))
        async with must_change(world, person) as caller:  # nothing else is to be had without it
            await caller.hangs_up()
        async with must_change(world, person) as caller:
            await caller.presses("123456#", ms=60)
            await caller.hears("pin-sequence", "enter-new-pin")
            await caller.presses(f"{person.pin}#", ms=60)
            await caller.hears("pin-used-before", "enter-new-pin")
            await caller.presses("571938#", ms=60)
            await caller.hears("repeat-new-pin")
            await caller.presses("571938#", ms=60)
            await caller.hears("pin-changed", "you-have")
        async with logged_in(world, person) as caller:
            await caller.hears("login-failed")
        async with logged_in(world, replace(person, pin="571938")) as caller:
            await caller.hears("you-have")
            await caller.presses("83", ms=60)
            await caller.hears("enter-new-pin")
            await caller.presses("806153#806153#", ms=60)
            await caller.hears("pin-changed")
        async with logged_in(world, replace(person, pin="806153")) as caller:
            await caller.hears("you-have")

    asyncio.run(story())
