"""Calls to people who are known to a directory server only."""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.adapters.ldap_people import PEOPLE, person, unit
from tests.patience import AT_MOST, STORY
from tests.secret_watch import MOMENT
from tests.slapd import PASSWORD, SERVICE, Slapd, slapd
from tests.system.callers import BEEP, Caller, assert_kept, babble, calling
from tests.system.mails import arrived, mails
from tests.system.test_remote_inquiry import logged_in
from tests.system.worlds import NewWorld
from vm_ari.adapters.ldap.directory import LdapDirectory
from vm_ari.adapters.sealing import KeyRing
from vm_ari.config import load
from vm_ari.demo.world import Person, World
from vm_ari.wiring.directories import open_register

LENA = Person("Lena", "150", "de")
"""Her number stands in the directory as people write it."""
OTTO = Person("Otto", "151", "de")
"""The directory knows his number in our own attribute."""
STRANGER = Person("Nobody", "159", "de")
ENTRIES = (
    unit("people")
    + person("lena", telephoneNumber="+49 30 5550-150", vmAriSetting="language=de", l="BERLIN")
    + person("otto", vmAriNumber=OTTO.number, telephoneNumber="+49 171 1234567", l="Ulm")
)
CONFIGURATION = """
[directory]
kind = "ldap"
[directory.ldap]
servers = ["{url}"]
plaintext = true
bases = ["{base}"]
account = "{account}"
password_file = "{password}"
cache = "{cache}"
[organisations.sales]
settings = {{ language = "de" }}
[defaults]
language = "de"
[menus]
hidden = ["transfer"]
[notifications]
location_attribute = "l"
[notice_call]
enabled = true
hours = "always"
[welcome]
login_number = "500"
[dialling]
endpoint = "Local/{{number}}@leads-nowhere/n"
[dialling.locations]
berlin = "PJSIP/{{number}}"
ulm = "Local/{{number}}@vm-ari-out/n"
"""


@pytest.fixture(scope="module")
def server() -> Iterator[Slapd]:
    with slapd(ENTRIES) as running:
        yield running


