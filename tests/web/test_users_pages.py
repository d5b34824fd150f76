"""Users as admins see and change them (DIR-07, UM-01, WELCOME-05), and nobody else's (UM-02)."""

from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

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
from vm_ari.domain.entries import PIN, Entry
from vm_ari.domain.preferences import SETTINGS
from vm_ari.domain.welcome import Standing
from vm_ari.services.user_import import Fate
from vm_ari.services.waiting_list import Matter
from vm_ari.services.welcome import Outcome
from vm_ari.web.pages.account import ACTIONS, UNLOCK
from vm_ari.web.pages.account_settings import GENERAL, GROUPS
from vm_ari.web.pages.users import COLUMNS, ON_A_PAGE
from vm_ari.web.people_forms import FIELDS
from vm_ari.web.texts import Texts

WEB = Path(__file__).parents[2] / "templates" / "web"
MANY = 120
WELCOME = {"welcome": {"enabled": True}}
NEW = {"given": "Nora", "surname": "Neu", "name": "", "mail": "nora@example.org", "mailbox": ""}


async def visitor(house: House, user_id: str) -> Browser:
    browser = house.browser()
    await browser.signs_in(user_id)
    return browser


async def uploads(browser: Browser, content: str, **fields: str) -> httpx.Response:
    token = token_in((await browser.sees("/users/files")).text)
    files = {"file": ("users.csv", content.encode(), "text/csv")}
    data = {"csrf": token, "format": "", **fields}
    return await browser.http.post("/users/files", data=data, files=files)


async def wrong_pins(house: House, user_id: str) -> None:
    for _ in range(20):
        await house.directory.check_pin(user_id, "0000")


