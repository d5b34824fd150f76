"""The portal in a real Chromium: nothing keeps anybody out, and keys are enough (WEB-04).

``VM_ARI_ALL_LOOKS=1`` looks at every combination of language, colours and width, and keeps the
pictures in the directory that ``VM_ARI_PICTURES`` names.
"""

import os
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.web.browsers import Served, Window, chromium, served, window
from tests.web.portal_house import ANNA, BERT, OLGA, PASSWORD
from vm_ari.web.page import Scope
from vm_ari.web.pages import all_pages
from vm_ari.web.visit import own_address

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("portal browser")]

ALL = list(product(("de", "en"), ("light", "dark"), (360, 1400)))
LOOKS = ALL if os.environ.get("VM_ARI_ALL_LOOKS") else [ALL[2], ALL[5]]
"""German, dark and narrow; English, light and wide."""
PICTURES = os.environ.get("VM_ARI_PICTURES", "")
HOURS = "mon-thu 09:00-17:00 12:00-13:00; fri 09:00-15:00"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("portal")) as one:
        one.do(one.house.directory.change_settings(ANNA, {"office_hours": HOURS}))
        yield one


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


def signs_in(opened: Window, user_id: str) -> None:
    opened.goes("/sign-in")
    opened.page.fill("#name", user_id)
    opened.page.fill("#password", PASSWORD)
    opened.page.keyboard.press("Enter")
    opened.page.wait_for_url("**/me/overview")


def looked_at(opened: Window, path: str, look: tuple[str, str, int]) -> list[str]:
    """What is wrong with a page; its picture is kept where somebody wants it."""
    opened.goes(path)
    found = [f"{path} {look}: {one}" for one in opened.violations()]
    wide = opened.page.evaluate("document.documentElement.scrollWidth")
    if wide > look[2]:
        found.append(f"{path} {look}: {wide} pixels wide")
    if PICTURES:
        name = "-".join(map(str, (path.strip("/").replace("/", "_"), *look)))
        opened.page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)
    return found


@pytest.mark.feature_part("WEB-04", "axe finds nothing on the pages of users")
@pytest.mark.parametrize("look", LOOKS, ids=str)
def test_axe_finds_nothing_and_nothing_is_wider_than_the_window(
    portal: Served, browser: Browser, look: tuple[str, str, int]
) -> None:
    language, colours, width = look
    portal.do(portal.house.directory.change_settings(ANNA, {"language": language}))
    size = {"width": width, "height": 900}
    options = {"color_scheme": colours, "viewport": size, "locale": language}
    with window(browser, portal.address, **options) as opened:
        found = looked_at(opened, "/sign-in", look)
        signs_in(opened, ANNA)
        for page in all_pages():
            if page.menu and page.scope is Scope.OWN:
                found += looked_at(opened, f"/me/{page.path}", look)
        assert opened.page.get_attribute("html", "lang") == language
        assert not found
        assert not opened.complaints


def test_errors_and_acting_for_others_look_good_too(portal: Served, browser: Browser) -> None:
    portal.do(portal.house.directory.change_settings(OLGA, {"language": "en"}))
    with window(browser, portal.address, color_scheme="dark") as opened:
        signs_in(opened, OLGA)
        found = looked_at(opened, own_address("overview", ANNA), ("en", "dark", 1280))
        assert "You are acting for Anna Acker" in opened.page.inner_text("aside")
        opened.goes(own_address("transfers", ANNA))
        opened.page.fill("#transfer_work", "nonsense")
        opened.page.press("#transfer_work", "Enter")
        opened.page.wait_for_selector("#problems")
        found += opened.violations()
        for page in all_pages():
            if page.menu and page.scope is Scope.HOUSE:
                found += looked_at(opened, f"/{page.path}", ("en", "dark", 1280))
        assert not found
        assert not opened.complaints


@pytest.mark.feature_part("WEB-04", "office hours and a profile are set by keyboard alone")
def test_the_keyboard_is_enough(portal: Served, browser: Browser) -> None:
    portal.do(portal.house.directory.change_settings(BERT, {"language": "en"}))
    with window(browser, portal.address, locale="en-GB") as opened:
        page, keys = opened.page, opened.page.keyboard
        opened.goes("/sign-in")
        keys.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        keys.press("Enter")
        keys.press("Tab")
        keys.type(BERT)
        keys.press("Tab")
        keys.type(PASSWORD)
        keys.press("Enter")
        page.wait_for_url("**/me/overview")
        _by_keys(opened, "Office hours")
        page.wait_for_url("**/me/office-hours")
        _tab_to(opened, "mon-from")
        keys.type("0900AM")  # a browser that counts to 24 passes over the letters
        _tab_to(opened, "mon-to")
        keys.type("0530PM")
        keys.press("Enter")
        page.wait_for_selector(".said")
        stored = portal.do(portal.house.directory.entry_by_id(BERT))
        assert stored
        assert "09:00-17:30" in stored.settings["office_hours"]
        assert not opened.complaints


def test_without_javascript_everything_is_there(portal: Served, browser: Browser) -> None:
    with window(browser, portal.address, java_script_enabled=False) as opened:
        signs_in(opened, BERT)
        assert opened.page.locator("main a[href$='count=1']").count() == 1
        opened.goes("/me/profiles")
        opened.page.check("input[value=home]")
        opened.page.click("button:has-text('Activate')")
        opened.page.wait_for_selector(".said")
        assert opened.page.is_checked("input[value=home]")


def _by_keys(opened: Window, name: str) -> None:
    """Walk to a link, and follow it."""
    for _ in range(40):
        opened.page.keyboard.press("Tab")
        if opened.page.evaluate("document.activeElement.textContent").strip() == name:
            opened.page.keyboard.press("Enter")
            return
    raise AssertionError(f"Tab never comes to {name}")


def _tab_to(opened: Window, field: str) -> None:
    for _ in range(60):
        if opened.page.evaluate("document.activeElement.id") == field:
            return
        opened.page.keyboard.press("Tab")
    raise AssertionError(f"Tab never comes to {field}")
