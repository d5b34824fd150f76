"""What callers say is written down, while their messages leave at once (SPEECH-03, CALL-11)."""

import asyncio
import shlex
import sys
from pathlib import Path

import pytest

from tests.adapters.transcriber_contract import ears
from tests.patience import AT_MOST
from tests.system.callers import BEEP, assert_kept, calling
from tests.system.listening import voice
from tests.system.mails import arrived
from tests.system.worlds import NewWorld, somebody
from vm_ari.demo.world import Person, World

HOLD_ON = "while not os.path.exists('{go}'): time.sleep(0.1)\nprint('Hier ist die Werkstatt.')"
ITSELF = "print('Hier ist <b>die</b> Werkstatt.')"


def settings(home: Path, how: str, wait_seconds: int) -> str:
    """The engine is a program, as an admin would set it up."""
    words = (sys.executable, str(ears(home)), "{file}", "{language}", how)
    line = shlex.join(words).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return (
        f'[transcription]\nengine = "command"\ncommand = "{line}"\n'
        f"wait_seconds = {wait_seconds}\nlanguages = ['de']\n"
    )


async def leave(world: World, person: Person) -> None:
    async with world.outside_phone() as phone, calling(phone, person.number) as caller:
        await caller.presses("0")
        await caller.hears(BEEP)
        await caller.speaks(voice("de", 1, 4.0))
        await caller.hangs_up()


@pytest.mark.feature("SPEECH-03")
@pytest.mark.feature_part("CALL-11", "the transcript, where it is enabled")
def test_a_message_leaves_at_once_and_its_transcript_follows_even_a_kill(
    new_world: NewWorld, tmp_path: Path
) -> None:
    go = tmp_path / "go"

    async def scenario() -> None:
        how = HOLD_ON.format(go=go)
        async with new_world(settings=settings(tmp_path, how, 0)) as world:
            person, third = await somebody(world), await somebody(world)
            await leave(world, person)
            [voice_mail] = await arrived(world, person)
            assert "Werkstatt" not in voice_mail.text("plain")
            assert_kept(voice("de", 1, 4.0), voice_mail.audio)
            world.kill_controller()
            await world.start_controller()
            go.touch()
            _, follower = await arrived(world, person, 2, within=AT_MOST)
            assert follower["In-Reply-To"] == voice_mail["Message-ID"]
            assert follower["Auto-Submitted"] == "auto-generated"
            assert "Hier ist die Werkstatt." in follower.text("plain")
            assert "Von einer Maschine geschrieben" in follower.text("html")

            await world.stop_controller()
            world.configure(settings(tmp_path, ITSELF, 60))
            await world.start_controller()
            await leave(world, third)
            [mail] = await arrived(world, third, within=AT_MOST)
            assert "Hier ist <b>die</b> Werkstatt." in mail.text("plain")
            assert "Hier ist &lt;b&gt;die&lt;/b&gt; Werkstatt." in mail.text("html")
            assert len(await arrived(world, person, 2)) == 2

    asyncio.run(scenario())
