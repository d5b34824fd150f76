"""The portal has a telephone called, and a greeting is recorded there (GREET-07, GREET-09)."""

import asyncio
from http import HTTPStatus
from pathlib import Path
from secrets import token_urlsafe

import numpy as np
import pytest

from tests.adapters.greeting_sounds import pitch, syllables
from tests.patience import AT_MOST, STORY
from tests.system.callers import BEEP
from tests.system.test_calling_back import phone_of_ben
from tests.system.test_portal_calls import PASSWORD, portal_of
from tests.system.transfer_site import ears
from tests.web.portal_house import Browser
from vm_ari.adapters.ear import RATE
from vm_ari.adapters.softphone import Softphone
from vm_ari.demo.world import World
from vm_ari.domain.greetings import SITE, GreetingKey, Slot
from vm_ari.domain.invitations import LASTS, Invitation, key_of, proof_of
from vm_ari.services.invitations import Invitations
from vm_ari.web.portal import application
from vm_ari.wiring.web import Portal

MINE = syllables(2.5, RATE, hertz=587.0).astype(np.float32)
ALL = syllables(2.5, RATE, hertz=740.0).astype(np.float32)


async def speaks(desk: Softphone, sound: "np.ndarray[tuple[int], np.dtype[np.float32]]") -> None:
    """Picks up, hears the tone, speaks, keeps it."""
    rings = await desk.next_call(within=AT_MOST)
    rings.answer()
    person = ears(rings)
    await person.presses("#")
    await person.hears(BEEP)
    await person.speaks(sound)
    await person.presses("#")
    await person.hears("to-keep")
    await person.presses("1")
    await person.is_hung_up_on()


async def was_successful(browser: Browser, path: str) -> None:
    async with asyncio.timeout(AT_MOST):
        while "was successful" not in (await browser.sees(path)).text:
            await asyncio.sleep(0.1)


async def hertz(portal: Portal, key: GreetingKey) -> float:
    store = portal.parts.greetings
    assert store
    return pitch(Path(f"{(await store.of(key.owner))[key].path}.wav16"))


@pytest.mark.slow
@pytest.mark.feature("GREET-09")
def test_the_users_phone_is_called_and_what_is_spoken_there_is_the_greeting(
    world: World, tmp_path: Path
) -> None:
    async def scenario() -> None:
        ben, page = world.ben.user, "/me/greetings/custom-2/en"
        async with portal_of(world, tmp_path) as portal, phone_of_ben(world) as desk:
            assert portal.parts.passwords
            await portal.parts.passwords.set_password(ben.id, PASSWORD)
            browser = Browser(application(portal.parts), {})
            await browser.signs_in(ben.id, PASSWORD)
            asked = await browser.sends(page, what="call", phone=ben.numbers[0])
            assert asked.status_code == HTTPStatus.SEE_OTHER, asked.text
            await speaks(desk, MINE)
            await was_successful(browser, "/me/greetings/call")
            key = GreetingKey(ben.id, Slot.CUSTOM_2, "en")
            assert await hertz(portal, key) == pytest.approx(587, abs=5)

    asyncio.run(asyncio.wait_for(scenario(), STORY))


async def invited(portal: Portal) -> Browser:
    """As if the mail had come: it would lie in somebody's mailbox, where other tests look."""
    service = next(one for one in portal.parts.more if isinstance(one, Invitations))
    link, code = token_urlsafe(32), "k7mwp3xd"
    ends = portal.parts.clock.now() + LASTS
    one = Invitation(key_of(link), proof_of(link, code), "eve@example.org", "en", ends)
    await service.rows.add(one)
    browser = Browser(application(portal.parts), {"accept-language": "en"})
    opened = await browser.sends(f"/invitation/{link}", code=code)
    assert opened.status_code == HTTPStatus.SEE_OTHER, opened.text
    return browser


@pytest.mark.slow
@pytest.mark.feature("GREET-07")
def test_who_is_invited_has_a_phone_called_and_records_the_global_greeting(
    world: World, tmp_path: Path
) -> None:
    async def scenario() -> None:
        key = GreetingKey(SITE, Slot.GLOBAL, "en")
        async with portal_of(world, tmp_path) as portal, phone_of_ben(world) as desk:
            browser = await invited(portal)
            asked = await browser.sends("/invited", what="call", phone=world.ben.extension)
            assert asked.headers["location"] == "/invited", asked.text
            await speaks(desk, ALL)
            await was_successful(browser, "/invited/call")
            assert await hertz(portal, key) == pytest.approx(740, abs=5)
            assert portal.parts.greetings
            await portal.parts.greetings.delete(key)

    asyncio.run(asyncio.wait_for(scenario(), STORY))
