"""Single sign-on by OpenID Connect, with a real provider beside (WEB-03)."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from tests.web.openid_provider import CLIENT, SECRET, Provider, new_key, provider
from tests.web.portal_house import Browser, House, portal_house
from vm_ari.adapters.asterisk.ports import free_port

Story = Callable[[House, Provider], Awaitable[None]]


def with_provider(home: Path, story: Story, *, claim: str = "", **person: object) -> None:
    async def run() -> None:
        async with provider(**person) as one:
            table = {"issuer": one.issuer, "client_id": CLIENT, "client_secret": SECRET}
            if claim:
                table["claim"] = claim
            async with portal_house(home, web={"openid": table}) as house:
                await story(house, one)

    asyncio.run(run())


async def comes_back(browser: Browser, wished: str = "/me/pin") -> httpx.Response:
    """Through the provider, as a browser goes."""
    away = await browser.sees(f"/sign-in/openid?next={wished}")
    assert away.status_code == HTTPStatus.SEE_OTHER, away.text
    async with httpx.AsyncClient() as elsewhere:
        back = urlsplit((await elsewhere.get(away.headers["location"])).headers["location"])
    return await browser.sees(f"{back.path}?{back.query}")


def test_who_is_known_there_is_signed_in_here(tmp_path: Path) -> None:
    async def story(house: House, _provider: Provider) -> None:
        browser = house.browser()
        answer = await comes_back(browser)
        assert answer.headers["location"] == "/me/pin"
        assert (await browser.sees("/me/pin")).status_code == HTTPStatus.OK

    with_provider(tmp_path, story, preferred_username="anna")


def test_a_mail_address_counts_where_the_provider_has_verified_it(tmp_path: Path) -> None:
    async def story(house: House, there: Provider) -> None:
        assert (await comes_back(house.browser())).status_code == HTTPStatus.SEE_OTHER
        there.person = {**there.person, "email_verified": False}
        assert (await comes_back(house.browser())).status_code == HTTPStatus.UNAUTHORIZED

    person = {"email": "Anna@example.org", "email_verified": True}
    with_provider(tmp_path, story, claim="email", **person)


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    async def story(house: House, there: Provider) -> None:
        lies: list[dict[str, object]] = [
            {"aud": "another"},
            {"iss": "https://evil.example"},
            {"nonce": "another"},
            {"exp": 1000},
            {"preferred_username": ""},
            {"preferred_username": "nobody"},
        ]
        for lie in lies:
            there.lies = lie
            browser = house.browser()
            answer = await comes_back(browser)
            assert answer.status_code == HTTPStatus.UNAUTHORIZED, lie
            assert (await browser.sees("/me/pin")).status_code == HTTPStatus.SEE_OTHER
        there.lies = {}
        planned = await house.browser().sees("/sign-in/openid")
        async with httpx.AsyncClient() as elsewhere:
            back = (await elsewhere.get(planned.headers["location"])).headers["location"]
        parts = urlsplit(back)
        victim = house.browser()  # somebody else's answer, in a browser that never asked
        answer = await victim.sees(f"{parts.path}?{parts.query}")
        assert answer.status_code == HTTPStatus.UNAUTHORIZED

    with_provider(tmp_path, story, preferred_username="anna")


def test_a_key_that_the_provider_has_changed_is_fetched_and_a_foreign_one_refused(
    tmp_path: Path,
) -> None:
    async def story(house: House, there: Provider) -> None:
        assert (await comes_back(house.browser())).status_code == HTTPStatus.SEE_OTHER
        there.key = await asyncio.to_thread(new_key)
        assert (await comes_back(house.browser())).status_code == HTTPStatus.SEE_OTHER
        there.signs_with = await asyncio.to_thread(new_key)
        assert (await comes_back(house.browser())).status_code == HTTPStatus.UNAUTHORIZED

    with_provider(tmp_path, story, preferred_username="anna")


def test_a_provider_that_is_away_is_said(tmp_path: Path) -> None:
    async def run() -> None:
        nowhere = f"http://127.0.0.1:{free_port()}"
        table = {"issuer": nowhere, "client_id": CLIENT, "client_secret": SECRET}
        async with portal_house(tmp_path, web={"openid": table}) as house:
            answer = await house.browser().sees("/sign-in/openid")
            assert answer.status_code == HTTPStatus.UNAUTHORIZED
            assert "did not work" in answer.text

    asyncio.run(run())
