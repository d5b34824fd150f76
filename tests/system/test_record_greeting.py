"""The system calls a telephone, and a greeting is recorded there: real phone, real Asterisk."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import numpy as np
import pytest

from tests.adapters.greeting_sounds import pitch, speech_like, syllables
from tests.patience import AT_MOST
from tests.system.callers import BEEP, Caller
from tests.system.worlds import NewWorld
from vm_ari.adapters.ari.client import AriClient
from vm_ari.adapters.ari.transport import Address, HttpTransport
from vm_ari.adapters.ear import RATE
from vm_ari.adapters.softphone import IncomingCall
from vm_ari.demo.world import World

STRAIGHT = """
[dialling]
endpoint = "PJSIP/{number}"
"""
WAY_OUT = """
[default]
exten => _1XX,1,Dial(PJSIP/${EXTEN},30)
 same => n,Hangup(${HANGUPCAUSE})
"""
"""Where our context for outgoing calls leads, as shipped."""
MINE = syllables(3.0, RATE, hertz=523.0).astype(np.float32)
OTHER = syllables(2.0, RATE, hertz=784.0).astype(np.float32)
Story = Callable[["Scene"], Awaitable[None]]


@dataclass
class Command:
    """A command that runs beside the call."""

    process: asyncio.subprocess.Process

    async def ends(self, code: int = 0) -> tuple[str, str]:
        """What it said on standard output and standard error."""
        output, errors = await self.process.communicate()
        assert self.process.returncode == code, errors.decode()
        return output.decode(), errors.decode()


class Called(Caller):
    """Somebody whose phone rang."""

    async def skips_to_the_tone(self) -> None:
        """Does not listen to what is known."""
        await self.presses("#")
        await self.hears(BEEP)


@dataclass
class Scene:
    """A phone that can be called, and the command line beside it."""

    world: World
    calls: "asyncio.Queue[IncomingCall]"

    async def command(self, *words: str) -> Command:
        """Start one."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "vm_ari", *words, "-c", str(self.world.config)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=dict(os.environ),
        )
        return Command(process)

    async def greetings(self, owner: str = "anna") -> list[dict[str, object]]:
        """What `greeting list` says."""
        listed = await self.command("greeting", "list", owner, "-o", "json")
        output, _ = await listed.ends()
        found: list[dict[str, object]] = json.loads(output)
        return found

    @asynccontextmanager
    async def called(self) -> AsyncIterator[Called]:
        """Pick up when it rings."""
        call = await asyncio.wait_for(self.calls.get(), AT_MOST)
        call.answer()
        yield Called(call, "de", "101")  # type: ignore[arg-type]
        await call.hang_up()

    async def nothing_is_left(self) -> None:
        """No channel, and no recording that nobody wanted."""
        instance = self.world.asterisk.instance
        address = Address(
            f"http://127.0.0.1:{instance.http_port}", instance.ari_user, instance.ari_password
        )
        async with aiohttp.ClientSession(headers=address.authorization()) as session:
            client = AriClient(HttpTransport(session, address))
            async with asyncio.timeout(AT_MOST):
                while await client.channels.list() or any(self._takes()):
                    await asyncio.sleep(0.1)

    def _takes(self) -> list[Path]:
        return list((self.world.spool / "greetings").iterdir())


def tell(world: World, story: Story) -> None:
    """Run it while everything is up, and Anna's phone is registered."""

    async def run() -> None:
        async with world, world.phone_of(world.anna) as phone:
            calls: asyncio.Queue[IncomingCall] = asyncio.Queue()
            phone.on_call(calls.put_nowait)
            await phone.register()
            await story(Scene(world, calls))

    asyncio.run(run())


