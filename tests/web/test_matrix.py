"""Every route × every role (UM-02): made from the table of routes, so that no page is forgotten."""

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
from tests.web.role_matrix import FILE, MAY_ACT_FOR, ONE_OF_EACH, ROLES, in_matrix
from tests.web.role_matrix import page as printed
from vm_ari.domain.portal_rights import Role
from vm_ari.web.page import Page, Scope
from vm_ari.web.pages import all_pages
from vm_ari.web.visit import own_address, read_id, written_id

SIGN_IN = "/sign-in"


def filled(path: str) -> str:
    """An address with something in place of its names."""
    return "/".join("1" if part.startswith("{") else part for part in path.split("/"))


def addresses(page: Page, user_id: str) -> list[str]:
    """Of an own page, for oneself and for another; of a page of the house, the one."""
    if page.scope is Scope.HOUSE:
        return [f"/{filled(page.path)}"]
    return [own_address(filled(page.path)), own_address(filled(page.path), user_id)]


def lets_in(answer: httpx.Response) -> bool:
    """Has a handler answered? What it says of made-up parameters is its own business."""
    away = answer.headers.get("location", "").startswith(SIGN_IN)
    refused = answer.status_code in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
    assert answer.status_code != HTTPStatus.INTERNAL_SERVER_ERROR, answer.request.url
    return not (away or refused)


async def signed_in(house: House, user_id: str) -> Browser:
    browser = house.browser()
    await browser.signs_in(user_id)
    return browser


@pytest.mark.feature_part("UM-02", "every page is open to the roles that it names, and no other")
def test_every_page_is_open_to_its_roles_only(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        for user_id in ONE_OF_EACH:
            browser, role = await signed_in(house, user_id), ROLES[user_id]
            for page in all_pages():
                if page.show is None or page.role is Role.ANYONE:
                    continue
                own, *_ = addresses(page, user_id)
                assert lets_in(await browser.sees(own)) is (role >= page.role), (user_id, own)

    in_matrix(tmp_path, story)


@pytest.mark.feature_part("UM-02", "nobody sees or changes what belongs to somebody else")
def test_a_page_of_another_user_is_open_to_who_may_act_for_him_only(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        for user_id in ROLES:
            browser = await signed_in(house, user_id)
            token = token_in((await browser.sees("/me/overview")).text)
            for other in (ANNA, BERT, CORA, ADAM, "nobody"):
                allowed = other in MAY_ACT_FOR[user_id]
                for page in all_pages():
                    if page.scope is not Scope.OWN:
                        continue
                    path = own_address(filled(page.path), other)
                    if page.show:
                        assert lets_in(await browser.sees(path)) is allowed, (user_id, path)
                    if page.change and not allowed:
                        answer = await browser.http.post(path, data={"csrf": token})
                        assert answer.status_code == HTTPStatus.FORBIDDEN, (user_id, path)

    in_matrix(tmp_path, story)


def test_strangers_are_sent_to_sign_in_and_can_change_nothing(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser = house.browser()
        for page in all_pages():
            for path in addresses(page, ANNA):
                if page.role is Role.ANYONE and page.scope is Scope.HOUSE:
                    continue
                if page.show:
                    answer = await browser.sees(path)
                    assert answer.status_code == HTTPStatus.SEE_OTHER, path
                    assert answer.headers["location"].startswith(SIGN_IN), path
                if page.change:
                    token = token_in((await browser.sees(SIGN_IN)).text)
                    answer = await browser.http.post(path, data={"csrf": token})
                    assert answer.status_code == HTTPStatus.UNAUTHORIZED, path

    in_matrix(tmp_path, story)


def test_every_change_wants_the_token_of_that_browser_and_user(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        anna, bert = await signed_in(house, ANNA), await signed_in(house, BERT)
        berts = token_in((await bert.sees("/me/overview")).text)
        for page in all_pages():
            if page.change is None:
                continue
            path = addresses(page, ANNA)[0]
            for wrong in ("", "0" * 64, berts):
                answer = await anna.http.post(path, data={"csrf": wrong})
                assert answer.status_code == HTTPStatus.FORBIDDEN, path
            right = token_in((await anna.sees("/me/overview")).text)
            answer = await anna.http.post(
                path, data={"csrf": right}, headers={"sec-fetch-site": "cross-site"}
            )
            assert answer.status_code == HTTPStatus.FORBIDDEN, path

    in_house(tmp_path, story)


def test_an_agreement_that_is_recorded_lets_the_operator_in(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser = await signed_in(house, OLGA)
        page = await browser.sees(own_address("overview", CORA))
        assert page.status_code == HTTPStatus.OK
        assert "You are acting for Cora Curie (cora)." in page.text

    south = {"name": "South", "data_processing_agreement": "2026-02-01"}
    in_house(tmp_path, story, organisations={"south": south})


def test_the_printed_matrix_is_fresh() -> None:
    assert FILE.read_text(encoding="utf-8") == printed(), "python -m tests.web.role_matrix"


def test_any_id_can_be_part_of_an_address() -> None:
    for user_id in ("anna", "a/b", "..", ".", "~x", "ä ö", "a%2Fb", "x" * 200):
        written = written_id(user_id)
        assert "/" not in written
        assert written not in {".", ".."}
        assert read_id(written) == user_id
