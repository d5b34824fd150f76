"""Two controllers by accident on one application of one Asterisk, each with a spool of its own.

On one spool the second one is refused (`test_fallback.py`); who has the application of the other
one cannot be seen before the calls are taken.
"""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.patience import AT_MOST
from tests.system.callers import BEEP, assert_kept, babble, calling, likeness
from tests.system.mails import Mail, mails
from tests.system.worlds import NewWorld
from vm_ari.adapters.ear import RATE
from vm_ari.demo.world import World

TAKEN_OVER = "another controller took over our application"
PATIENCE = AT_MOST


@asynccontextmanager
async def second_controller(world: World) -> AsyncIterator[Path]:
    """Somebody has copied the configuration, and changed the spool; its log."""
    config, log = world.directory / "second.toml", world.directory / "second.log"
    text = world.config.read_text()
    for mine in (world.spool, world.directory / "journal.db", world.directory / "greetings"):
        text = text.replace(str(mine), f"{mine}-2")
    config.write_text(text)
    config.chmod(0o600)
    with log.open("wb") as output:
        command = [sys.executable, "-m", "vm_ari", "run", "-c", str(config)]
        process = await asyncio.create_subprocess_exec(
            *command, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            yield log
        finally:
            process.terminate()
            await process.wait()


async def told(log: Path, words: str) -> None:
    """Wait until a log says so."""
    async with asyncio.timeout(PATIENCE):
        while words not in log.read_text(errors="replace"):
            await asyncio.sleep(0.05)


async def have_come(world: World, number: str, count: int) -> list[Mail]:
    """Wait for so many messages of one caller."""
    async with asyncio.timeout(PATIENCE):
        while len(found := [m for m in all_mails(world) if m.caller == number]) < count:
            await asyncio.sleep(0.1)
    return found


def all_mails(world: World) -> list[Mail]:
    return [mail for person in world.people for mail in mails(world, person)]


def test_the_first_one_says_it_and_neither_loses_a_message(new_world: NewWorld) -> None:
    """Who is talking is heard to the end: by the first one, and then by the dialplan."""
    said, other, again = babble(60.0, 1), babble(3.0, 2), babble(4.0, 3)

    async def story() -> None:
        async with (
            new_world() as world,
            world.outside_phone() as phone,
            world.outside_phone() as late,
        ):
            async with calling(phone, world.anna.number) as talking:
                await talking.presses("0")
                await talking.hears(BEEP)
                speaking = asyncio.create_task(talking.speaks(said))
                began = asyncio.get_running_loop().time()
                await asyncio.sleep(2.5)
                async with second_controller(world) as log:
                    await told(world.controller_log, TAKEN_OVER)
                    talked = asyncio.get_running_loop().time() - began
                    await talking.hears("fallback-greeting")
                    speaking.cancel()
                    await talking.hears(BEEP)
                    await talking.speaks(again)
                    await talking.hangs_up()
                    async with calling(late, world.ben.number) as caller:
                        await caller.presses("0")
                        await caller.hears(BEEP)
                        await caller.speaks(other)
                    [mail] = await have_come(world, caller.number, 1)
                    assert_kept(other, mail.audio)
            await world.controller_is_back()  # it takes its calls again, and adopts
            found = await have_come(world, talking.number, 2)
            print(round(talked, 1), [round(len(mail.audio) / RATE, 1) for mail in found])
            [first] = [mail for mail in found if likeness(said, mail.audio)[1] > 0.95]
            [second] = [mail for mail in found if mail is not first]
            assert likeness(said, first.audio)[0] > talked - 0.7
            assert_kept(again, second.audio, lost=0.5)
            assert TAKEN_OVER not in log.read_text()
            for text in (log.read_text(), world.controller_log.read_text()):
                assert "Traceback" not in text

    asyncio.run(story())
