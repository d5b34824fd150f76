"""Rights and limits in the portal and over the API: said in words, and changed by few (UM-05)."""

from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.web.api_program import Program, program
from tests.web.portal_house import ANNA, House, in_house
from tests.web.test_faxes import NOT_POSSIBLE, NUMBER, ON, PDF, orders_of, sends, signed_in
from vm_ari.domain.rights_settings import Scope


async def orders(who: Program, number: str = NUMBER) -> dict[str, str]:
    """What a program is answered."""
    path = f"/me/faxes?{urlencode({'number': number})}"
    answer = await who.sends("POST", path, PDF, content_type="application/pdf")
    told: dict[str, str] = answer.json()
    return told


@pytest.mark.feature_part("UM-05", "pages and programs say what is refused, and why")
def test_a_page_and_a_program_say_what_is_refused_and_why(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser, anna = await signed_in(house), await program(house, ANNA)
        far = await sends(browser, PDF, number="+4318901234")
        assert far.status_code == NOT_POSSIBLE
        assert "numbers of the country only" in far.text
        assert (await orders(anna, "+4318901234"))["code"] == "no-right"
        assert (await sends(browser, PDF)).status_code == HTTPStatus.SEE_OTHER
        [order] = await orders_of(house)
        enough = await sends(browser, PDF)
        assert enough.status_code == NOT_POSSIBLE
        assert "3 fax pages are allowed in a day; 1 are left today" in enough.text
        told = await orders(anna)
        assert told["code"] == "over-limit"
        assert "1 of the 3" in told["detail"]
        assert [one.id for one in await orders_of(house)] == [order.id]

    dialling = {"rules": ["allow foreign"]}
    rights = {"fax_scope": "national", "fax_pages_per_day": 3}
    in_house(tmp_path, story, fax_sending=ON, dialling=dialling, rights=rights)


def test_nobody_gives_rights_to_oneself(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser, anna = await signed_in(house), await program(house, ANNA)
        await browser.sends("/me/fax-settings", fax_report="failed", fax_scope="international")
        body = {"settings": {"fax_scope": "international"}}
        refused = await anna.sends("PATCH", "/me/settings", body)
        assert refused.json()["code"] == "fixed", refused.text
        user = await house.directory.user_by_id(ANNA)
        assert user
        assert user.fax_scope is Scope.INTERNAL, "as the site gives it"

    in_house(tmp_path, story, fax_sending=ON, defaults={"fax_scope": "internal"})


def test_a_transfer_that_goes_too_far_is_refused_with_the_reason(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser = await signed_in(house)
        answer = await browser.sends("/me/transfers", transfer_work=NUMBER)
        assert "calls may go to numbers of the house only" in answer.text.lower()
        user = await house.directory.user_by_id(ANNA)
        assert user
        assert not user.transfers

    in_house(tmp_path, story, defaults={"voice_scope": "internal"})
