"""What people do in the portal, in a real Chromium: by keyboard alone, and without JavaScript.

WEB-04; how every page looks is in `test_every_page_in_browser`.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.web.browsers import Served, Window, chromium, served, signs_in, window
from tests.web.left_messages import leave
from tests.web.portal_house import ANNA, BERT, OLGA, PASSWORD
from vm_ari.domain.pin import PinCheck
from vm_ari.web.visit import own_address

pytestmark = pytest.mark.slow

ENGLISH = {"language": "en"}


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home: Path = tmp_path_factory.mktemp("portal")
    with served(home, welcome={"enabled": True}) as one:
        for user_id in (ANNA, BERT, OLGA):
            one.do(one.house.directory.change_settings(user_id, ENGLISH))
        one.do(leave(one.house, home, BERT))
        yield one


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@pytest.fixture
def bert(portal: Served, browser: Browser) -> Iterator[Window]:
    """Signed in, with a keyboard and no mouse."""
    with window(browser, portal.address, locale="en-GB") as opened:
        signs_in(opened, BERT)
        yield opened
        assert not opened.complaints


@pytest.fixture
def olga(portal: Served, browser: Browser) -> Iterator[Window]:
    """The operator, in the same way."""
    with window(browser, portal.address, locale="en-GB") as opened:
        signs_in(opened, OLGA)
        yield opened
        assert not opened.complaints


def goes_to(opened: Window, name: str) -> None:
    """Walk to a link or button of that text, and press Enter on it."""
    tab_to(opened, f"document.activeElement.textContent.trim() == {name!r}")
    with opened.page.expect_navigation():
        opened.page.keyboard.press("Enter")


def tab_to_field(opened: Window, field: str) -> None:
    tab_to(opened, f"document.activeElement.id == {field!r}")


def tab_to(opened: Window, reached: str) -> None:
    """JavaScript says when."""
    for _ in range(90):
        if opened.page.evaluate(reached):
            return
        opened.page.keyboard.press("Tab")
    raise AssertionError(f"Tab never comes to where {reached}")


@pytest.mark.feature_part("WEB-04", "signing in by keyboard alone; the focus is seen")
def test_the_sign_in(portal: Served, browser: Browser) -> None:
    with window(browser, portal.address, locale="en-GB") as opened:
        page, keys = opened.page, opened.page.keyboard
        opened.goes("/sign-in")
        keys.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        assert page.evaluate("document.activeElement.getBoundingClientRect().x") >= 0
        keys.press("Enter")
        keys.press("Tab")
        keys.type(BERT)
        keys.press("Tab")
        keys.type(PASSWORD)
        keys.press("Enter")
        page.wait_for_url("**/me/overview")
        goes_to(opened, "Sign out")
        page.wait_for_url("**/sign-in*")
        assert not opened.complaints


@pytest.mark.feature_part("WEB-04", "the grid of office hours by keyboard alone")
def test_office_hours(bert: Window, portal: Served) -> None:
    goes_to(bert, "Office hours")
    bert.page.wait_for_url("**/me/office-hours")
    tab_to_field(bert, "mon-from")
    bert.page.keyboard.type("0900AM")  # a browser that counts to 24 passes over the letters
    tab_to_field(bert, "mon-to")
    bert.page.keyboard.type("0530PM")
    bert.page.keyboard.press("Enter")
    bert.page.wait_for_selector(".said")
    stored = portal.do(portal.house.directory.entry_by_id(BERT))
    assert stored
    assert "09:00-17:30" in stored.settings["office_hours"]


@pytest.mark.feature_part("WEB-04", "another profile by keyboard alone")
def test_the_profile(bert: Window, portal: Served) -> None:
    goes_to(bert, "Profiles")
    bert.page.wait_for_url("**/me/profiles")
    tab_to(bert, "document.activeElement.name == 'profile'")
    bert.page.keyboard.press("ArrowDown")
    chosen = bert.page.evaluate("document.activeElement.value")
    bert.page.keyboard.press("Enter")
    bert.page.wait_for_selector(".said")
    stored = portal.do(portal.house.directory.entry_by_id(BERT))
    assert stored
    assert stored.settings["profile"] == chosen


@pytest.mark.feature_part("WEB-04", "another PIN by keyboard alone")
def test_the_pin(bert: Window, portal: Served) -> None:
    goes_to(bert, "PIN")
    bert.page.wait_for_url("**/me/pin")
    for field in ("new", "again"):
        tab_to_field(bert, field)
        bert.page.keyboard.type("482915")
    bert.page.keyboard.press("Enter")
    bert.page.wait_for_selector(".said")
    assert portal.do(portal.house.directory.check_pin(BERT, "482915")) is PinCheck.RIGHT


@pytest.mark.feature_part("WEB-04", "a message is heard and deleted by keyboard alone")
def test_a_message(bert: Window) -> None:
    goes_to(bert, "Messages")
    bert.page.wait_for_url("**/me/messages")
    goes_to(bert, "Eva Eder")
    bert.waits_until("document.querySelector('audio')?.readyState > 0")
    bert.page.evaluate("document.querySelector('audio').muted = true")
    tab_to(bert, "document.activeElement.tagName == 'AUDIO'")
    bert.page.keyboard.press("Space")
    bert.waits_until("document.querySelector('audio').currentTime > 0")
    goes_to(bert, "Delete")
    bert.page.wait_for_selector("text=The message is deleted.")
    goes_to(bert, "Bring it back")
    bert.page.wait_for_selector("text=The message is back.")


@pytest.mark.feature_part("WEB-04", "an admin unlocks and resets a user by keyboard alone")
def test_a_reset_of_a_user(olga: Window, portal: Served) -> None:
    goes_to(olga, "Users")
    olga.page.wait_for_url("**/users")
    goes_to(olga, ANNA)
    olga.page.wait_for_url("**/users/anna/account")
    goes_to(olga, "New PIN, and send the mail")
    olga.page.wait_for_selector(".said")
    stored = portal.do(portal.house.directory.login_state(ANNA))
    assert stored.welcome_wish


@pytest.mark.feature_part("WEB-04", "the mass reset by keyboard alone")
def test_the_reset_of_everybody(olga: Window) -> None:
    goes_to(olga, "Mass reset")
    olga.page.wait_for_url("**/resets")
    goes_to(olga, "Look who is meant")
    tab_to_field(olga, "count")
    olga.page.keyboard.type("4")
    goes_to(olga, "Begin the reset")
    olga.page.wait_for_selector("text=The reset has begun")


@pytest.mark.feature_part("WEB-04", "what is wrong with a form is said and reached")
def test_an_error_is_said_where_it_is(olga: Window) -> None:
    olga.goes(own_address("transfers", ANNA))
    assert "You are acting for Anna Acker" in olga.page.inner_text("aside")
    tab_to_field(olga, "transfer_work")
    olga.page.keyboard.type("nonsense")
    olga.page.keyboard.press("Enter")
    olga.page.wait_for_selector("#problems")
    assert not olga.violations()
    tab_to(olga, "document.activeElement.getAttribute('href') == '#transfer_work'")
    olga.page.keyboard.press("Enter")
    olga.page.keyboard.press("Tab")
    assert olga.page.evaluate("document.querySelector('#transfer_work').ariaInvalid") == "true"


def test_without_javascript_everything_is_there(portal: Served, browser: Browser) -> None:
    with window(browser, portal.address, java_script_enabled=False) as opened:
        signs_in(opened, ANNA)
        assert opened.page.locator("main a[href$='count=1']").count() == 1
        assert opened.page.locator(".menus[open] nav a").count() > 10
        opened.goes("/me/profiles")
        opened.page.check("input[value=home]")
        opened.page.click("button:has-text('Activate')")
        opened.page.wait_for_selector(".said")
        assert opened.page.is_checked("input[value=home]")
