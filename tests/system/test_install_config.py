"""`vm-ari asterisk install-config` on Asterisks that somebody else has set up (OPS-01)."""

import asyncio
from collections.abc import Iterator, Mapping

import pytest

from tests.patience import STORY
from tests.system.asterisk_houses import FREEPBX, PLAIN, InstalledWorld
from tests.system.callers import BEEP, babble, calling, digits
from tests.system.mails import arrived
from vm_ari.adapters.asterisk.install import AsteriskInstall

# pyst2 calls setDaemon() and isSet()
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:asterisk.manager")

CODES = {"plain": ("*96", "*94"), "freepbx": ("*95", "*96")}
"""The plain one has *95 already; *97 and *98 are FreePBX's own."""


@pytest.fixture(scope="module", params=[PLAIN, FREEPBX], ids=["plain", "freepbx"])
def world(
    request: pytest.FixtureRequest,
    asterisk_install: AsteriskInstall,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[InstalledWorld]:
    """A house into which we have come."""
    files: Mapping[str, str] = request.param
    world = InstalledWorld(asterisk_install, tmp_path_factory.mktemp("w"), files)
    asyncio.run(world.__aenter__())
    yield world
    asyncio.run(_end(world))


async def _end(world: InstalledWorld) -> None:
    await world.stop_controller()
    await world.house.kill()
    await world.__aexit__(None, None, None)


def kind(world: InstalledWorld) -> str:
    return "freepbx" if world.house.files is FREEPBX else "plain"


def test_a_caller_leaves_a_message_and_its_owner_is_asked_for_the_pin(
    world: InstalledWorld,
) -> None:
    number = {"plain": "101", "freepbx": "030555101"}[kind(world)]
    own, other = CODES[kind(world)]

    async def asks(code: str, for_what: str) -> None:
        async with calling(desk, code, "de", number="101") as owner:
            await owner.hears(for_what)

    async def scenario() -> None:
        async with world.outside_phone() as phone, calling(phone, number, "de") as caller:
            await caller.hears("you-have-reached", *digits("101"))
            await caller.presses("0")
            await caller.hears(BEEP)
            await caller.speaks(babble(2.2, 7))
        [mail] = await arrived(world, world.anna)
        assert mail["X-VM-ARI-Mailbox"] == "101"
        async with desk:
            await desk.register()
            await asyncio.gather(asks(own, "enter-pin"), asks(other, "enter-mailbox"))

    desk = world.phone_of(world.anna)
    asyncio.run(asyncio.wait_for(scenario(), STORY))


def test_what_others_wrote_is_still_there(world: InstalledWorld) -> None:
    after = world.house.snapshot()
    for name, (content, mode) in world.before.items():
        assert after[name][0].startswith(content)
        assert after[name][1] == mode
    changed = [name for name, what in world.before.items() if after[name] != what]
    allowed = "_custom.conf" if kind(world) == "freepbx" else ".conf"
    assert changed
    assert all(name.endswith(allowed) for name in changed)
    secrets = [name for name in after if name in ("vm_ari/ari.conf", "vm_ari/manager.conf")]
    assert [oct(after[name][1] & 0o777) for name in secrets] == ["0o640", "0o640"]


def test_asterisk_read_it_without_a_complaint(world: InstalledWorld) -> None:
    complaints = [line for line in world.house.log.read_text().splitlines() if "vm_ari" in line]
    assert complaints == []
    for context in ("vm-ari-leave", "vm-ari-login", "vm-ari-common"):
        assert context in asyncio.run(world.house.command(f"dialplan show {context}"))


def test_check_is_content_and_a_second_run_changes_nothing(world: InstalledWorld) -> None:
    found = world.command("check")
    assert found.exit_code == 0, found.output
    before = world.house.snapshot()
    again = world.command("install-config", "--no-reload")
    assert again.exit_code == 0, again.output
    assert "make " not in again.output
    assert "change " not in again.output
    assert world.house.snapshot() == before


@pytest.mark.feature("OPS-01")
def test_undo_gives_back_every_byte(world: InstalledWorld) -> None:
    shown = world.command("install-config", "--undo", "--diff")
    assert "-#include vm_ari/extensions.conf" in shown.output
    done = world.command("install-config", "--undo", "--asterisk", world.house.console)
    assert done.exit_code == 0, done.output
    assert world.house.snapshot() == world.before
    assert not (world.directory / "conf.d/asterisk.toml").exists()
    gone = asyncio.run(world.house.command("dialplan show vm-ari-leave"))
    assert "0 extensions" in gone