@pytest.mark.slow
@pytest.mark.feature("GREET-05", "GREET-09")
def test_the_system_calls_and_leads_through_the_recording(new_world: NewWorld) -> None:
    async def story(scene: Scene) -> None:
        command = await scene.command(
            "greeting", "record", "anna", "work", "--phone", "101", "-o", "json"
        )
        async with scene.called() as anna:
            await anna.hears("record-greeting-after-tone", BEEP)
            await anna.speaks(OTHER)
            await anna.presses("#")
            await anna.hears("to-keep")
            await anna.presses("3")
            await anna.skips_to_the_tone()
            await anna.speaks(MINE)
            await anna.presses("#")
            await anna.hears("to-keep")
            assert await scene.greetings() == []
            await anna.presses("2")
            await anna.hears_audio(MINE[RATE // 2 : -RATE // 2])
            await anna.hears("to-keep")
            await anna.presses("1")
            await anna.hears("greeting-kept", "goodbye")
            await anna.is_hung_up_on()
        output, _ = await command.ends()
        [kept] = json.loads(output)
        assert (kept["slot"], kept["language"], kept["source"]) == ("work", "de", "phone")
        assert kept["seconds"] == pytest.approx(3.1, abs=0.4)
        assert pitch(Path(kept["file"])) == pytest.approx(523, abs=5)
        assert await scene.greetings() == [kept]
        await scene.nothing_is_left()

    tell(new_world(settings=STRAIGHT), story)


@pytest.mark.slow
@pytest.mark.feature("GREET-07")
def test_the_global_greeting_is_recorded_over_the_way_out_of_the_dialplan(
    new_world: NewWorld,
) -> None:
    async def story(scene: Scene) -> None:
        command = await scene.command("global-greeting", "record", "--phone", "101", "-o", "json")
        async with scene.called() as anna:
            await anna.skips_to_the_tone()
            await anna.speaks(OTHER)
            await anna.presses("#")
            await anna.hears("to-keep")
            await anna.presses("1")
            await anna.is_hung_up_on()
        output, _ = await command.ends()
        assert pitch(Path(json.loads(output)[0]["file"])) == pytest.approx(784, abs=5)
        await scene.nothing_is_left()

        command = await scene.command("global-greeting", "record", "--phone", "101")
        (await asyncio.wait_for(scene.calls.get(), AT_MOST)).reject(486)
        assert "busy" in (await command.ends(1))[1]

    tell(new_world(extra_configuration={"extensions.conf": WAY_OUT}), story)


@pytest.mark.slow
@pytest.mark.feature_part("GREET-05", "a hang-up keeps nothing, and the old one stays")
def test_whatever_happens_before_it_is_kept_the_old_one_stays(
    new_world: NewWorld, tmp_path: Path
) -> None:
    async def story(scene: Scene) -> None:
        old = tmp_path / "old.wav"
        speech_like(old, 1.5)
        await (await scene.command("greeting", "import", "anna", "work", str(old))).ends()
        before = await scene.greetings()
        record = ("greeting", "record", "anna", "work", "--phone", "101")

        command = await scene.command(*record)
        async with scene.called() as anna:
            await anna.skips_to_the_tone()
            await anna.speaks(MINE)
            await anna.presses("#")
            await anna.hears("to-keep")
            await anna.hangs_up()
        assert "nothing was kept" in (await command.ends(1))[1]
        await scene.nothing_is_left()

        command = await scene.command(*record)
        (await asyncio.wait_for(scene.calls.get(), AT_MOST)).reject(486)
        assert "busy" in (await command.ends(1))[1]

        command = await scene.command(*record)
        async with scene.called() as anna:
            await anna.hears("record-greeting-after-tone")
            command.process.send_signal(2)
            await anna.is_hung_up_on()
        await command.process.communicate()
        assert command.process.returncode != 0
        await scene.nothing_is_left()

        command = await scene.command(*record)
        async with scene.called() as anna:
            await anna.skips_to_the_tone()
            await anna.speaks(MINE)
            scene.world.kill_controller()
            await scene.world.start_controller()
            await anna.is_hung_up_on()
        await command.ends(1)
        await scene.nothing_is_left()
        assert await scene.greetings() == before

        nobody = await scene.command("greeting", "record", "anna", "work", "--phone", "199")
        assert "cannot be called" in (await nobody.ends(1))[1]
        await scene.world.stop_controller()
        command = await scene.command(*record)
        assert "vm-ari run" in (await command.ends(1))[1]

    tell(new_world(settings=STRAIGHT), story)
