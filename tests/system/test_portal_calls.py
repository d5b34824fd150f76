"""The portal and telephones: what one does, the other one hears (GREET-09, INBOX-14)."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.patience import AT_MOST, STORY
from tests.system.callers import babble, calling, digits, new_number
from tests.system.mails import mails
from tests.system.test_calling_back import has_arrived, phone_of_ben
from tests.system.test_remote_inquiry import leave
from tests.system.transfer_site import ears, hears_tone, tone
from tests.system.worlds import somebody
from tests.web.browsers import window
from tests.web.microphone import chromium_hearing, records, signs_in
from tests.web.portal_house import Browser
from vm_ari.adapters.ear import RATE, tones
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.system_clock import SystemClock
from vm_ari.config import load
from vm_ari.config.web import WebSettings
from vm_ari.demo.world import World
from vm_ari.web.portal import application
from vm_ari.wiring.directories import open_directories, open_greetings
from vm_ari.wiring.mail import open_post
from vm_ari.wiring.store import open_store
from vm_ari.wiring.surroundings import Surroundings
from vm_ari.wiring.web import Portal, the_portal

HZ = 620
PASSWORD = "a-password-of-7-words"


@asynccontextmanager
async def portal_of(world: World, home: Path) -> AsyncIterator[Portal]:
    """The portal of that world, on a port of its own."""
    web = WebSettings(enabled=True, port=0, directory=home / "web")
    config = load(world.config).model_copy(update={"web": web})
    keys, clock = KeyRing(config.directory.keys), SystemClock()
    async with AsyncExitStack() as closing:
        directories = open_directories(config, keys, clock)
        closing.push_async_callback(directories.close)
        greetings = open_greetings(config)
        closing.push_async_callback(greetings.close)
        store = open_store(config, keys, directories.register, home)
        closing.push_async_callback(store.close)
        people = directories.register
        post = open_post(config, keys, clock, directories.for_calls, people, doorman=store.doorman)
        closing.push_async_callback(post.close)
        shared = Surroundings(
            keys,
            clock,
            directories,
            mailboxes=store.mailboxes,
            greetings=greetings,
            notices=post.mails,
        )
        portal = the_portal(config, shared)
        closing.push_async_callback(portal.close)
        serving = asyncio.create_task(portal.run())
        try:
            while not (portal.server and portal.server.port):
                await asyncio.sleep(0.01)
            yield portal
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)


def recorded_in_browser(port: int, user_id: str, home: Path) -> None:
    """As the user does it."""
    with (
        chromium_hearing(home, HZ) as browser,
        window(browser, f"https://localhost:{port}") as opened,
    ):
        signs_in(opened, user_id, PASSWORD)
        records(opened, "/me/greetings/work/de")
        assert not opened.complaints


@pytest.mark.slow
@pytest.mark.feature("GREET-09")
def test_callers_hear_what_was_recorded_in_a_browser(world: World, tmp_path: Path) -> None:
    async def scenario() -> None:
        person = await somebody(world)
        async with portal_of(world, tmp_path) as portal:
            assert portal.parts.passwords
            assert portal.server
            await portal.parts.passwords.set_password(person.user.id, PASSWORD)
            port = portal.server.port
            await asyncio.to_thread(recorded_in_browser, port, person.user.id, tmp_path)
        async with world.outside_phone() as phone, calling(phone, person.number) as caller:
            async with asyncio.timeout(AT_MOST):
                while not tones(caller.call.heard, HZ, min_seconds=1.0):
                    await asyncio.sleep(0.1)

    asyncio.run(scenario())


async def asks_for_a_call(
    portal: Portal, user_id: str, phone: str, *, what: str = "play", find: str = ""
) -> Browser:
    """By the buttons: the newest message, on that telephone."""
    browser = Browser(application(portal.parts), {})
    await browser.signs_in(user_id, PASSWORD)
    listed = (await browser.sees(f"/me/messages?find={quote(find)}")).text
    found = re.search(r'href="(/me/messages/[^"?]+)"', listed)
    assert found, listed
    asked = await browser.sends(found[1], what=what, phone=phone)
    assert asked.status_code == HTTPStatus.SEE_OTHER, asked.text
    return browser


@pytest.mark.feature("INBOX-14")
def test_a_message_of_the_portal_is_played_on_the_users_telephone(
    world: World, tmp_path: Path
) -> None:
    async def scenario() -> None:
        ben, said, number = world.ben, babble(2.5, 4), new_number()
        await leave(world, ben, said, number)
        await has_arrived(world, ben, number)
        async with portal_of(world, tmp_path) as portal, phone_of_ben(world) as desk:
            assert portal.parts.passwords
            await portal.parts.passwords.set_password(ben.user.id, PASSWORD)
            browser = await asks_for_a_call(portal, ben.user.id, ben.user.numbers[0])
            rings = await desk.next_call(within=AT_MOST)
            assert "is being called" in (await browser.sees("/me/messages/call")).text
            rings.answer()
            listener = ears(rings)
            await listener.hears("message-call")
            await listener.presses("1")
            await listener.hears_audio(said[RATE // 2 : -RATE // 2])
            await listener.presses("*")
            await listener.is_hung_up_on()
            async with asyncio.timeout(AT_MOST):
                while "was successful" not in (await browser.sees("/me/messages/call")).text:
                    await asyncio.sleep(0.1)

    asyncio.run(asyncio.wait_for(scenario(), STORY))


@pytest.mark.feature("STORE-05")
def test_the_portal_calls_its_user_and_then_the_sender(world: World, tmp_path: Path) -> None:
    """The own telephone rings first; a key, and the sender's does."""

    async def scenario() -> None:
        anna, ben = world.anna, world.ben
        await leave(world, ben, babble(2.2, 5), anna.number)
        async with asyncio.timeout(AT_MOST):
            while anna.number not in {mail.caller for mail in mails(world, ben)}:
                await asyncio.sleep(0.1)
        async with (
            portal_of(world, tmp_path) as portal,
            phone_of_ben(world) as own,
            world.phone_of(anna) as senders,
        ):
            await senders.register()
            assert portal.parts.passwords
            await portal.parts.passwords.set_password(ben.user.id, PASSWORD)
            mine = ben.user.numbers[0]
            browser = await asks_for_a_call(
                portal, ben.user.id, mine, what="call-back", find=anna.number
            )
            rings = await own.next_call(within=AT_MOST)
            rings.answer()
            listener = ears(rings)
            await listener.hears("number-is", *digits(anna.extension), "to-confirm")
            await listener.presses("1")
            await listener.hears("please-hold")
            theirs = await senders.next_call(within=AT_MOST)
            assert f"<sip:{ben.extension}@" in theirs.request.get("from")
            theirs.answer()
            await asyncio.gather(
                listener.speaks(tone(1000, 2)),
                theirs.speak(tone(1700, 2)),
                hears_tone(theirs, 1000),
                hears_tone(rings, 1700),
            )
            await theirs.hang_up()
            await listener.is_hung_up_on()
            async with asyncio.timeout(AT_MOST):
                while "was successful" not in (await browser.sees("/me/messages/call")).text:
                    await asyncio.sleep(0.1)

    asyncio.run(asyncio.wait_for(scenario(), STORY))
