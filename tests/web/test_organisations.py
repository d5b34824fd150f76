"""Organisations in the portal, and roles that are given elsewhere (UM-01, UM-02)."""

import re
from html.parser import HTMLParser
from http import HTTPStatus
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.web.portal_house import (
    ADAM,
    ANNA,
    BERT,
    CORA,
    OLGA,
    Browser,
    House,
    in_house,
    token_in,
)
from vm_ari.domain.entries import Entry
from vm_ari.domain.organisations import Fault, OrganisationRecord
from vm_ari.domain.packages import Service
from vm_ari.domain.portal_rights import Role
from vm_ari.web.organisation_forms import FIELDS
from vm_ari.web.page import Scope
from vm_ari.web.pages import all_pages
from vm_ari.web.people_parts import people_parts
from vm_ari.web.texts import Texts

WEB = Path(__file__).parents[2] / "templates" / "web"
EDIT = "/organisations/edit"
_VERSION = re.compile(r'name="version" value="(\d+)"')


async def visitor(house: House, user_id: str) -> Browser:
    browser = house.browser()
    await browser.signs_in(user_id)
    return browser


async def changes(browser: Browser, address: str, **fields: str) -> str:
    """Fill in the form as it is shown; where that leads, or the page with what is wrong."""
    page = (await browser.sees(address)).text
    found = _VERSION.search(page)
    assert found
    data = {"csrf": token_in(page), "version": found[1], **fields}
    answer = await browser.http.post(address, data=data)
    return answer.headers.get("location", "") or answer.text


def known(house: House, organisation: str) -> OrganisationRecord:
    return people_parts(house.portal.parts).organisations.known[organisation]


