"""``vm-ari check`` on a running installation, and on one that is not as it should be (MAIL-07)."""

import asyncio
import json
import re
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.patience import AT_MOST
from tests.system.conftest import NewAsterisk
from vm_ari.adapters.ami import ManagerAccount
from vm_ari.adapters.ari.transport import Address
from vm_ari.adapters.asterisk.ports import free_port
from vm_ari.adapters.examination.asterisk import examine_asterisk, examine_lamps
from vm_ari.adapters.lamps.choice import LampSettings, MethodName
from vm_ari.cli import main
from vm_ari.demo.world import World

PARTS = "directory,asterisk,lamps,spool,store,sounds"


def checked(config: Path, parts: str = PARTS) -> list[dict[str, str]]:
    words = ["check", "--only", parts, "-o", "json", "-c", str(config)]
    found: list[dict[str, str]] = json.loads(CliRunner().invoke(main, words).stdout)
    return found


@pytest.mark.feature_part("MAIL-07", "vm-ari check, for Asterisk, lamps, spool and prompts")
def test_a_running_installation_is_in_order(world: World) -> None:
    found = checked(world.config)
    assert {line["part"] for line in found} == set(PARTS.split(","))
    assert [line for line in found if line["result"] == "problem"] == []


def told(world: World, *words: str, code: int | None = 0) -> dict[str, Any]:
    """What a command says as JSON."""
    done = CliRunner().invoke(main, [*words, "-o", "json", "-c", str(world.config)])
    assert code in {None, done.exit_code}, done.output
    [facts] = json.loads(done.stdout)
    return dict(facts)


def test_status_of_a_running_installation(world: World) -> None:
    end = time.monotonic() + AT_MOST
    while not (facts := told(world, "status", code=None))["serves"]:
        assert time.monotonic() < end, facts
        time.sleep(0.5)  # a controller tells of its Asterisk with its next beat
    assert facts["nodes"][0]["telephony"].startswith("Asterisk ")
    assert facts["problems"] == []


@pytest.mark.feature_part("MAIL-07", "a test call, and what its caller hears")
def test_a_test_call_says_what_a_caller_hears(world: World) -> None:
    facts = told(world, "test", "call", "999", "--listen", "6")
    # on a busy machine a hole in the audio between two prompts is heard as something else
    heard = [one["name"] for one in facts["heard"] if one["name"] != "(something else)"]
    assert heard == ["de/unknown-mailbox", "de/goodbye"], facts
    assert facts["ended_by_them"] is True
    assert facts["first_sound_ms"] is not None
    login = told(world, "test", "call", world.anna.extension, "--login", "--listen", "3")
    assert [one["name"] for one in login["heard"]] == ["de/enter-pin"], login
    words = ["test", "call", "999", "--context", "nowhere", "-c", str(world.config)]
    nowhere = CliRunner().invoke(main, words)
    assert nowhere.exit_code == 4
    assert "nobody has answered" in nowhere.stderr


@pytest.mark.feature_part("MAIL-07", "vm-ari check, for Asterisk, lamps, spool and prompts")
def test_what_is_wrong_with_asterisk_is_said(world: World, tmp_path: Path) -> None:
    text = world.config.read_text()
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(re.sub(r'(?m)^password = ".*"', 'password = "veiled"', text, count=1))
    [refused] = checked(wrong, "asterisk")
    assert refused["what"].startswith("Asterisk does not know ")
    assert "veiled" not in refused["what"]
    other = tmp_path / "other.toml"
    other.write_text(text.replace("[asterisk]", '[asterisk]\napp = "nobody"', 1))
    [_good, idle] = checked(other, "asterisk")
    assert idle["what"].startswith("No controller is connected as nobody")
    assert idle["what to do"] == "Start it: vm-ari run."


# pyst2 calls setDaemon() and isSet()
@pytest.mark.filterwarnings("ignore::DeprecationWarning:asterisk.manager")
@pytest.mark.feature_part("MAIL-07", "vm-ari check, for an Asterisk that lacks something")
def test_an_asterisk_that_lacks_something_is_told_with_the_remedy(
    new_asterisk: NewAsterisk,
) -> None:
    watcher = "[watcher]\ntype = user\nread_only = yes\npassword = looks\n"
    lonely = new_asterisk(ami_port=free_port(), extra_configuration={"ari.conf": watcher})
    instance = lonely.instance
    address = Address(
        f"http://127.0.0.1:{instance.http_port}", instance.ari_user, instance.ari_password
    )
    assert instance.ami_port
    right = ManagerAccount(instance.ari_user, instance.ari_password, port=instance.ami_port)

    async def story() -> None:
        async with lonely:
            watching = await examine_asterisk(
                replace(address, user="watcher", password="looks"), "x"
            )
            told = [one.text for one in watching if not one.good]
            assert "watcher may only look, so no call can be served." in told
            good, lit = await examine_lamps(address, LampSettings(manager=right))
            assert good.good
            assert lit.good
            wrong = LampSettings(MethodName.PUBLISH, manager=replace(right, secret="veiled"))
            unknown, dark = await examine_lamps(address, wrong)
            assert "Authentication failed" in unknown.text
            assert "veiled" not in unknown.text + dark.text
            assert dark.text.startswith("There is no way to light lamps (publish: no SIP account")
            await lonely.command("dialplan remove context vm-ari-end")
            await lonely.command("module unload res_ari_playbacks.so")
            lacking = [one.text for one in await examine_asterisk(address, "x") if not one.good]
            assert lacking[:2] == [
                "Asterisk runs without res_ari_playbacks.",
                "Our dialplan is not loaded as it is shipped: it lacks [vm-ari-end].",
            ]

    asyncio.run(story())
