"""No controller, a hung one, a second one, too many calls: the dialplan takes the message."""

import asyncio
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime

import pytest

from tests.system.callers import BEEP, Caller, assert_kept, babble, calling
from tests.system.mails import Mail, arrived, mails, on_their_way
from tests.system.worlds import NewWorld, somebody
from vm_ari.adapters.ear import Audio
from vm_ari.demo.world import Person, World

GREETING = "fallback-greeting"
SOON = 10.0
"""Seconds from the end of the call, or the controller's return, to the mailbox."""


async def first_sound(caller: Caller) -> float:
    """Seconds from the call to the first thing that was heard."""
    await caller.hears(GREETING)
    sound = next(i for i, sample in enumerate(caller.call.heard) if abs(sample) > 0.01)
    return sound / 8000


async def by_dialplan(
    world: World, person: Person, said: Audio, *, key: str = "", name: str = "Carla Weber"
) -> float:
    """Leave a message with the fallback; how long was it silent at first?"""
    async with (
        world.outside_phone() as phone,
        calling(phone, person.number, from_name=name) as caller,
    ):
        waited = await first_sound(caller)
        await caller.hears(BEEP)
        await caller.speaks(said)
        if key:
            await asyncio.sleep(0.3)  # Record() cuts the last 1/4 s before a key
            await caller.presses(key)
            await caller.hears("thank-you-goodbye")
            await caller.is_hung_up_on()
    return waited


async def soon(world: World, person: Person, count: int = 1) -> list[Mail]:
    """The mails, which must be there soon, and not one more a little later."""
    return list(await arrived(world, person, count, within=SOON))


@contextmanager
def hung(world: World) -> Iterator[None]:
    """The controller does nothing any more, as if it hung."""
    world.signal_controller(signal.SIGSTOP)
    try:
        yield
    finally:
        world.signal_controller(signal.SIGCONT)


async def heartbeat_is_old(world: World) -> None:
    """Wait until the dialplan notices: the last beat is more than three seconds ago."""
    while True:
        shown = await world.asterisk.command("dialplan eval function GLOBAL(VM_ARI_BEAT)")
        beat = re.search(r"Result: ([0-9]+)", shown)
        assert beat
        if int(time.time()) - int(beat[1]) > 3:
            return
        await asyncio.sleep(0.1)


@pytest.mark.feature_part("CALL-10", "without a controller, delivered when it is back")
def test_without_a_controller_the_message_is_taken_and_delivered_later(world: World) -> None:
    said = [babble(3.0, 1), babble(2.6, 2), babble(1.0, 3)]

    async def scenario() -> None:
        people = [await somebody(world) for _ in said]
        await world.stop_controller()
        began = time.time()
        waits = await asyncio.gather(
            by_dialplan(world, people[0], said[0], key="#"),
            by_dialplan(world, people[1], said[1]),
            by_dialplan(world, people[2], said[2]),
        )
        assert max(waits) < 4
        assert len(on_their_way(world)) == 3
        await world.start_controller()
        for person, words in zip(people[:2], said, strict=False):
            [mail] = await soon(world, person)
            assert_kept(words, mail.audio)
            assert mail["X-VM-ARI-Called"] == person.number
            assert mail["X-VM-ARI-Caller-Name"] == "Carla Weber"
            assert mail["X-VM-ARI-Partial"] == "no"
            assert abs(parsedate_to_datetime(mail["Date"]).timestamp() - began) < 3
        assert mails(world, people[2]) == []  # too short for a message

    asyncio.run(scenario())


@pytest.mark.feature_part("CALL-10", "a hung controller")
def test_a_hung_controller_is_noticed_and_catches_up(world: World) -> None:
    """One talks when it hangs, one comes at once after that, one when the dialplan knows."""
    said = [babble(3.0, seed) for seed in range(3)]

    async def talks(person: Person, recording: asyncio.Event) -> None:
        async with world.outside_phone() as phone, calling(phone, person.number) as caller:
            await caller.presses("0")
            await caller.hears(BEEP)
            recording.set()
            await caller.speaks(said[0])

    async def scenario() -> None:
        people = [await somebody(world) for _ in said]
        recording = asyncio.Event()
        talking = asyncio.create_task(talks(people[0], recording))
        await recording.wait()
        with hung(world):
            at_once = asyncio.create_task(by_dialplan(world, people[1], said[1]))
            await heartbeat_is_old(world)
            assert await by_dialplan(world, people[2], said[2]) < 4
            assert await at_once < 4
            await talking
            assert mails(world, people[0]) == []
        for person, words in zip(people, said, strict=True):
            [mail] = await soon(world, person)
            assert_kept(words, mail.audio)

    asyncio.run(scenario())


@pytest.mark.feature_part("CALL-10", "a caller whom the dialplan serves is not disturbed")
def test_who_is_still_talking_when_the_controller_is_back_is_not_cut_off(world: World) -> None:
    """His telephone sends nothing while he is silent: the file looks as if it were finished."""
    first, second = babble(2.6, 1), babble(2.0, 2)

    async def scenario() -> None:
        person = await somebody(world)
        await world.stop_controller()
        async with (
            world.outside_phone() as phone,
            calling(phone, person.number, send_silence=False) as caller,
        ):
            await caller.hears(GREETING, BEEP)
            await caller.speaks(first)
            await world.start_controller()
            await asyncio.sleep(6)  # longer than a finished file is waited for
            assert len(on_their_way(world)) == 1
            await caller.speaks(second)
        [mail] = await soon(world, person)
        assert_kept(first, mail.audio)
        assert_kept(second, mail.audio)

    asyncio.run(scenario())


def test_a_second_controller_says_why_it_ends_and_harms_nobody(world: World) -> None:
    said = babble(4.0, 1)

    async def second() -> tuple[int | None, str]:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "vm_ari", "run", "-c", str(world.config)),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        return process.returncode, output.decode()

    async def scenario() -> tuple[int | None, str]:
        person = await somebody(world)
        async with world.outside_phone() as phone, calling(phone, person.number) as caller:
            await caller.presses("0")
            await caller.hears(BEEP)
            ended, _ = await asyncio.gather(second(), caller.speaks(said))
            await caller.presses("#1")
            await caller.hears("thank-you-goodbye")
        [mail] = await arrived(world, person)
        assert_kept(said, mail.audio)
        return ended

    status, output = asyncio.run(scenario())
    assert status == 1
    assert f"another controller works on {world.spool}" in output
    assert "Traceback" not in output


@pytest.mark.feature_part("CALL-10", "more calls than the controller takes")
def test_a_call_too_many_is_taken_by_the_dialplan(new_world: NewWorld) -> None:
    said = [babble(3.0, seed) for seed in range(3)]

    async def served(world: World, person: Person, words: Audio, full: asyncio.Barrier) -> None:
        async with world.outside_phone() as phone, calling(phone, person.number) as caller:
            await caller.presses("0")
            await caller.hears(BEEP)
            await full.wait()
            await caller.speaks(words)
            await full.wait()

    async def scenario() -> None:
        async with new_world(settings="[asterisk]\nmost_calls = 2\n") as world:
            people = [await somebody(world) for _ in said]
            full = asyncio.Barrier(3)
            calls = [
                asyncio.create_task(served(world, person, words, full))
                for person, words in zip(people[:2], said[:2], strict=True)
            ]
            await full.wait()
            await by_dialplan(world, people[2], said[2])
            await full.wait()
            await asyncio.gather(*calls)
            for person, words in zip(people, said, strict=True):
                [mail] = await soon(world, person)
                assert_kept(words, mail.audio)

    asyncio.run(scenario())
