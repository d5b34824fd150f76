"""Pages to a user are in his language, pages of administrators in the site's (LANG-01)."""

from pathlib import Path

import pytest

from tests.web.portal_house import ADAM, ANNA, BERT, OLGA, House, in_house
from vm_ari.domain.portal_rights import Role
from vm_ari.web.page import Scope
from vm_ari.web.pages import all_pages
from vm_ari.web.visit import own_address

GERMAN, ENGLISH = '<html lang="de">', '<html lang="en">'


@pytest.mark.feature("LANG-01")
def test_every_page_is_in_the_users_language_and_admins_pages_in_the_sites(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.directory.change_settings(ANNA, {"language": "en"})
        await house.directory.change_settings(OLGA, {"language": "en"})
        anna = house.browser(**{"accept-language": "fr, de"})
        await anna.signs_in(ANNA)
        olga = house.browser(**{"accept-language": "en"})
        await olga.signs_in(OLGA)
        for page in all_pages():
            if not page.show or page.passive or "{" in page.path:
                continue
            if page.scope is Scope.OWN and page.role is Role.USER:
                shown = await anna.sees(own_address(page.path))
                seen = await olga.sees(own_address(page.path, ANNA))
                assert ENGLISH in shown.text or is_no_page(shown.text), page.path
                assert GERMAN in seen.text or is_no_page(seen.text), page.path
            elif page.role >= Role.ADMINISTRATOR:
                house_ = page.scope is Scope.HOUSE
                path = f"/{page.path}" if house_ else own_address(page.path, ANNA)
                seen = await olga.sees(path)
                assert GERMAN in seen.text or is_no_page(seen.text), page.path

    in_house(tmp_path, story, site={"language": "de"})


def is_no_page(text: str) -> bool:
    """A part of one, a sound or a file has no language."""
    return "<html" not in text


@pytest.mark.feature("LANG-01")
def test_without_an_own_language_it_is_the_sites(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        for user_id in (BERT, ADAM):
            browser = house.browser(**{"accept-language": "en"})
            await browser.signs_in(user_id)
            assert GERMAN in (await browser.sees("/me/overview")).text

    in_house(tmp_path, story, site={"language": "de"})
