"""A user sets greeting, profile, transfer and language by telephone, and the next call shows it."""

import asyncio

import numpy as np
import pytest

from tests.adapters.greeting_sounds import syllables
from tests.system.callers import BEEP, calling, digits
from tests.system.test_remote_inquiry import logged_in
from tests.system.worlds import somebody
from vm_ari.adapters.ear import RATE
from vm_ari.demo.world import World
from vm_ari.domain.preferences import Access
from vm_ari.speech.language import languages

AT_HOME = syllables(3.0, RATE, hertz=587.0).astype(np.float32)
AT_WORK = syllables(3.0, RATE, hertz=698.0).astype(np.float32)
HEARD = slice(RATE // 2, -RATE // 2)
"""Silence is trimmed from both ends."""


@pytest.mark.feature("GREET-01", "GREET-09")
@pytest.mark.feature_part("GREET-05", "recorded in the menu: the next caller hears it")
def test_the_next_caller_hears_the_greeting_of_the_profile_that_was_activated(
    world: World,
) -> None:
    async def story() -> None:
        owner = await somebody(world)
        async with logged_in(world, owner, then="51") as anna:
            for key, greeting in (("1", AT_WORK), ("3", AT_HOME)):
                await anna.presses(f"{key}2", ms=60)
                await anna.hears("record-greeting-after-tone", BEEP)
                await anna.speaks(greeting)
                await anna.presses("#")
                await anna.hears("to-keep")
                await anna.presses("1")
                await anna.hears("greeting-kept")
                await anna.presses("*")
            await anna.presses("**63", ms=60)
            await anna.hears("profile/home", "profile-activated")
            await anna.hangs_up()
        async with (
            world.outside_phone() as phone,
            calling(phone, owner.number, owner.language) as caller,
        ):
            await caller.hears_audio(AT_HOME[HEARD])
            await caller.hears(BEEP)
        async with logged_in(world, owner, then="61") as anna:
            await anna.hears("profile/work", "profile-activated")
        async with (
            world.outside_phone() as phone,
            calling(phone, owner.number, owner.language) as caller,
        ):
            await caller.hears_audio(AT_WORK[HEARD])

    asyncio.run(story())


@pytest.mark.feature("XFER-04")
@pytest.mark.feature("LANG-01")
def test_transfer_and_language_are_there_at_the_next_login(world: World) -> None:
    async def story() -> None:
        owner = await somebody(world)
        english = str(sorted(languages()).index("en") + 1)
        async with logged_in(world, owner, then="711") as anna:
            await anna.hears("enter-destination")
            await anna.presses("0900123456#", ms=60)
            await anna.hears("number-not-allowed", "enter-destination")
            await anna.presses(f"{owner.extension}#", ms=60)
            await anna.hears("number-not-allowed", "enter-destination")
            await anna.presses("102#", ms=60)
            await anna.hears("transfer-set", "profile/work", "transfer-is", *digits("102"))
            await anna.presses(f"**81{english}", ms=60)
            anna.language = "en"
            await anna.hears("language-set", "for-language")
        async with logged_in(world, owner, then="71") as anna:
            anna.language = "en"
            await anna.hears("profile/work", "transfer-is", *digits("102"), "to-set-transfer")
            await anna.presses("7")
            await anna.hears("transfer-removed", "no-transfer")

    asyncio.run(story())


@pytest.mark.feature("LOGIN-01")
def test_who_may_only_change_profiles_is_not_offered_messages(world: World) -> None:
    async def story() -> None:
        owner = await somebody(world, access=Access.PROFILES)
        async with logged_in(world, owner) as anna:
            await anna.hears("for-greetings", "press", "digits/5")
            assert "for-new-voice-messages" not in anna.told()
            await anna.presses("1")
            await anna.hears("key-not-used")
            await anna.presses("6")
            await anna.hears("profile/work", "profile-is-active")

    asyncio.run(story())
