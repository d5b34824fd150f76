"""The demo as it comes: its callers can be connected with the telephones of its users."""

import asyncio

from tests.patience import AT_MOST, STORY
from tests.system.callers import calling
from tests.system.transfer_site import hears_tone, tone
from tests.system.worlds import somebody
from vm_ari.demo.world import World
from vm_ari.domain.profiles import ProfileName, TransferOffer

BEN = ((ProfileName.WORK, "102"),)


def test_a_caller_is_connected_with_a_users_telephone(world: World) -> None:
    async def scenario() -> None:
        person = await somebody(world, "en", transfers=BEN, transfer_offer=TransferOffer.SYSTEM)
        async with (
            world.phone_of(world.ben) as ben,
            world.outside_phone() as outside,
            calling(outside, person.number, "en") as caller,
        ):
            await ben.register()
            await caller.hears("to-be-connected")
            await caller.presses("2")
            rings = await ben.next_call(within=AT_MOST)
            rings.answer()
            await asyncio.gather(
                caller.speaks(tone(1000, 2)),
                rings.speak(tone(1700, 2)),
                hears_tone(rings, 1000),
                hears_tone(caller.call, 1700),
            )
            await rings.hang_up()
            await caller.is_hung_up_on()

    asyncio.run(asyncio.wait_for(scenario(), STORY))