@pytest.fixture(scope="module")
def world(
    new_world: NewWorld, server: Slapd, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Its controller looks for people on the server, and nowhere else."""
    base = tmp_path_factory.mktemp("ldap")
    (base / "password").write_text(f"{PASSWORD}\n")
    (base / "password").chmod(0o600)
    shared = new_world(settings=configuration(server, base))
    asyncio.run(shared.__aenter__())
    on_register(shared, lambda register: register.set_pin("lena", LENA.pin))
    yield shared
    asyncio.run(shared.__aexit__(None, None, None))


def configuration(server: Slapd, base: Path) -> str:
    return CONFIGURATION.format(
        url=server.url,
        base=PEOPLE,
        account=SERVICE,
        password=base / "password",
        cache=base / "cache.db",
    )


def on_register(world: World, story: Callable[[LdapDirectory], Awaitable[object]]) -> None:
    """What an admin does, with the controller's own configuration."""

    async def run() -> None:
        config = load(world.config)
        register = open_register(config, KeyRing(config.directory.keys))
        assert isinstance(register, LdapDirectory)
        try:
            await story(register)
        finally:
            await register.close()

    asyncio.run(run())


async def leave_message(world: World, owner: Person, seed: int) -> None:
    """A caller hears the greeting, speaks and hangs up; it arrives."""
    said, already = babble(2.5, seed), len(mails(world, owner))
    async with (
        world.outside_phone() as phone,
        calling(phone, owner.number, owner.language) as caller,
    ):
        await caller.presses("0")
        await caller.hears(BEEP)
        await caller.speaks(said)
    there = await arrived(world, owner, already + 1)
    assert_kept(said, there[-1].audio)


async def until_logged(world: World, text: str) -> None:
    async with asyncio.timeout(AT_MOST):
        while text not in world.controller_log.read_text(errors="replace"):
            await asyncio.sleep(0.05)


def main_menu(caller: Caller) -> Awaitable[None]:
    return caller.hears("you-have")


@pytest.mark.parametrize("owner", [LENA, OTTO], ids=["lena", "otto"])
def test_a_call_reaches_the_mailbox_of_the_number_that_was_dialled(
    world: World, owner: Person
) -> None:
    asyncio.run(leave_message(world, owner, seed=int(owner.extension)))


def test_a_number_of_nobody_has_no_mailbox(world: World) -> None:
    async def story() -> None:
        async with (
            world.outside_phone() as phone,
            calling(phone, STRANGER.number, "de") as caller,
        ):
            await caller.hears("unknown-mailbox")

    asyncio.run(story())


def test_the_owner_logs_in_with_the_pin_sealed_in_the_directory(
    world: World, server: Slapd
) -> None:
    async def story() -> None:
        async with logged_in(world, LENA) as caller:
            await main_menu(caller)

    values = server.read(f"uid=lena,{PEOPLE}", "vmAriSetting")
    assert [value for value in values if value.startswith("pin=v1.")]
    assert LENA.pin not in " ".join(values)
    asyncio.run(story())
    assert LENA.pin not in MOMENT.sub("", world.controller_log.read_text())


@contextmanager
def wishing(world: World, wishes: Mapping[str, Mapping[str, str]]) -> Iterator[None]:
    """Users have these settings, for a while."""

    def change(given: Callable[[str], str | None]) -> None:
        async def each(register: LdapDirectory) -> None:
            for name, texts in wishes.items():
                changes = {key: given(text) for key, text in texts.items()}
                await register.change_settings(name, changes)

        on_register(world, each)

    change(lambda text: text)
    try:
        yield
    finally:
        change(lambda _text: None)


@pytest.mark.feature("XFER-04")
def test_a_site_that_hides_call_transfer_neither_offers_nor_takes_it(world: World) -> None:
    async def story() -> None:
        async with logged_in(world, LENA, then="7") as caller:
            await caller.hears("key-not-used")
            await caller.hears("for-greetings", "to-end")
            assert "for-transfer" not in caller.told()

    with wishing(world, {"lena": {"access": "profiles"}}):  # whose menu is short
        asyncio.run(story())


CALLED = {
    "lena": {"notify_voice": "call", "notice_phone": "101", "notice_caller": "common"},
    "otto": {"notify_voice": "call", "notice_phone": "102", "notice_caller": "+49305550199"},
}
"""At somebody else's telephone each, which shows the number that was chosen."""


@pytest.mark.feature("NOTIFY-05", "NOTIFY-07")
def test_calls_go_through_the_users_location_and_show_the_number_that_was_chosen(
    world: World,
) -> None:
    """The usual way leads nowhere here: a telephone that rings was called by its location's."""

    async def story() -> None:
        async with world.phone_of(world.anna) as anna, world.phone_of(world.ben) as ben:
            await asyncio.gather(anna.register(), ben.register())
            recording = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "vm_ari", "greeting", "record", "lena", "work"),
                *("--phone", "101", "-c", str(world.config)),
                stderr=asyncio.subprocess.PIPE,
            )
            (await anna.next_call(within=AT_MOST)).reject(486)
            _, said = await recording.communicate()
            assert b"busy" in said
            await asyncio.gather(leave_message(world, LENA, 3), leave_message(world, OTTO, 4))
            for phone, shown in ((anna, "500"), (ben, "199")):
                rings = await phone.next_call(within=AT_MOST)
                assert f"<sip:{shown}@" in rings.request.get("from")
                rings.reject(486)

    with wishing(world, CALLED):
        asyncio.run(asyncio.wait_for(story(), STORY))


@pytest.mark.feature_part("DIR-08", "a controller that starts while no directory server answers")
def test_a_controller_that_starts_without_any_server_serves_calls_and_later_logins(
    world: World, server: Slapd
) -> None:
    async def story() -> None:
        await until_logged(world, "everybody is remembered")
        await world.stop_controller()
        server.stop()
        try:
            await world.start_controller()
            await leave_message(world, Person("Otto", "151", "de"), seed=77)
        finally:
            server.start()
        await until_logged(world, "directory server works again")
        async with logged_in(world, LENA) as caller:
            await main_menu(caller)

    asyncio.run(story())
