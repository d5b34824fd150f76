"""User pages are there, and what users change is the site's choice, each by itself (WEB-01)."""

import re
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.web.left_messages import leave, only_message
from tests.web.portal_house import ADAM, BERT, PASSWORD, Browser, House, in_house, token_in
from tests.web.test_matrix import filled
from vm_ari.domain.portal_rights import Feature
from vm_ari.web.page import Page, Scope
from vm_ari.web.pages import all_pages
from vm_ari.web.portal import application
from vm_ari.web.visit import own_address, written_id

LISTED = {
    "profiles": Feature.PROFILES,
    "greetings": Feature.GREETINGS,
    "transfers": Feature.TRANSFERS,
    "office-hours": Feature.OFFICE_HOURS,
    "pin": Feature.PIN,
    "phones": Feature.PHONES,
    "notifications": Feature.NOTIFICATIONS,
    "languages": Feature.LANGUAGES,
    "mail-password": Feature.MAIL_PASSWORD,
    "journal": None,
}
"""The pages that WEB-01 names, with what the site can keep from users; nobody changes a journal."""
OWN = [page for page in all_pages() if page.scope is Scope.OWN]
MAIN = re.compile(r"<main.*?</main>", re.DOTALL)
POSTED = re.compile(r'<form method="post".*?</form>', re.DOTALL)
BUTTON = re.compile(r"<button[^>]*>")


def of(feature: Feature) -> list[Page]:
    found = [page for page in OWN if page.feature is feature]
    assert found, f"no page is for {feature}"
    return found


def usable_buttons(html: str) -> list[str]:
    """That send changes of the page."""
    [main] = MAIN.findall(html)
    forms = POSTED.findall(main)
    return [one for form in forms for one in BUTTON.findall(form) if " disabled" not in one]


async def without(house: House, feature: Feature, user_id: str) -> Browser:
    """The same house where users may not change that; signed in."""
    parts = house.portal.parts
    rights = replace(parts.rights, may_change=frozenset(Feature) - {feature})
    browser = Browser(application(replace(parts, rights=rights)), {})
    await browser.signs_in(user_id, PASSWORD)
    return browser


def test_every_page_of_a_user_is_there() -> None:
    there = {page.path: page.feature for page in OWN}
    assert {path: there.get(path, "missing") for path in LISTED} == LISTED
    for feature in Feature:
        assert of(feature)


@pytest.mark.feature("WEB-01")
def test_what_the_site_keeps_from_users_is_shown_but_not_changed(tmp_path: Path) -> None:
    """Each feature by itself: its pages have no button and refuse changes; all others go on."""

    async def story(house: House) -> None:
        await leave(house, tmp_path, BERT)
        uid = written_id((await only_message(house, BERT)).uid)
        for feature in Feature:
            user, admin = await without(house, feature, BERT), await without(house, feature, ADAM)
            token, admins = [
                token_in((await one.sees("/me/overview")).text) for one in (user, admin)
            ]
            for page in of(feature):
                path = filled(page.path).replace("messages/1", f"messages/{uid}")
                own = own_address(path.replace("greetings/1/1", "greetings/work/en"))
                acting = own_address(path.replace("greetings/1/1", "greetings/work/en"), BERT)
                if page.show:
                    shown = await user.sees(own)
                    if shown.status_code == HTTPStatus.OK and "text/html" in _kind(shown):
                        assert usable_buttons(shown.text) == [], own
                if page.change:
                    refused = await user.http.post(own, data={"csrf": token})
                    assert refused.status_code == HTTPStatus.FORBIDDEN, own
                    allowed = await admin.http.post(acting, data={"csrf": admins})
                    assert allowed.status_code != HTTPStatus.FORBIDDEN, acting
            other = next(one for one in (Feature.PIN, Feature.PHONES) if one is not feature)
            for page in of(other):
                answer = await user.http.post(own_address(page.path), data={"csrf": token})
                assert answer.status_code != HTTPStatus.FORBIDDEN, (feature, page.path)

    in_house(tmp_path, story)


def _kind(answer: object) -> str:
    return str(getattr(answer, "headers", {}).get("content-type", ""))


def test_no_change_of_an_own_page_is_forgotten() -> None:
    """Changes that are nobody's choice: those of administrators, and what belongs to a session."""
    free = {
        page.path for page in OWN if page.change and page.feature is None and page.role.value < 2
    }
    assert {path.partition("/")[0] for path in free} <= {"api-tokens"}, free
