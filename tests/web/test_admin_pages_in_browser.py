"""Pages of administrators in a real Chromium: axe, and the keyboard alone (WEB-04)."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.web.browsers import Served, Window, chromium, served, window
from tests.web.portal_house import OLGA
from tests.web.test_real_browser import LOOKS, looked_at, signs_in

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("portal browser")]

PAGES = (
    "/users",
    "/users/new",
    "/users/files",
    "/users/defaults",
    "/users/anna/account",
    "/users/anna/account/settings",
    "/users/anna/account/remove",
    "/global-greeting",
    "/queue",
    "/resets",
    "/site",
    "/system",
)


@pytest.fixture(scope="module", params=LOOKS, ids=str)
def look(request: pytest.FixtureRequest) -> tuple[str, str, int]:
    found: tuple[str, str, int] = request.param
    return found


@pytest.fixture(scope="module")
def portal(
    tmp_path_factory: pytest.TempPathFactory, look: tuple[str, str, int]
) -> Iterator[Served]:
    language = {"site": {"language": look[0], "base_number": "+498142479", "area": "8142"}}
    with served(tmp_path_factory.mktemp("portal"), welcome={"enabled": True}, **language) as one:
        one.do(one.house.directory.change_settings(OLGA, {"language": look[0]}))
        yield one


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@pytest.fixture
def opened(portal: Served, browser: Browser, look: tuple[str, str, int]) -> Iterator[Window]:
    size = {"width": look[2], "height": 900}
    options = {"color_scheme": look[1], "viewport": size, "locale": look[0]}
    with window(browser, portal.address, **options) as one:
        signs_in(one, OLGA)
        yield one


@pytest.mark.feature_part("WEB-04", "axe finds nothing on the pages of administrators")
def test_axe_finds_nothing_on_pages_of_admins(opened: Window, look: tuple[str, str, int]) -> None:
    found = [one for path in PAGES for one in looked_at(opened, path, look)]
    assert opened.page.get_attribute("html", "lang") == look[0]
    opened.page.goto(f"{opened.base}/users/new")
    opened.page.fill("#number1", "nonsense")
    opened.page.press("#number1", "Enter")
    opened.page.wait_for_selector("#problems")
    found += opened.violations()
    assert not found
    assert not opened.complaints


@pytest.mark.feature_part("WEB-04", "a user is added by keyboard alone")
def test_a_user_is_added_by_keyboard(
    opened: Window, portal: Served, look: tuple[str, str, int]
) -> None:
    page, keys = opened.page, opened.page.keyboard
    user_id = f"nora{look[2]}"
    opened.goes("/users/new")
    for field, text in (("id", user_id), ("given", "Nora"), ("surname", "Neu")):
        while page.evaluate("document.activeElement.id") != field:
            keys.press("Tab")
        keys.type(text)
    page.locator("#example", has_text="Nora Neu").wait_for()
    keys.press("Enter")
    page.wait_for_url(f"**/users/{user_id}/account")
    stored = portal.do(portal.house.directory.entry_by_id(user_id))
    assert stored
    assert stored.name == "Nora Neu"
    assert not opened.complaints
