"""Greetings in the portal: heard, uploaded, spoken, ended, deleted (GREET-01, -09, -10)."""

import asyncio
import io
import wave
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from tests.recordings import spoken, wav
from tests.web.portal_house import ANNA, BERT, Browser, House, in_house, token_in
from vm_ari.domain.greetings import Greeting, GreetingKey, Slot, Source
from vm_ari.web.visit import own_address

WORK = "/me/greetings/work/en"


async def signed_in(house: House, user_id: str = ANNA) -> Browser:
    browser = house.browser()
    await browser.signs_in(user_id)
    return browser


async def uploads(browser: Browser, path: str, sound: bytes) -> httpx.Response:
    token = token_in((await browser.sees(path)).text)
    files = {"sound": ("greeting.wav", sound, "audio/wav")}
    return await browser.http.post(path, data={"csrf": token, "what": "file"}, files=files)


async def greetings_of(house: House, user_id: str = ANNA) -> Mapping[GreetingKey, Greeting]:
    store = house.portal.parts.greetings
    assert store
    return await store.of(user_id)


def seconds(answer: httpx.Response) -> float:
    assert answer.headers["content-type"] == "audio/wav", answer.text[:2000]
    with wave.open(io.BytesIO(answer.content)) as sound:
        assert sound.getframerate() == 16_000
        return float(sound.getnframes() / sound.getframerate())


@pytest.mark.feature("GREET-09")
def test_an_uploaded_greeting_is_heard_by_callers_ends_and_is_deleted(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser = await signed_in(house)
        default = seconds(await browser.sees("/me/greetings/now"))
        kept = await uploads(browser, WORK, wav(spoken(3.0)))
        assert kept.status_code == HTTPStatus.SEE_OTHER, kept.text
        assert "callers hear it from now on" in (await browser.sees(WORK)).text
        assert seconds(await browser.sees(f"{WORK}/sound")) == pytest.approx(3.0, abs=0.4)
        now = seconds(await browser.sees("/me/greetings/now"))
        assert now == pytest.approx(3.0, abs=0.4)
        assert now != default
        year = house.clock.at.year + 1
        await browser.sends(WORK, what="end", until=f"{year}-12-24")
        page = (await browser.sees(WORK)).text
        assert f'value="{year}-12-24"' in page
        assert "Callers hear it until" in page
        past = await browser.sends(WORK, what="end", until="2020-01-01")
        assert "This is no day to come" in past.text
        house.clock.passes(days=800)
        await browser.signs_in(ANNA)
        assert "has ended" in (await browser.sees("/me/greetings")).text
        assert seconds(await browser.sees("/me/greetings/now")) == default
        await browser.sends(WORK, what="delete")
        assert not await greetings_of(house)
        assert (await browser.sees(f"{WORK}/sound")).status_code == HTTPStatus.NOT_FOUND

    in_house(tmp_path, story)


@pytest.mark.feature("GREET-09")
def test_a_text_is_spoken_as_the_name_or_a_greeting(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser, path = await signed_in(house), "/me/greetings/name/de"
        done = await browser.sends(path, what="text", text="Anna Acker")
        assert done.status_code == HTTPStatus.SEE_OTHER, done.text
        [(key, greeting)] = (await greetings_of(house)).items()
        assert (key.slot, key.language, greeting.source) == (Slot.NAME, "de", Source.SPEECH)
        empty = await browser.sends(path, what="text", text="  ")
        assert "Write what shall be spoken." in empty.text

    in_house(tmp_path, story)


@pytest.mark.feature("GREET-09")
def test_what_cannot_become_a_greeting_is_said_and_the_older_one_stays(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser = await signed_in(house)
        await uploads(browser, WORK, wav(spoken(2.0)))
        before = await greetings_of(house)
        for sound, said in (
            (b"not a sound at all" * 50, "no sound file that can be read"),
            (wav(spoken(0.2)), "record it again"),
            (b"", "Choose a sound file"),
        ):
            answer = await uploads(browser, WORK, sound)
            assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
            assert said in answer.text
        denied = await browser.sends(WORK, what="call", other="0900 123456")
        assert denied.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert 'aria-describedby="call-error "' in denied.text
        for unknown in ("global/en", "work/xx", "nonsense/en"):
            missing = await browser.sees(f"/me/greetings/{unknown}")
            assert missing.status_code == HTTPStatus.NOT_FOUND
        assert await greetings_of(house) == before
        asked = await browser.sends(WORK, what="call", phone="+49814247910")
        assert asked.status_code == HTTPStatus.SEE_OTHER
        while "is being called" in (state := (await browser.sees("/me/greetings/call")).text):
            await asyncio.sleep(0.02)
        assert "The call was in vain" in state  # there is no Asterisk

    in_house(tmp_path, story, asterisk={"url": "http://127.0.0.1:9", "password": "unused"})


def test_where_the_site_reserves_greetings_users_only_listen(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser = await signed_in(house, BERT)
        path = "/me/greetings/home/en"
        page = (await browser.sees(path)).text
        assert 'type="file"' not in page
        answer = await uploads(browser, path, wav(spoken(2.0)))
        assert answer.status_code == HTTPStatus.FORBIDDEN
        adam = await signed_in(house, "adam")
        other = own_address("greetings/home/en", BERT)
        assert (await uploads(adam, other, wav(spoken(2.0)))).status_code == HTTPStatus.SEE_OTHER
        assert seconds(await browser.sees(f"{path}/sound")) == pytest.approx(2.0, abs=0.4)

    in_house(tmp_path, story, web={"may_change": ["pin"]})
