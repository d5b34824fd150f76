"""Asterisk dies or is restarted while people talk: what was on the disk is delivered."""

import asyncio

import pytest

from tests.patience import AT_MOST
from tests.system.callers import BEEP, assert_kept, babble, calling, likeness
from tests.system.mails import arrived
from tests.system.worlds import NewWorld, somebody
from vm_ari.adapters.ear import RATE, Audio
from vm_ari.demo.world import Person, World

LOST_AT_MOST = 2.4
"""Seconds: Asterisk writes 32 KiB at a time, 2.05 s of 8 kHz audio, and reads in packets."""


async def talking(world: World, person: Person, said: Audio, recorded: asyncio.Event) -> None:
    """Speak until the line is dead; nobody says goodbye to a dead Asterisk."""
    async with world.outside_phone() as phone, calling(phone, person.number) as caller:
        await caller.presses("0")
        await caller.hears(BEEP)
        await caller.speaks(said)
        recorded.set()
        await asyncio.sleep(0.3)
        caller.call.drop()


async def leaves_a_message(world: World, person: Person, said: Audio) -> None:
    async with world.outside_phone() as phone, calling(phone, person.number) as caller:
        await caller.presses("0")
        await caller.hears(BEEP)
        await caller.speaks(said)
        await caller.presses("#1")
        await caller.hears("thank-you-goodbye")


async def with_asterisk_ending(world: World, end: str, said: list[Audio]) -> list[Person]:
    """Several people talk while it ends; then it is started again, and somebody calls."""
    people = [await somebody(world) for _ in said]
    recorded = [asyncio.Event() for _ in said]
    calls = [
        asyncio.create_task(talking(world, *call))
        for call in zip(people, said, recorded, strict=True)
    ]
    await asyncio.gather(*(event.wait() for event in recorded))
    if end == "killed":
        await world.asterisk.kill()
    else:
        stopping = asyncio.create_task(world.asterisk.stop())
        await stopping
    await world.asterisk.start()
    await asyncio.gather(*calls)
    return people


@pytest.mark.feature_part("CALL-10", "Asterisk itself dies: all but its last write is delivered")
def test_what_asterisk_had_written_when_it_was_killed_is_delivered(new_world: NewWorld) -> None:
    said = [babble(seconds, seed) for seed, seconds in enumerate((2.6, 3.4, 4.3, 5.5))]

    async def scenario() -> None:
        async with new_world() as world:
            people = await with_asterisk_ending(world, "killed", said)
            for person, words in zip(people, said, strict=True):
                [mail] = await arrived(world, person)
                seconds, alike = likeness(words, mail.audio)
                assert alike > 0.99
                assert seconds > len(words) / RATE - LOST_AT_MOST
                assert mail["X-VM-ARI-Partial"] == "yes"
                assert "technische Störung" in mail.text("plain")
            async with asyncio.timeout(AT_MOST):
                await world.controller_is_back()
            next_words, person = babble(2.5, 9), await somebody(world)
            await leaves_a_message(world, person, next_words)
            [mail] = await arrived(world, person)
            assert_kept(next_words, mail.audio)
            assert mail["X-VM-ARI-Partial"] == "no"

    asyncio.run(scenario())


def test_after_a_restart_of_asterisk_calls_are_served_again(new_world: NewWorld) -> None:
    """Whoever talked then was hung up on, and nothing of that is missing."""
    said = [babble(3.0, 1), babble(4.1, 2)]

    async def scenario() -> None:
        async with new_world() as world:
            controller = world.controller_pid
            people = await with_asterisk_ending(world, "restarted", said)
            for person, words in zip(people, said, strict=True):
                [mail] = await arrived(world, person)
                assert_kept(words, mail.audio)
            async with asyncio.timeout(AT_MOST):
                await world.controller_is_back()
            async with world.outside_phone() as phone:
                person = await somebody(world)
                async with calling(phone, person.number) as caller:
                    await caller.hears("you-have-reached", "leave-a-message", BEEP)
                    await caller.speaks(said[0])
            [mail] = await arrived(world, person)
            assert_kept(said[0], mail.audio)
            assert world.controller_pid == controller

    asyncio.run(scenario())
