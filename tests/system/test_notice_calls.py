"""Somebody who has a new message is called, and hears it: a real telephone, its lamp, the PIN."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.patience import AT_MOST, STORY
from tests.system.callers import babble
from tests.system.mails import mails
from tests.system.test_remote_inquiry import leave
from tests.system.transfer_site import ears
from vm_ari.adapters.ear import RATE
from vm_ari.adapters.sealing import KeyRing
from vm_ari.config import load
from vm_ari.demo.world import Person, World
from vm_ari.wiring.directories import open_register

CALLED = {"notify_voice": "lamp, call", "login_office": "pin"}


@asynccontextmanager
async def wishing(world: World, person: Person) -> AsyncIterator[None]:
    """That user wants to be called, and the PIN to be asked on the own telephone."""
    config = load(world.config)
    register = open_register(config, KeyRing(config.directory.keys))
    try:
        await register.change_settings(person.user.id, CALLED)
        yield
    finally:
        await register.change_settings(person.user.id, dict.fromkeys(CALLED))
        await register.close()


@pytest.mark.feature("NOTIFY-03", "NOTIFY-05", "STORE-01")
def test_who_has_a_new_message_is_called_and_hears_it(world: World) -> None:
    async def scenario() -> None:
        ben, said = world.ben, babble(2.5, 4)
        others = sum(mail.new for mail in mails(world, ben))
        async with wishing(world, ben), world.phone_of(ben) as desk:
            await desk.register()
            await leave(world, ben, said)
            await desk.lamp(new=others + 1, within=AT_MOST)
            rings = await desk.next_call(within=AT_MOST)
            assert f"<sip:{ben.extension}@" in rings.request.get("from")
            rings.answer()
            listener = ears(rings)
            await listener.hears("notice-call", "you-have", "for-new-voice-messages")
            await listener.presses("1")
            await listener.hears("enter-pin")
            await listener.presses(f"{ben.pin}##", ms=60)
            await listener.hears_audio(said[RATE // 2 : -RATE // 2])
            await listener.hears("to-repeat")
            await desk.lamp(new=others, within=AT_MOST)
            await listener.presses("*")
            await listener.hears("you-have")
            await listener.presses("#")
            await listener.is_hung_up_on()
            async with asyncio.timeout(AT_MOST):
                while any((world.spool / "notices" / "new").iterdir()):
                    await asyncio.sleep(0.1)

    asyncio.run(asyncio.wait_for(scenario(), STORY))
