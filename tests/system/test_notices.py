"""A caller's message, the lamp of a real telephone and the notice that leaves by SMTP."""

import asyncio
from collections.abc import Callable
from email import message_from_bytes

import pytest

from tests.adapters.smtp_server import Postbox, mail_server
from tests.patience import AT_MOST
from tests.system.callers import BEEP, babble, calling
from tests.system.worlds import NewWorld
from vm_ari.demo.world import Person, World

WITHIN = AT_MOST
SETTINGS = """
[mail.smtp]
host = "127.0.0.1"
security = "none"
port = {port}
[defaults]
notify_voice = "lamp, mail"
notify_voice_from = "2"
"""


async def until(true: Callable[[], bool], what: str) -> None:
    try:
        async with asyncio.timeout(WITHIN):
            while not true():
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"waited in vain: {what}") from None


async def leaves(world: World, person: Person, seed: int) -> None:
    async with (
        world.outside_phone() as phone,
        calling(phone, person.number, person.language) as caller,
    ):
        await caller.presses("0")
        await caller.hears(BEEP)
        await caller.speaks(babble(2.5, seed))


@pytest.mark.feature("NOTIFY-03")
def test_lamp_and_mail_from_the_second_message_on(new_world: NewWorld) -> None:
    box = Postbox()

    def subjects() -> list[str]:
        return [str(message_from_bytes(content)["Subject"]) for _, _, content in box.mails]

    async def story() -> None:
        async with (
            mail_server(box) as port,
            new_world(settings=SETTINGS.format(port=port)) as world,
        ):
            person = world.people[0]
            async with world.phone_of(person) as phone:
                await phone.register()
                await leaves(world, person, 1)
                await leaves(world, person, 2)
                await phone.lamp(2, within=WITHIN)
                assert 1 not in {lamp.new for lamp in phone.lamps}
                await until(lambda: bool(box.mails), "the notice")
                world.kill_controller()
                await world.start_controller()
                await leaves(world, person, 3)
                await phone.lamp(3, within=WITHIN)
                await until(lambda: len(box.mails) > 1, "the second notice")
            await world.stop_controller()  # whatever was under way has ended
        assert [subject[0] for subject in subjects()] == ["2", "3"]
        assert {to for _, [to], _ in box.mails} == {person.user.mail}

    asyncio.run(story())
