"""French, which is one module and two folders, on the telephone and in the mail."""

import asyncio

import pytest

from tests.system.callers import BEEP, assert_kept, babble, calling, digits
from tests.system.mails import arrived
from tests.system.worlds import somebody
from vm_ari.demo.world import World


@pytest.mark.feature("LANG-03")
def test_who_speaks_french_hears_and_reads_french(world: World) -> None:
    async def scenario() -> None:
        person = await somebody(world, "fr")
        said = babble(3, 1)
        async with world.outside_phone() as phone:
            async with calling(phone, person.number, "fr") as caller:
                greeting = ["you-have-reached", *digits(person.extension), "leave-a-message", BEEP]
                await caller.hears(*greeting)
                await caller.speaks(said)
                await caller.hangs_up()
                caller.heard_only(*greeting)
            [mail] = await arrived(world, person)
            assert mail["Subject"].startswith("Message vocal de")
            assert_kept(said, mail.audio)

            async with calling(phone, person.number, "fr") as owner:
                await owner.hears("you-have-reached")
                await owner.presses("*")
                await owner.hears("enter-pin")
                await owner.presses(f"{person.pin}#")
                await owner.hears("you-have", "new-voice-message/one", "for-new-voice-messages")
                await owner.presses("1")
                await owner.hears("message-number", "digits/1")

    asyncio.run(scenario())