@pytest.mark.feature("DIR-05", "DIR-07", "WEB-02")
def test_the_list_is_searched_and_paged_and_shows_chosen_columns(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        more = [Entry(f"u{n:03}", f"User {n}", str(2000 + n)) for n in range(MANY)]
        await house.directory.add_entries([*more, Entry("uemit", "Ümit Özil", "3001")])
        olga = await visitor(house, OLGA)
        first = (await olga.sees("/users?q=u")).text
        assert first.count('<th scope="row"><a') == ON_A_PAGE
        seen, address = 0, "/users"
        for _ in range(9):
            page = (await olga.sees(address)).text
            seen += page.count('<th scope="row"><a')
            if 'rel="next"' not in page:
                break
            address = page.split('rel="next"')[0].rpartition('href="')[2].split('"')[0]
            address = address.replace("&amp;", "&")
        assert seen == MANY + 5  # all but Cora
        for typed, who in (
            ("ümit", "uemit"),
            ("ACKER anna", ANNA),
            ("08142 47-910", ANNA),
            ("anna@exa", ANNA),
            ("%", ""),
        ):
            found = (await olga.http.get("/users", params={"q": typed})).text
            assert found.count('<th scope="row"><a') == bool(who), typed
            assert f">{who}</a>" in found or not who
        wide = (await olga.http.get("/users", params={"q": "anna", "columns": COLUMNS})).text
        assert "Wrong PINs" in wide
        assert "German" in wide or "English" in wide or ">en<" in wide

    in_house(tmp_path, story)


@pytest.mark.feature("DIR-05", "DIR-07")
def test_a_user_is_added_with_numbers_in_any_spelling_and_what_is_taken_is_named(
    tmp_path: Path,
) -> None:
    async def story(house: House) -> None:
        olga = await visitor(house, OLGA)
        new = {**NEW, "organisation": "", "id": "nora", "number1": "08142 / 47-930"}
        taken = await olga.sends("/users/new", **{**new, "number1": "08142/47910"})
        assert taken.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "+49814247910 belongs to Anna Acker (anna)." in taken.text
        same = await olga.sends("/users/new", **{**new, "mail": "Anna@Example.org"})
        assert "Anna@Example.org belongs to Anna Acker (anna)." in same.text
        bad = await olga.sends("/users/new", **{**new, "number2": "hello", "mail": "x", "id": ANNA})
        for fault in ("not a telephone number", "not a mail address", "This id is taken"):
            assert fault in bad.text
        done = await olga.sends("/users/new", **new, number3="+49 8142 47931", pin="yes")
        assert done.headers["location"] == "/users/nora/account"
        entry = await house.directory.entry_by_id("nora")
        assert entry
        assert entry.numbers == ("+49814247930", "+49814247931")
        assert (entry.mailbox, entry.name) == ("30", "Nora Neu")
        assert PIN in entry.sealed
        assert "The user is added." in (await olga.sees("/users/nora/account")).text

    in_house(tmp_path, story)


@pytest.mark.feature("DIR-07")
def test_templates_are_shown_by_example_and_name_new_users(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        olga = await visitor(house, OLGA)
        typed = {"given": "Jörg", "surname": "Größe"}
        shown = (await olga.http.get("/users/example", params=typed)).text
        assert "name Größe, Jörg, address j.groesse@example.org" in shown
        hostile = {"given": "<b>", "surname": "${given}"}
        assert "<b>" not in (await olga.http.get("/users/example", params=hostile)).text
        new = {**NEW, **typed, "mail": "", "organisation": ""}
        await olga.sends("/users/new", **new, id="joerg")
        await olga.sends("/users/new", **new, id="joerg2")
        first, second = [await house.directory.entry_by_id(one) for one in ("joerg", "joerg2")]
        assert first
        assert second
        assert (first.name, first.mail) == ("Größe, Jörg", "j.groesse@example.org")
        assert second.mail not in {"", first.mail}  # each address is there once
        assert "address j.groesse@example.org" in (await olga.sees("/users/joerg/account")).text

    templates = {"display_name": "${surname}, ${given}"}
    templates |= {"mail_address": "${given|first}.${surname}@example.org"}
    in_house(tmp_path, story, users=templates)


@pytest.mark.feature("DIR-05", "DIR-07", "WEB-02")
def test_an_account_is_changed_wholly_or_not_at_all(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        olga, page = await visitor(house, OLGA), "/users/anna/account"
        typed = {"given": "Anna", "surname": "Berg", "name": "Anna Berg", "organisation": ""}
        typed |= {"mail": "anna@example.org", "mailbox": "101", "was_enabled": "yes"}
        refused = await olga.sends(page, **typed, number1="08142 47914")
        assert "belongs to Adam Adler (adam)" in refused.text
        entry = await house.directory.entry_by_id(ANNA)
        assert entry
        assert entry.name == "Anna Acker"
        await olga.sends(page, **typed, number1="08142 47910", number2="08142 47999")
        entry = await house.directory.entry_by_id(ANNA)
        assert entry
        assert (entry.name, entry.mailbox) == ("Anna Berg", "101")
        assert entry.numbers == ("+49814247910", "+49814247999")
        assert entry.settings["voice_mail_enabled"] == "no"
        assert "Anna Berg" in (await olga.sees("/users?q=99")).text

    in_house(tmp_path, story)


@pytest.mark.feature("DIR-05")
def test_every_setting_is_there_with_its_origin_and_can_be_changed(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        olga, page = await visitor(house, OLGA), "/users/anna/account/settings"
        shown = (await olga.sees(page)).text
        missing = [key for key in SETTINGS if f'name="{key}"' not in shown]
        assert not missing
        assert "Default of the site" in shown
        await olga.sends(page, language="de", access="profiles")
        entry = await house.directory.entry_by_id(ANNA)
        assert entry
        assert entry.settings == {"language": "de", "access": "profiles"}
        bad = await olga.sends(page, access="everything", language="en")
        assert bad.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert (await house.directory.entry_by_id(ANNA)) == entry

    in_house(tmp_path, story)


@pytest.mark.feature_part("WELCOME-05", "the five actions, as pages")
def test_the_five_actions_unlock_at_once_and_mail_when_asked(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        olga, page = await visitor(house, OLGA), "/users/anna/account"
        login = f"{page}/login"
        await house.directory.set_pin(ANNA, "483920")
        for action, unlocks, mails in (
            ("unlock", True, False),
            ("resend", False, True),
            ("reset", False, True),
            ("unlock-resend", True, True),
            ("unlock-reset", True, True),
        ):
            await wrong_pins(house, ANNA)
            house.clock.passes(seconds=1)
            before = len(await house.post.queue.waiting())
            shown = (await olga.sees(page)).text
            assert f'value="{action}"' in shown
            answer = await olga.sends(login, page, what=action, now="yes")
            assert answer.headers["location"] == page
            state = await house.directory.login_state(ANNA)
            assert (state.failures == 0) is unlocks, action
            assert (len(await house.post.queue.waiting()) > before) is mails, action
            await house.directory.unlock(ANNA)
        await olga.sends(login, page, what="reset")
        assert "leaves with the next call" in (await olga.sees(page)).text

    in_house(tmp_path, story, **WELCOME)


@pytest.mark.feature("DIR-05")
def test_a_user_is_removed_only_with_the_id_typed_and_never_oneself(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        olga, page = await visitor(house, OLGA), "/users/anna/account/remove"
        anna = await visitor(house, ANNA)
        assert "another id" in (await olga.sends(page, id="bert")).text
        own = await olga.sends(f"/users/{OLGA}/account/remove", id=OLGA)
        assert "Nobody removes" in own.text
        assert await house.directory.entry_by_id(OLGA)
        assert (await olga.sends(page, id=ANNA)).headers["location"] == "/users"
        assert await house.directory.entry_by_id(ANNA) is None
        gone = await anna.sees("/me/overview")
        assert gone.headers["location"].startswith("/sign-in")

    in_house(tmp_path, story)


def test_a_file_is_checked_first_and_imported_wholly(tmp_path: Path) -> None:
    rows = "id,name,mail,numbers\nnora,Nora Neu,nora@example.org,08142 47950\n"

    async def story(house: House) -> None:
        olga = await visitor(house, OLGA)
        assert "Checked: 1 would be added" in (await uploads(olga, rows)).text
        assert await house.directory.entry_by_id("nora") is None
        bad = await uploads(olga, f"{rows}otto,Otto,nora@example.org,\n", do="import")
        assert bad.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "nora@example.org is the address of user nora." in bad.text
        assert await house.directory.entry_by_id("nora") is None
        assert "Imported: 1 added" in (await uploads(olga, rows, do="import")).text
        assert await house.directory.entry_by_id("nora")
        text = (await olga.sees("/users/export?format=csv")).text
        assert "nora@example.org" in text
        assert CORA not in text
        assert "mail: nora@example.org" in (await olga.sees("/users/export?format=ldif")).text

    in_house(tmp_path, story)


@pytest.mark.feature_part("UM-02", "an administrator sees and changes users of his own only")
def test_an_administrator_neither_sees_nor_changes_anybody_of_another_organisation(
    tmp_path: Path,
) -> None:
    strangers = (ANNA, CORA, OLGA)

    async def story(house: House) -> None:
        adam = await visitor(house, ADAM)
        before = {one.id: one for one in await house.directory.all_entries()}
        for path in ("/users", "/users?q=example.org", "/users/export", "/users?q=101"):
            page = (await adam.sees(path)).text
            assert "anna" not in page.casefold(), path
            assert "cora" not in page.casefold(), path
        assert "Bert Bauer" in (await adam.sees("/users")).text
        token = token_in((await adam.sees("/users")).text)
        for one in strangers:
            for page in ("account", "account/settings", "account/remove", "account/login"):
                answer = await adam.http.post(
                    f"/users/{one}/{page}", data={"csrf": token, "id": one, "what": "unlock"}
                )
                assert answer.status_code == HTTPStatus.FORBIDDEN, (one, page)
        new = {**NEW, "id": "nora", "number1": "08142 47910"}
        for organisation in ("", "south"):
            answer = await adam.sends("/users/new", **{**new, "organisation": organisation})
            assert "no such organisation" in answer.text
        taken = await adam.sends("/users/new", **{**new, "organisation": "north"})
        assert "belongs to a user of another organisation" in taken.text
        assert "anna" not in taken.text.casefold()
        moved = {"mail": "bert@example.org", "mailbox": "102", "organisation": "south"}
        answer = await adam.sends("/users/bert/account", given="", surname="", name="B", **moved)
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        for rows in (
            "id,name,organisation\nnora,Nora,south\n",
            "id,name\nnora,Nora\n",
            "id,name,organisation,numbers\nnora,Nora,north,08142 47910\n",
            "id,name,organisation,mail\nnora,Nora,north,anna@example.org\n",
            "id,name,organisation\nanna,Mine,north\n",
        ):
            answer = await uploads(adam, rows, do="import", update="yes")
            assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, rows
            assert "acker" not in answer.text.casefold()
            assert "user anna" not in answer.text
        assert {one.id: one for one in await house.directory.all_entries()} == before

    in_house(tmp_path, story)


@pytest.mark.feature_part("UM-02", "nobody gets rights by making or changing who has more")
def test_an_administrator_cannot_become_an_operator_by_way_of_an_account(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        adam, olga = await visitor(house, ADAM), await visitor(house, OLGA)
        await house.directory.change_details(OLGA, {"organisation": "north"})
        for page in ("account", "account/settings", "account/remove", "overview"):
            answer = await adam.sees(f"/users/{OLGA}/{page}")
            assert answer.status_code == HTTPStatus.FORBIDDEN, page
        new = {**NEW, "organisation": "north"}
        for user_id in ("otto", "susi"):  # an operator, and an administrator of another house
            answer = await adam.sends("/users/new", **new, id=user_id)
            assert "rights of its own" in answer.text
            rows = f"id,name,organisation\n{user_id},New,north\n"
            assert "rights of its own" in (await uploads(adam, rows, do="import")).text
        rows = f"id,mail\n{OLGA},adam2@example.org\n"
        assert "rights of its own" in (await uploads(adam, rows, do="import", update="yes")).text
        entry = await house.directory.entry_by_id(OLGA)
        assert entry
        assert entry.mail == "olga@example.org"
        await olga.sends("/users/new", **new, id="susi")
        assert await house.directory.entry_by_id("susi")

    houses = {
        "north": {"administrators": [ADAM], "data_processing_agreement": "2026-01-15"},
        "south": {"administrators": ["susi"]},
    }
    in_house(tmp_path, story, organisations=houses, web={"operators": [OLGA, "otto"]})


def test_defaults_reach_only_whom_one_may_change_and_only_when_counted(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        adam = await visitor(house, ADAM)
        page, what = "/users/defaults", {"way": "distribute", "keys": "language"}
        assert "not the number" in (await adam.sends(page, **what, count="5")).text
        begun = await adam.sends(page, **what, count="2")
        assert begun.status_code == HTTPStatus.SEE_OTHER
        while "Ended" not in (text := (await adam.sees(page)).text):
            pass
        assert "Ended: 2 changed, 0 not possible." in text
        entries = {one.id: one for one in await house.directory.all_entries()}
        own = {key for key, one in entries.items() if "language" in one.settings}
        assert own == {ADAM, BERT}

    in_house(tmp_path, story)


@pytest.mark.feature("UM-01")
def test_packages_are_counted_and_no_more_are_given_away(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        adam = await visitor(house, ADAM)
        new = {**NEW, "id": "nora", "organisation": "north"}
        await adam.sends("/users/new", **new)
        page = (await adam.sees("/users")).text
        assert "<td>3</td><td>3</td>" in page
        full = await adam.sends("/users/new", **{**new, "id": "olaf", "mail": ""})
        assert "All packages of this organisation are used." in full.text
        rows = "id,name,organisation\nolaf,Olaf,north\n"
        assert "All packages" in (await uploads(adam, rows, do="import")).text
        assert await house.directory.entry_by_id("olaf") is None

    north = {"name": "North", "administrators": [ADAM], "packages": 3}
    in_house(tmp_path, story, organisations={"north": north})


def test_the_words_that_these_pages_put_together_are_there() -> None:
    for words in Texts(WEB / "texts").by_language.values():
        assert {f"account.standing.{one.name.lower()}" for one in Standing} <= set(words)
        outcomes = {one.name.lower().replace("_", "-") for one in Outcome}
        assert {f"account.outcome.{one}" for one in outcomes} <= set(words)
        assert {f"account.field.{one}" for one in FIELDS} <= set(words)
        assert {f"account.action.{one}" for one in (*ACTIONS, UNLOCK)} <= set(words)
        assert {f"queue.matter.{one}" for one in Matter} <= set(words)
        assert {f"user-files.fate.{one.value}" for one in Fate} <= set(words)
        assert {f"users.column.{one}" for one in COLUMNS} <= set(words)
        assert {f"account.group.{name}" for name in (GENERAL, *dict(GROUPS))} <= set(words)
