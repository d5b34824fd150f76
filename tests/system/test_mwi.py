"""``vm-ari mwi`` beside a running controller, and what it makes of a lamp that shows nonsense."""

import asyncio
import json
from typing import Any

import pytest
from click.testing import CliRunner

from tests.adapters.test_watching_push import TOKEN
from tests.patience import AT_MOST
from tests.system.worlds import NewWorld
from vm_ari.adapters.asterisk.configuration import Phone
from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.adapters.softphone import Softphone
from vm_ari.cli import main
from vm_ari.demo.world import World

MAIL = b"Message-Context: voice-message\nFrom: Carla <carla@demo.example>\nSubject: x\n\nx\n"


async def command(world: World, *words: str) -> tuple[int, Any]:
    """Run a command as an administrator does; its exit code, and what it says."""
    command = ["mwi", *words, "-c", str(world.config)]
    result = await asyncio.to_thread(CliRunner().invoke, main, command)
    return result.exit_code, json.loads(result.stdout) if "json" in words else result.output


async def lamps(world: World) -> dict[str, tuple[int, int, str]]:
    """New and heard messages, and what the phones were told, by user."""
    code, found = await command(world, "show", "--all", "-o", "json")
    assert code == 0
    return {row["user"]: (row["new"], row["heard"], row["lamp"]) for row in found}


@pytest.mark.feature_part("NOTIFY-01", "vm-ari mwi show, sync and probe")
def test_lamps_are_shown_told_anew_and_explained(new_world: NewWorld) -> None:
    settings = f'[watching]\npush_port = {free_port()}\npush_token = "{TOKEN}"\n'

    async def story() -> None:
        phones = (Phone("101"), Phone("102", subscribes=True))
        async with (
            new_world(phones=phones, settings=settings) as world,
            Softphone(user="101", server=world.server) as phone,
        ):
            await phone.register()
            folder = world.mail_directory(world.anna)
            (folder / "tmp" / "1.x").write_bytes(MAIL)
            (folder / "tmp" / "1.x").rename(folder / "new" / "1.x")
            await phone.lamp(1, 0, within=AT_MOST)
            async with asyncio.timeout(AT_MOST):  # ben's lamp may be told later
                while (shown := await lamps(world))["ben"][2] == "":
                    await asyncio.sleep(0.2)
            assert shown == {"anna": (1, 0, "1/0"), "ben": (0, 0, "0/0")}
            await nonsense(world, "101", 9, 9)
            await phone.lamp(9, 9)
            code, said = await command(world, "sync", "101")
            assert (code, said) == (0, "1 to be counted within some seconds.\n")
            await phone.lamp(1, 0, within=AT_MOST)
            code, offered = await command(world, "probe", "-o", "json")
            assert code == 0
            assert {row["method"]: row["chosen"] for row in offered} == {
                "ari": False, "minivm": True, "publish": False, "ami": False
            }  # fmt: skip
            await world.stop_controller()
            code, said = await command(world, "sync", "--all")
            assert code == 1

    asyncio.run(story())


async def nonsense(world: World, mailbox: str, new: int, old: int) -> None:
    """Somebody else tells Asterisk so."""
    where = f"Local/{mailbox}-{new}-{old}@vm-ari-mwi/n"
    await world.asterisk.command(f"channel originate {where} extension s@vm-ari-end")
