"""Directory servers hang and die while people call (DIR-01, DIR-08); real ones, and real calls."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from tests.adapters.ldap_people import PEOPLE, person, unit
from tests.patience import AT_MOST
from tests.slapd import PASSWORD, SERVICE, Slapd, slapd
from tests.system.callers import BEEP, Caller, assert_kept, babble, calling
from tests.system.mails import arrived, mails
from tests.system.worlds import NewWorld
from vm_ari.adapters.sealing import KeyRing
from vm_ari.config import load
from vm_ari.demo.world import Person, World
from vm_ari.ports import DirectoryUnavailable
from vm_ari.wiring.directories import open_register

LENA = Person("Lena", "150", "de")
HEARD_WITHIN = 2.0
"""Seconds, from dialling to the first sound of the greeting."""
ENTRIES = unit("people") + person(
    "lena", vmAriNumber=LENA.number, vmAriMailbox="150", vmAriSetting="language=de"
)
HOSTILE = ("*", ")(uid=*", "\0", "101)(|(uid=*", "1" * 2000, "101\r\nX: y", "\\2a", "٣٤٥", "")

Pair = tuple[Slapd, Slapd]


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with slapd(ENTRIES) as first, slapd(ENTRIES) as second:
        yield first, second


@pytest.fixture(scope="module")
def world(
    new_world: NewWorld, pair: Pair, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Its controller has two directory servers."""
    base = tmp_path_factory.mktemp("ldap")
    (base / "password").write_text(PASSWORD)
    (base / "password").chmod(0o600)
    settings = f"""
[directory]
kind = "ldap"
[directory.ldap]
servers = ["{pair[0].url}", "{pair[1].url}"]
plaintext = true
bases = ["{PEOPLE}"]
account = "{SERVICE}"
password_file = "{base / "password"}"
cache = "{base / "cache.db"}"
"""
    shared = new_world(settings=settings)
    asyncio.run(shared.__aenter__())
    yield shared
    asyncio.run(shared.__aexit__(None, None, None))


async def greeted(world: World) -> float:
    """A caller leaves a message for Lena; seconds until she was greeted."""
    said, already = babble(2.5, seed=len(mails(world, LENA)) + 5), len(mails(world, LENA))
    began = time.monotonic()
    async with (
        world.outside_phone() as phone,
        calling(phone, LENA.number, within=AT_MOST) as caller,
    ):
        await first_sound(caller)
        waited = time.monotonic() - began
        await caller.hears("you-have-reached")
        await caller.presses("0")
        await caller.hears(BEEP)
        await caller.speaks(said)
    there = await arrived(world, LENA, already + 1)
    assert_kept(said, there[-1].audio)
    return waited


async def first_sound(caller: Caller) -> None:
    """Wait until there is something to be heard."""
    async with asyncio.timeout(AT_MOST):
        while not (abs(caller.call.heard) > 0.02).any():
            await asyncio.sleep(0.02)


@pytest.mark.feature("DIR-08")
@pytest.mark.feature_part("DIR-01", "calls go on with the next server")
def test_callers_are_served_while_servers_hang_and_die(world: World, pair: Pair) -> None:
    first, second = pair

    async def story() -> None:
        waits = [await greeted(world)]
        first.freeze()
        try:
            waits.append(await greeted(world))
            waits.append(await greeted(world))
            second.stop()
            try:
                waits.append(await greeted(world))
                waits.append(await greeted(world))
                await a_change_is_refused(world)
            finally:
                second.start()
        finally:
            first.thaw()
        waits.append(await greeted(world))
        print("seconds to the first sound:", [round(wait, 2) for wait in waits])
        assert max(waits) < HEARD_WITHIN

    asyncio.run(story())


async def a_change_is_refused(world: World) -> None:
    """Nobody is told that it was done."""
    config = load(world.config)
    register = open_register(config, KeyRing(config.directory.keys))
    try:
        with pytest.raises(DirectoryUnavailable):
            await register.change_settings("lena", {"language": "en"})
    finally:
        await register.close()


@pytest.mark.feature_part("DIR-02", "hostile numbers find nobody and hurt nobody")
def test_hostile_numbers_find_nobody_and_hurt_nobody(world: World) -> None:
    async def story() -> None:
        config = load(world.config)
        register = open_register(config, KeyRing(config.directory.keys))
        try:
            for number in HOSTILE:
                assert await register.entry_by_number(number) is None
        finally:
            await register.close()

    asyncio.run(story())
