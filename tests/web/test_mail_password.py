"""The password of a mailbox, entered in the portal and tried on a real mail server (MAIL-03)."""

from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from tests.dovecot import Dovecot, dovecot, password_of
from tests.web.portal_house import ANNA, BERT, PASSWORD, Browser, House, in_house
from vm_ari.domain.entries import IMAP_PASSWORD

PATH = "/me/mail-password"


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with dovecot(ANNA, BERT) as running:
        yield running


def on(server: Dovecot) -> dict[str, Any]:
    """The tables of a house whose messages lie there."""
    table = {"server": server.url, "plaintext": True, "access": "individual", "login": "${LOGIN}"}
    return {"store": {"kind": "imap"}, "imap": table}


async def signed_in(house: House, user_id: str = ANNA) -> Browser:
    browser = house.browser()
    await browser.signs_in(user_id)
    return browser


async def sealed(house: House) -> str | None:
    entry = await house.directory.entry_by_id(ANNA)
    assert entry
    return entry.sealed.get(IMAP_PASSWORD)


@pytest.mark.feature_part("MAIL-03", "the password entered by the user in the portal")
def test_the_password_is_tried_kept_sealed_and_opens_the_mailbox(
    server: Dovecot, tmp_path: Path
) -> None:
    async def story(house: House) -> None:
        browser = await signed_in(house)
        menu = (await browser.sees("/me/overview")).text
        assert f'href="{PATH}"' in menu
        assert "No password is stored yet." in (await browser.sees(PATH)).text
        assert "does not answer" in (await browser.sees("/me/messages")).text
        wrong = await browser.sends(PATH, password="not-the-password")
        assert wrong.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "does not accept this password" in wrong.text
        assert "not-the-password" not in wrong.text
        assert await sealed(house) is None
        own = password_of(ANNA)
        await browser.sends(PATH, password=own)
        kept = await sealed(house)
        assert kept
        assert own not in kept
        page = (await browser.sees(PATH)).text
        assert "The mail server has accepted the password" in page
        assert own not in page
        assert "There are no such messages." in (await browser.sees("/me/messages")).text
        await browser.sends(PATH, what="remove")
        assert await sealed(house) is None

    in_house(tmp_path, story, **on(server))


def test_only_so_many_wrong_passwords_reach_the_server(server: Dovecot, tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser = await signed_in(house)
        for said in ("does not accept", "does not accept", "Too many", "Too many"):
            assert said in (await browser.sends(PATH, password="wrong")).text
        assert "cannot be a password" in (await browser.sends(PATH, password="")).text
        bert = await signed_in(house, BERT)
        right = await bert.sends(PATH, password=password_of(BERT))
        assert right.status_code == HTTPStatus.SEE_OTHER, "nobody suffers for others"

    in_house(tmp_path, story, web={"failures_per_account": 2}, **on(server))


def test_a_server_that_is_away_changes_nothing(server: Dovecot, tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser = await signed_in(house)
        answer = await browser.sends(PATH, password=password_of(ANNA))
        assert "does not answer" in answer.text
        assert await sealed(house) is None

    tables = on(server)
    tables["imap"]["server"] = "imap://127.0.0.1:9"
    in_house(tmp_path, story, **tables)


def test_who_needs_no_password_is_not_asked_for_one(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser = await signed_in(house)
        assert PATH not in (await browser.sees("/me/overview")).text
        assert "There is nothing to do." in (await browser.sees(PATH)).text
        answer = await browser.sends(PATH, "/me/overview", password="whatever")
        assert "There is nothing to do." in answer.text

    in_house(tmp_path, story)


def test_the_link_of_the_welcome_mail_leads_here(server: Dovecot, tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser = house.browser()
        away = await browser.sees(PATH)
        assert away.headers["location"] == "/sign-in?next=%2Fme%2Fmail-password"
        arrived = await browser.sends(
            "/sign-in",
            away.headers["location"],
            name=ANNA,
            password=PASSWORD,
            next=PATH,
        )
        assert arrived.headers["location"] == PATH

    in_house(tmp_path, story, **on(server))
