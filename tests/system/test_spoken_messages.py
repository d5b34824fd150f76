"""A text is read to somebody on a real telephone: at the second call, for the first met busy."""

import asyncio
import json
import os
import sys
from typing import Any

import numpy as np
import pytest

from tests.system.mails import mails
from tests.system.transfer_site import ears, hears_tone, tone
from tests.system.worlds import somebody
from vm_ari.adapters.ear import RATE
from vm_ari.demo.world import World

TEXT = "The meeting has been moved to Thursday, and it takes place in the large room."
SHORTEST = 3.0
"""Seconds that this takes any voice."""


async def speak(world: World, *words: str) -> list[dict[str, Any]]:
    """The command, and what it has printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "vm_ari", "speak", *words),
        *("-o", "json", "-c", str(world.config)),
        stdout=asyncio.subprocess.PIPE,
        env=dict(os.environ),
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    rows: list[dict[str, Any]] = json.loads(output)
    return rows


async def over(world: World, sender: str) -> dict[str, Any]:
    """The one message of that user, as soon as nothing more happens with it."""
    async with asyncio.timeout(60):
        while True:
            [row] = await speak(world, "--list", "--as", sender)
            if row["state"] in {"heard", "failed"}:
                return row
            await asyncio.sleep(0.5)


@pytest.mark.feature("SPEECH-04")
def test_a_text_is_read_to_who_is_called_and_its_sender_learns_it(world: World) -> None:
    async def scenario() -> None:
        sender = await somebody(world, "en")
        async with world.phone_of(world.ben) as desk:
            await desk.register()
            who = ("--as", sender.user.id, "--language", "en", "--confirm")
            await speak(world, "102", TEXT, *who)
            (await desk.next_call(within=30)).reject(486)
            rings = await desk.next_call(within=60)
            assert f"<sip:{sender.extension}@" in rings.request.get("from")
            rings.answer()
            listener = ears(rings)
            await listener.hears("spoken-message", "from-name")
            before = len(rings.heard)
            await listener.hears("to-confirm", within=40)
            words = rings.heard[before:].astype(float)
            frames = words[: len(words) // 160 * 160].reshape(-1, 160)
            loud = np.sqrt((frames**2).mean(axis=1)) > 0.01 * _full_scale(rings.heard)
            assert loud.sum() * 160 / RATE > SHORTEST, "the text was to be heard"
            await listener.presses("2")
            await listener.hears("goodbye")
            await listener.is_hung_up_on()
        row = await over(world, sender.user.id)
        assert (row["state"], row["calls"], row["cause"]) == ("heard", 2, "")
        async with asyncio.timeout(30):
            while not any(
                one["Subject"].startswith("Message heard") for one in mails(world, sender)
            ):
                await asyncio.sleep(0.3)

    asyncio.run(asyncio.wait_for(scenario(), 180))


@pytest.mark.feature_part("SPEECH-04", "who is called talks with the sender by a key")
def test_who_is_called_talks_with_the_sender(world: World) -> None:
    async def scenario() -> None:
        async with world.phone_of(world.anna) as sender, world.phone_of(world.ben) as desk:
            await asyncio.gather(sender.register(), desk.register())
            await speak(world, "102", "Please call me.", "--as", "101", "--language", "en")
            rings = await desk.next_call(within=30)
            rings.answer()
            listener = ears(rings)
            await listener.hears("to-be-connected", within=40)
            await listener.presses("3")
            talk = await sender.next_call(within=30)
            talk.answer()
            await asyncio.gather(
                rings.speak(tone(900, 3)),
                talk.speak(tone(1300, 3)),
                hears_tone(talk, 900),
                hears_tone(rings, 1300),
            )
            await talk.hang_up()
            await listener.is_hung_up_on(within=20)
        row = await over(world, "101")
        assert (row["state"], row["calls"]) == ("heard", 1)

    asyncio.run(asyncio.wait_for(scenario(), 180))


def _full_scale(samples: np.ndarray[Any, Any]) -> float:
    return float(np.iinfo(samples.dtype).max) if samples.dtype.kind == "i" else 1.0
