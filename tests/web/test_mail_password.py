"""The password of a mailbox, entered in the portal and tried on a real mail server (MAIL-03)."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.ldap_people import PEOPLE, person, unit
from tests.dovecot import Dovecot, dovecot, password_of
from tests.slapd import PASSWORD as OF_SERVICE
from tests.slapd import SERVICE, Slapd, slapd
from tests.web.portal_house import ANNA, BERT, PASSWORD, Browser, House, config_of, in_house
from vm_ari.adapters.sealing import KeyRing
from vm_ari.adapters.system_clock import SystemClock
from vm_ari.config import BadConfig
from vm_ari.domain.entries import IMAP_PASSWORD
from vm_ari.web.portal import application
from vm_ari.wiring.directories import open_directories
from vm_ari.wiring.store import open_store
from vm_ari.wiring.surroundings import Surroundings
from vm_ari.wiring.web import the_portal

PATH = "/me/mail-password"
LONG = f"{ANNA}@example.org"
"""Another login name on the mail server."""


@pytest.fixture(scope="module")
def server() -> Iterator[Dovecot]:
    with dovecot(ANNA, BERT, LONG) as running:
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


@pytest.mark.feature("MAIL-03")
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
        assert "There are no messages here." in (await browser.sees("/me/messages")).text
        await browser.sends(PATH, what="remove")
        assert await sealed(house) is None

    in_house(tmp_path, story, **on(server))


@pytest.mark.feature("MAIL-03")
@pytest.mark.parametrize(
    ("template", "login"), [("$(LOGIN)@example.org", LONG), ("$(MAIL)", LONG), ("$(MAILBOX)", ANNA)]
)
def test_the_login_name_on_the_mail_server_is_made_by_the_template(
    server: Dovecot, tmp_path: Path, template: str, login: str
) -> None:
    async def story(house: House) -> None:
        browser = await signed_in(house)
        other = password_of(ANNA if login == LONG else LONG)
        assert "does not accept" in (await browser.sends(PATH, password=other)).text
        await browser.sends(PATH, password=password_of(login))
        assert "There are no messages here." in (await browser.sees("/me/messages")).text

    tables = on(server)
    tables["imap"]["login"] = template
    in_house(tmp_path, story, **tables)


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


@asynccontextmanager
async def on_directory_server(
    home: Path, people: Slapd, tables: dict[str, Any]
) -> AsyncIterator[Browser]:
    """A browser before a portal whose users are on that server."""
    table = {"servers": [people.url], "plaintext": True, "bases": [PEOPLE], "account": SERVICE}
    ldap = table | {"cache": home / "cache.db", "password": OF_SERVICE}
    url, keys = f"sqlite:///{home}/portal.db", KeyRing(home / "keys")
    directory = {"kind": "ldap", "url": url, "keys": home / "keys", "ldap": ldap}
    config, clock = config_of(home, directory=directory, **tables), SystemClock()
    (home / "listening").mkdir()
    async with AsyncExitStack() as closing:
        directories = open_directories(config, keys, clock)
        closing.push_async_callback(directories.close)
        store = open_store(config, keys, directories.register, home / "listening")
        closing.push_async_callback(store.close)
        portal = the_portal(
            config, Surroundings(keys, clock, directories, mailboxes=store.mailboxes)
        )
        closing.push_async_callback(portal.close)
        yield Browser(application(portal.parts), {})


@pytest.mark.feature("MAIL-03")
def test_where_it_is_set_the_directory_server_judges_the_password(
    server: Dovecot, tmp_path: Path
) -> None:
    """Bert has another password there than on the mail server."""
    tables = on(server)
    tables["imap"]["judge"] = "directory"

    async def story(people: Slapd) -> None:
        async with on_directory_server(tmp_path, people, tables) as browser:
            await browser.signs_in(BERT, PASSWORD)
            refused = await browser.sends(PATH, password=password_of(BERT))
            assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
            assert "In the directory you have another password." in refused.text
            assert "No password is stored yet." in (await browser.sees(PATH)).text
            await browser.sends("/sign-out", PATH)
            await browser.signs_in(ANNA, password_of(ANNA))
            await browser.sends(PATH, password=password_of(ANNA))
            assert "The password is yours of the directory" in (await browser.sees(PATH)).text
            assert "There are no messages here." in (await browser.sees("/me/messages")).text

    everybody = person(ANNA, userPassword=password_of(ANNA), telephoneNumber="+49814247910")
    everybody += person(BERT, userPassword=PASSWORD, telephoneNumber="+49814247912")
    with slapd(unit("people") + everybody) as people:
        asyncio.run(story(people))
        kept = "".join(people.read(f"uid={ANNA},{PEOPLE}", "vmAriSetting"))
        assert "imap_password=" in kept
        assert password_of(ANNA) not in kept


def test_only_directory_servers_judge(server: Dovecot, tmp_path: Path) -> None:
    async def story(house: House) -> None:
        raise AssertionError("there is no such portal")

    tables = on(server)
    tables["imap"]["judge"] = "directory"
    with pytest.raises(BadConfig, match=r"imap\.judge: only directory servers know passwords"):
        in_house(tmp_path, story, **tables)
