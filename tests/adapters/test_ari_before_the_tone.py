"""Who hears the tone is recorded: the controller is killed while it orders both."""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Sequence

import pytest

from tests.adapters.test_ari_application import Desk, address, application, phone_at, until
from tests.adapters.tone_calls import QUIET, Call, inherited, lives, witness_of
from tests.adapters.tone_life import BEEP, Life
from tests.system.conftest import SOUNDS, NewAsterisk
from vm_ari.adapters.ari.connection import Way
from vm_ari.adapters.asterisk.process import PrivateAsterisk
from vm_ari.adapters.ear import Audio, Bank, identify
from vm_ari.domain.recording import Limits
from vm_ari.speech.parts import Clip
from vm_ari.telephony.channel import HungUp, LineFault, PlayEnded

WARNING = Clip("tones/warning-beep")
KILLS = int(os.environ.get("VM_ARI_KILLS", "24"))
"""Controllers that die; a whole hunt takes hundreds."""
REQUESTS = 7
"""At least as many as one recording takes to begin."""
LATEST = 0.005
"""Seconds behind a request within which a controller dies."""


def life_of(asterisk: PrivateAsterisk, dice: random.Random, number: int) -> Life:
    """One of every moment, in turn; every third one dies at once."""
    instance = asterisk.instance
    return Life(
        url=f"http://127.0.0.1:{instance.http_port}",
        user=instance.ari_user,
        password=instance.ari_password,
        app=f"life-{number}",
        sounds=str(SOUNDS),
        way="http" if number // REQUESTS % 3 == 2 else "websocket",
        after=number % REQUESTS + 1,
        delay=0.0 if dice.random() < 1 / 3 else dice.uniform(1e-6, LATEST),
    )


async def hunt(asterisk: PrivateAsterisk, dice: random.Random) -> tuple[Sequence[Call], list[bool]]:
    """So many calls, and what became of each under the next controller."""
    await asterisk.start()
    calls, heirs = [], []
    try:
        first = life_of(asterisk, dice, 0)
        async with witness_of(first.address) as witness, lives() as doomed:
            for number in range(KILLS):
                calls.append(await doomed.live(life_of(asterisk, dice, number), witness))
                heirs.append(asyncio.create_task(inherited(calls[-1])))
            return calls, await asyncio.gather(*heirs)
    finally:
        await asterisk.kill()


@pytest.mark.feature_part("CALL-10", "the controller dies while it orders tone and recording")
def test_who_hears_the_tone_is_recorded_whenever_the_controller_dies(
    new_asterisk: NewAsterisk,
) -> None:
    seed = int(os.environ.get("VM_ARI_SEED", random.SystemRandom().randrange(1_000_000)))
    print(f"VM_ARI_SEED={seed}")
    asterisk = new_asterisk(extra_configuration={"extensions.conf": QUIET})
    calls, taken_care_of = asyncio.run(hunt(asterisk, random.Random(seed)))
    told = Counter((call.heard_tone, call.recorded) for call in calls)
    print(f"{KILLS} kills; (heard the tone, recorded): {dict(told)}")
    assert [call.life.moment for call in calls if call.lost] == []
    left = [call.life.moment for call, done in zip(calls, taken_care_of, strict=True) if not done]
    assert left == []
    assert told[True, True]


@pytest.mark.parametrize("way", ["http", "websocket"])
def test_a_recording_that_asterisk_refuses_leaves_no_tone_and_blocks_nothing(
    asterisk: PrivateAsterisk, way: Way
) -> None:
    async def story() -> None:
        desk = Desk()
        async with (
            application(address(asterisk), desk, way=way),
            phone_at(asterisk) as phone,
        ):
            call = await phone.call("101")
            line = await asyncio.wait_for(desk.lines.get(), 5)
            with pytest.raises(LineFault):
                await line.record("vm-ari/refused", Limits(longest=-1, silence=5), BEEP)
            play = await line.play([WARNING])
            while await until(line, PlayEnded) != PlayEnded(play):
                pass
            assert heard(call.heard) == [WARNING.name]
            await line.leave("FALLBACK")
            await until(line, HungUp)
            await call.hang_up()

    asyncio.run(story())


@pytest.mark.parametrize("way", ["http", "websocket"])
def test_who_is_being_recorded_is_given_back_at_once(asterisk: PrivateAsterisk, way: Way) -> None:
    """Also before the tone is over; and nobody else has to wait for that."""

    async def story() -> None:
        desk = Desk()
        async with (
            application(address(asterisk), desk, way=way) as app,
            phone_at(asterisk) as phone,
        ):
            call = await phone.call("101")
            line = await asyncio.wait_for(desk.lines.get(), 5)
            await line.record("vm-ari/given-back", Limits(longest=60, silence=50), BEEP)
            await line.leave("FALLBACK")
            await until(line, HungUp)
            assert app.connection.ready.is_set()
            await call.hang_up()

    asyncio.run(story())


def heard(audio: Audio) -> Sequence[str]:
    """Which of the two tones, in their order."""
    tones = Bank.of_files([SOUNDS / f"{one.name}.wav" for one in (BEEP, WARNING)], under=SOUNDS)
    return [hit.name for hit in identify(audio, tones)]
