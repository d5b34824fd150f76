"""The whole way: a mailbox whose owner has named somebody, served by the program itself."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.patience import AT_MOST, STORY
from tests.system.callers import BEEP, babble, calling
from tests.system.mails import arrived
from tests.system.transfer_site import hears_tone, nothing_is_left, tone
from tests.system.worlds import NewWorld, somebody
from vm_ari.demo.world import World
from vm_ari.domain.profiles import ProfileName, TransferOffer

OUT = "[default]\nexten => _XXX,1,Dial(PJSIP/${EXTEN},20)\n same => n,Hangup(${HANGUPCAUSE})\n"
BEN = ((ProfileName.WORK, "102"),)


@pytest.fixture(scope="module")
def office(new_world: NewWorld) -> Iterator[World]:
    """A world with a way out."""
    shared = new_world(extra_configuration={"extensions.conf": OUT})
    asyncio.run(shared.__aenter__())
    yield shared
    asyncio.run(shared.__aexit__(None, None, None))


@pytest.mark.feature("XFER-02")
def test_a_busy_destination_leaves_the_caller_with_the_message(office: World) -> None:
    async def scenario() -> None:
        person = await somebody(office, "en", transfers=BEN, transfer_offer=TransferOffer.SYSTEM)
        async with (
            office.phone_of(office.ben) as ben,
            office.outside_phone() as outside,
            calling(outside, person.number, "en") as caller,
        ):
            await ben.register()
            ben.on_call(lambda call: call.reject(486))
            await caller.hears("to-be-connected")
            await caller.presses("2")
            await caller.hears("please-hold", "destination-busy")
            await caller.hears(BEEP)
            said = babble(3, 7)
            await caller.speaks(said)
            await caller.presses("#1")
            await caller.hears("thank-you-goodbye")
            await caller.is_hung_up_on()
        [mail] = await arrived(office, person)
        assert mail.caller == caller.number
        await nothing_is_left(office.asterisk)

    asyncio.run(asyncio.wait_for(scenario(), STORY))


@pytest.mark.feature("XFER-02")
def test_who_is_connected_talks_and_the_call_is_over(office: World) -> None:
    async def scenario() -> None:
        person = await somebody(office, "en", transfers=BEN, transfer_offer=TransferOffer.SYSTEM)
        async with (
            office.phone_of(office.ben) as ben,
            office.outside_phone() as outside,
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
        await nothing_is_left(office.asterisk)

    asyncio.run(asyncio.wait_for(scenario(), STORY))