@pytest.mark.feature("UM-02")
def test_an_organisation_gets_users_administrators_and_an_agreement(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        olga = await visitor(house, OLGA)
        new = {"id": "west", "name": "West Ltd", "packages": "2", "agreement": ""}
        added = await olga.sends("/organisations/new", **new)
        assert added.headers["location"] == f"{EDIT}/west"
        assert (
            "There is an organisation west already"
            in (await olga.sends("/organisations/new", **new)).text
        )
        refused = await olga.sees("/users/new")
        assert "West Ltd" not in refused.text  # no agreement, no users
        west = {"name": "West Ltd", "packages": "2", "administrators": ""}
        with capture_logs() as logs:
            await changes(olga, f"{EDIT}/west", **west, agreement="2026-01-15")
        assert {"by": OLGA, "what": ["agreement"]}.items() <= logs[-1].items() or any(
            one.get("by") == OLGA and one.get("what") == ["agreement"] for one in logs
        )
        page = (await olga.sees(f"{EDIT}/west")).text
        assert "Recorded by olga" in page
        user = {"given": "Wim", "surname": "West", "mailbox": "", "name": "", "mail": ""}
        await olga.sends("/users/new", **user, id="wim", organisation="west")
        west |= {"agreement": "2026-01-15"}
        for wrong in ("bert", "nobody", OLGA):
            told = await changes(olga, f"{EDIT}/west", **{**west, "administrators": wrong})
            assert f"{wrong} is no user of this organisation" in told
        await changes(olga, f"{EDIT}/west", **{**west, "administrators": " wim ,\n"})
        assert known(house, "west").administrators == ("wim",)
        await house.sets_password("wim")
        wim = await visitor(house, "wim")
        assert "Wim West" in (await wim.sees("/users")).text
        assert "Bert" not in (await wim.sees("/users")).text
        assert (await wim.sees("/organisations")).status_code == HTTPStatus.FORBIDDEN
        await changes(olga, f"{EDIT}/west", **west)
        assert (await wim.sees("/users")).status_code == HTTPStatus.FORBIDDEN

    in_house(tmp_path, story)


@pytest.mark.feature("UM-02")
def test_an_operator_acts_only_while_the_agreement_is_recorded(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        olga = await visitor(house, OLGA)
        south = {"name": "South", "packages": "", "administrators": ""}
        for page in (f"/users/{CORA}/overview", "/organisations/settings/south"):
            assert (await olga.sees(page)).status_code == HTTPStatus.FORBIDDEN, page
        token = token_in((await olga.sees("/organisations")).text)
        refused = await olga.http.post(
            "/organisations/settings/south", data={"csrf": token, "version": "0", "language": "de"}
        )
        assert refused.status_code == HTTPStatus.FORBIDDEN
        assert "Cora" not in (await olga.sees("/users")).text
        await changes(olga, f"{EDIT}/south", **south, agreement="2026-02-01")
        assert (await olga.sees(f"/users/{CORA}/overview")).status_code == HTTPStatus.OK
        await changes(olga, "/organisations/settings/south", language="de")
        user = await house.directory.user_by_id(CORA)
        assert user
        assert user.language == "de"  # calls follow, too
        assert "de" in (await olga.sees(f"/users/{CORA}/account/settings")).text
        bad = await changes(olga, "/organisations/settings/south", language="deutsch!")
        assert "problems" in bad
        await changes(olga, f"{EDIT}/south", **south, agreement="")
        assert (await olga.sees(f"/users/{CORA}/overview")).status_code == HTTPStatus.FORBIDDEN
        assert known(house, "south").settings == {"language": "de"}

    in_house(tmp_path, story)


def test_of_two_operators_the_second_sees_what_the_first_has_done(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        olga, other = await visitor(house, OLGA), await visitor(house, OLGA)
        page = (await other.sees(f"{EDIT}/north")).text
        north = {"name": "N", "packages": "9", "administrators": ADAM, "agreement": "2026-01-15"}
        await changes(olga, f"{EDIT}/north", **north)
        data = {**north, "name": "Mine", "csrf": token_in(page), "version": "0"}
        late = await other.http.post(f"{EDIT}/north", data=data)
        assert late.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "Somebody else has changed" in late.text
        assert 'value="N"' in late.text
        assert known(house, "north").name == "N"
        agreement = known(house, "north").agreement
        assert agreement
        assert agreement.recorded_by == "configuration"  # the same day stays as it was recorded

    in_house(tmp_path, story)


def test_what_is_wrong_stands_at_its_field_and_nothing_is_stored(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        olga = await visitor(house, OLGA)
        good = {"name": "N", "packages": "", "administrators": "", "agreement": ""}
        for field, text, told in (
            ("packages", "many", "is no number of packages"),
            ("packages", "-1", "is no number of packages"),
            ("agreement", "soon", "is not a day"),
            ("agreement", "2999-01-01", "still to come"),
            ("name", "a\x07b", "visible signs"),
            ("name", "x" * 201, "visible signs"),
            ("administrators", "\n".join(f"u{n}" for n in range(101)), "are possible"),
        ):
            page = await changes(olga, f"{EDIT}/north", **{**good, field: text})
            assert told in page, (field, text)
            assert f'id="{field}-error"' in page
        assert known(house, "north").version == 0
        for wrong in ("", " ", "x" * 65, "a\tb"):
            answer = await olga.sends("/organisations/new", **good, id=wrong)
            assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, wrong
        for strange in ("a/b", "..", "<b>ä</b>"):
            added = await olga.sends("/organisations/new", **good, id=strange)
            page = (await olga.sees(added.headers["location"])).text
            assert "<b>ä</b>" not in page
            assert known(house, strange)
        missing = await olga.sees(f"{EDIT}/nowhere")
        assert missing.status_code == HTTPStatus.NOT_FOUND

    in_house(tmp_path, story)


@pytest.mark.feature_part("UM-01", "packages of organisations and of the site are shown")
def test_used_and_total_packages_and_too_many_numbers_are_shown(tmp_path: Path) -> None:
    numbers = tuple(f"+4981424792{n}" for n in range(5))

    async def story(house: House) -> None:
        await house.directory.add_entries([Entry("many", "Many", "777", numbers)])
        olga = await visitor(house, OLGA)
        page = (await olga.sees("/organisations")).text
        rows = [re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", one)) for one in page.split("<tr>")]
        assert any("North" in row and " 2 3 adam" in row for row in rows), rows
        assert "In the whole installation, 6 of 7 packages are used." in page
        assert "many: 5" in page
        form = (await olga.sees("/users/many/account")).text
        assert 'name="number5"' in form
        kept = {f"number{place}": one for place, one in enumerate(numbers, start=1)}
        fields = {"given": "", "surname": "", "mail": "", "mailbox": "777", "organisation": ""}
        await olga.sends("/users/many/account", **fields, **kept, name="Renamed")
        entry = await house.directory.entry_by_id("many")
        assert entry
        assert (entry.name, entry.numbers) == ("Renamed", numbers)
        fewer = {**kept, "number2": ""}
        await olga.sends("/users/many/account", **fields, **fewer, name="Renamed")
        entry = await house.directory.entry_by_id("many")
        assert entry
        assert len(entry.numbers) == 4
        new = {"id": "x", "given": "X", "surname": "", "name": "", "mail": "", "mailbox": ""}
        assert (await olga.sends("/users/new", **new, organisation="")).headers["location"]
        full = await olga.sends("/users/new", **{**new, "id": "y"}, organisation="")
        assert "All packages of this installation are used." in full.text

    north = {"name": "North", "administrators": [ADAM], "packages": 3}
    north |= {"data_processing_agreement": "2026-01-15"}
    in_house(tmp_path, story, organisations={"north": north}, users={"packages": 7})


class _Controls(HTMLParser):
    """What can be filled in or pressed on a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.feed(page.partition("<main")[2])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in {"input", "select", "textarea", "button"} and given.get("name"):
            self.names.add(str(given["name"]))


ASSIGNED = {"number1", "number2", "number3", "mailbox"}
ADMINISTERED = {"organisation", "mail", "enabled", "was_enabled"}
"""On the account, what others decide: where somebody belongs, and which services; the address has
a page of its own, with the code."""


@pytest.mark.feature("UM-02")
def test_a_users_page_is_the_admins_page_without_number_assignment(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        bert, adam = await visitor(house, BERT), await visitor(house, ADAM)
        compared = 0
        for page in all_pages():
            if page.scope is not Scope.OWN or page.role > Role.USER or page.show is None:
                continue
            if "{" in page.path or page.passive:
                continue
            own = await bert.sees(f"/me/{page.path}")
            theirs = await adam.sees(f"/users/{BERT}/{page.path}")
            assert own.status_code == theirs.status_code, page.path
            if own.status_code != HTTPStatus.OK:  # it is about a message that is not named here
                continue
            users, admins = _Controls(own.text).names, _Controls(theirs.text).names
            if page.path == "account":
                assert admins - users == ASSIGNED | ADMINISTERED
            assert not users & ASSIGNED, page.path
            if page.path not in {"account", "pin", "password", "mail-address", "api-tokens"}:
                assert users == admins, page.path  # those ask users for a secret of their own
            compared += 1
        assert compared > 12

    in_house(tmp_path, story)


def test_what_a_user_sends_of_others_business_is_nothing(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        bert = await visitor(house, BERT)
        before = await house.directory.entry_by_id(BERT)
        assert before
        hostile = {"organisation": "", "mail": "x@example.org", "number1": "08142 479 99"}
        hostile |= {"mailbox": "999", "enabled": "", "was_enabled": "yes", "id": ANNA}
        names = {"given": "Bertram", "surname": "Bauer", "name": ""}
        done = await bert.sends("/me/account", **hostile, **names)
        assert done.headers["location"] == "/me/account"
        after = await house.directory.entry_by_id(BERT)
        assert after
        assert (after.given, after.surname, after.name) == ("Bertram", "Bauer", "Bertram Bauer")
        assert after.numbers == before.numbers
        assert (after.mail, after.mailbox, after.organisation) == (
            before.mail,
            before.mailbox,
            before.organisation,
        )
        assert after.settings == before.settings
        wrong = await bert.sends("/me/account", given="a\x1bb", surname="", name="")
        assert wrong.status_code == HTTPStatus.UNPROCESSABLE_ENTITY

    in_house(tmp_path, story)


def test_the_site_decides_whether_users_change_their_names(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        bert = await visitor(house, BERT)
        assert "disabled" in (await bert.sees("/me/account")).text
        answer = await bert.sends("/me/account", given="X", surname="", name="")
        assert answer.status_code == HTTPStatus.FORBIDDEN
        answer = await bert.sends("/me/mail-address", what="begin", new="x@example.org")
        assert answer.status_code == HTTPStatus.FORBIDDEN

    in_house(tmp_path, story, web={"may_change": ["pin"]})


def test_the_words_that_these_pages_put_together_are_there() -> None:
    for words in Texts(WEB / "texts").by_language.values():
        assert {f"organisations.fault.{one.value}" for one in Fault} <= set(words)
        assert {f"organisations.field.{one}" for one in FIELDS} <= set(words)
        assert {f"account.service.{one.value}" for one in Service} <= set(words)
