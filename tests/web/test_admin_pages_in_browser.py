"""Pages of administrators in a real Chromium, by the keyboard alone (WEB-04)."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.web.browsers import Served, Window, chromium, served, signs_in, window
from tests.web.portal_house import OLGA

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("portal"), welcome={"enabled": True}) as one:
        yield one


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@pytest.fixture
def opened(portal: Served, browser: Browser) -> Iterator[Window]:
    with window(browser, portal.address, reduced_motion="reduce") as one:
        signs_in(one, OLGA)
        yield one


def test_axe_finds_nothing_where_something_was_wrong(opened: Window) -> None:
    opened.goes("/users/new")
    opened.page.fill("#number1", "nonsense")
    opened.page.press("#number1", "Enter")
    opened.page.wait_for_selector("#problems")
    assert not opened.violations()
    assert not opened.complaints


@pytest.mark.feature_part("WEB-04", "a user is added by keyboard alone")
def test_a_user_is_added_by_keyboard(opened: Window, portal: Served) -> None:
    page, keys = opened.page, opened.page.keyboard
    opened.goes("/users/new")
    for field, text in (("id", "nora"), ("given", "Nora"), ("surname", "Neu")):
        while page.evaluate("document.activeElement.id") != field:
            keys.press("Tab")
        keys.type(text)
    page.locator("#example", has_text="Nora Neu").wait_for()
    keys.press("Enter")
    page.wait_for_url("**/users/nora/account")
    stored = portal.do(portal.house.directory.entry_by_id("nora"))
    assert stored
    assert stored.name == "Nora Neu"
    assert not opened.complaints
