"""Whoever is invited by mail makes the global greeting, once, and nothing else (GREET-07)."""

import asyncio
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from tests.adapters.smtp_server import Postbox, mail_server
from tests.recordings import spoken, wav
from tests.web.invited import Invited, queued_invitation, read_invitation
from tests.web.portal_house import ANNA, OLGA, Browser, House, in_house, portal_house, token_in
from tests.web.test_greetings import seconds
from vm_ari.domain.greetings import SITE, Slot, Source
from vm_ari.domain.invitations import MOST_CALLS, MOST_WRONG

PAGE = "/global-greeting"
NOT_POSSIBLE = HTTPStatus.UNPROCESSABLE_ENTITY
NO_ASTERISK = {"url": "http://127.0.0.1:9", "password": "unused"}


async def invites(house: House, whom: str, language: str = "de") -> httpx.Response:
    olga = house.browser()
    await olga.signs_in(OLGA)
    return await olga.sends(PAGE, what="invite", whom=whom, language=language)


async def opens(browser: Browser, invited: Invited, code: str = "") -> httpx.Response:
    return await browser.sends(invited.path, code=code or invited.code)


async def uploads(browser: Browser, sound: bytes) -> httpx.Response:
    token = token_in((await browser.sees("/invited")).text)
    files = {"sound": ("all.wav", sound, "audio/wav")}
    data = {"csrf": token, "what": "file"}
    return await browser.http.post("/invited", data=data, files=files)


async def recorded(house: House) -> list[tuple[Slot, str, Source]]:
    store = house.portal.parts.greetings
    assert store
    return [(k.slot, k.language, one.source) for k, one in (await store.of(SITE)).items()]


@pytest.mark.feature("GREET-07")
def test_who_gets_the_mail_uploads_or_writes_the_greeting_and_can_do_nothing_else(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        postbox = Postbox()
        async with mail_server(postbox) as port:
            smtp = {"host": "127.0.0.1", "port": port, "security": "none"}
            mail = {"sender": "voicemail@example.org", "smtp": smtp}
            async with portal_house(tmp_path, mail=mail) as house:
                await invites(house, "speaker@studio.example")
                await house.post.mails.send_what_is_due()
                [(_, to, content)] = postbox.mails
                assert to == ["speaker@studio.example"]
                await makes_the_greeting(house, read_invitation(content))

    asyncio.run(story())


async def makes_the_greeting(house: House, invited: Invited) -> None:
    """Uploaded, heard, then rather spoken from a text."""
    speaker = house.browser()
    assert "Access code" in (await speaker.sees(invited.path)).text
    opened = await opens(speaker, invited, invited.code.upper())
    assert opened.headers["location"] == "/invited"
    await uploads(speaker, wav(spoken(2.0)))
    assert await recorded(house) == [(Slot.GLOBAL, "de", Source.UPLOAD)]
    heard = await speaker.sees("/invited/sound")
    assert seconds(heard) == pytest.approx(2.0, abs=0.4)
    await speaker.sends("/invited", what="text", text="Guten Tag.", language="en")
    assert await recorded(house) == [(Slot.GLOBAL, "de", Source.SPEECH)]
    for other in (PAGE, "/me/overview", "/users", "/queue"):
        away = await speaker.sees(other)
        assert away.headers["location"].startswith("/sign-in"), other
    await is_over_for_everybody(house, speaker, invited)


async def is_over_for_everybody(house: House, speaker: Browser, invited: Invited) -> None:
    """The code was good once; and the one who has used it has finished."""
    another = house.browser()
    assert "has been used" in (await another.sees(invited.path)).text
    assert (await another.sees("/invited")).status_code == NOT_POSSIBLE
    assert "Thank you" in (await speaker.sends("/invited", what="end")).text
    assert (await speaker.sees("/invited")).status_code == NOT_POSSIBLE
    assert (await speaker.sees("/invited/sound")).status_code == HTTPStatus.NOT_FOUND


def test_an_invitation_ends_by_time(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await invites(house, ANNA)
        late, invited = house.browser(), await queued_invitation(house)
        house.clock.passes(days=6)
        assert (await opens(late, invited)).status_code == HTTPStatus.SEE_OTHER
        house.clock.passes(minutes=59)
        assert (await late.sees("/invited")).status_code == HTTPStatus.OK
        token = token_in((await late.sees("/invited")).text)
        house.clock.passes(minutes=2)
        gone = await late.http.post("/invited", data={"csrf": token, "what": "text", "text": "x"})
        assert gone.status_code == NOT_POSSIBLE
        assert not await recorded(house)

    in_house(tmp_path, story)


def test_nobody_guesses_the_code(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await invites(house, "anna@example.org")
        thief, invited = house.browser(), await queued_invitation(house)
        for wrong in range(MOST_WRONG):
            answer = await opens(thief, invited, f"aaaa-aaa{wrong}")
            assert answer.status_code == NOT_POSSIBLE
        assert "has been used" in (await thief.sees(invited.path)).text
        page = await thief.sees("/sign-in")
        data = {"csrf": token_in(page.text), "code": invited.code}
        assert (await thief.http.post(invited.path, data=data)).status_code == NOT_POSSIBLE
        assert "set-cookie" not in (await thief.sees("/invited")).headers

    in_house(tmp_path, story)


def test_a_week_later_the_link_is_over(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await invites(house, ANNA)
        invited = await queued_invitation(house)
        house.clock.passes(days=7, minutes=1)
        assert (await house.browser().sees(invited.path)).status_code == NOT_POSSIBLE

    in_house(tmp_path, story)


def test_telephones_are_called_by_the_dialling_rules_and_not_without_end(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await invites(house, ANNA)
        guest, invited = house.browser(), await queued_invitation(house)
        await opens(guest, invited)
        denied = await guest.sends("/invited", what="call", phone="0900 123456")
        assert "may not be dialled" in denied.text
        for _ in range(MOST_CALLS):
            asked = await guest.sends("/invited", what="call", phone="101")
            assert asked.status_code == HTTPStatus.SEE_OTHER, asked.text
            while "is being called" in (state := (await guest.sees("/invited/call")).text):
                await asyncio.sleep(0.02)
            assert "The call was in vain" in state  # there is no Asterisk
        enough = await guest.sends("/invited", what="call", phone="101")
        assert "enough calls" in enough.text

    rules = {"rules": ["deny +49900"]}
    in_house(tmp_path, story, asterisk=NO_ASTERISK, dialling=rules)


def test_who_cannot_be_reached_is_not_invited(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        for whom in ("speaker@studio.example", "nobody", " ", "x" * 300):
            assert (await invites(house, whom)).status_code == NOT_POSSIBLE, whom
        assert (await invites(house, ANNA, language="xx")).status_code == NOT_POSSIBLE
        assert not await house.post.queue.waiting()

    in_house(tmp_path, story)
