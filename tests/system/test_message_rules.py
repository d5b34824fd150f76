"""What a site decides about hearing messages: the order, and what deleting means."""

import asyncio

import pytest

from tests.patience import AT_MOST
from tests.system.callers import calling
from tests.system.mails import mails
from tests.system.marked_message import position, put
from tests.system.worlds import NewWorld, somebody

DELETED = "Deleted voice messages"
SETTINGS = '[calls]\ninformation_order = "content-date-sender"\ndelete = "for good"\n'


@pytest.mark.feature_part("INBOX-03", "the content first, by setting")
@pytest.mark.feature("INBOX-06")
def test_the_content_comes_first_and_what_is_deleted_is_gone(new_world: NewWorld) -> None:
    async def scenario() -> None:
        async with new_world(settings=SETTINGS) as world, world.outside_phone() as phone:
            person = await somebody(world, "en")
            for number in (1, 2):
                put(world, person, 3.0, 8000, number)
            async with calling(phone, person.number, person.language) as caller:
                await caller.presses(f"*{person.pin}#1", ms=60)
                async with asyncio.timeout(AT_MOST):
                    while position(caller.call.heard) is None:
                        await asyncio.sleep(0.05)
                assert "from-unknown" not in caller.told()
                await caller.hears("moment/today", "from-unknown", "to-repeat")
                for answer, counts in (("deleted", 1), ("restored", 2), ("deleted", 1)):
                    await caller.presses("7")
                    await caller.hears(f"message-{answer}")
                    assert len(mails(world, person)) == counts
                assert len(mails(world, person, DELETED)) == 1
            async with asyncio.timeout(AT_MOST):
                while mails(world, person, DELETED):
                    await asyncio.sleep(0.1)
            assert len(mails(world, person)) == 1

    asyncio.run(scenario())
