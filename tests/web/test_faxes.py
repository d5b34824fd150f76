"""Faxes in the portal and over the API: ordered, looked at, cancelled, begun anew (UM-04)."""

import io
from http import HTTPStatus
from pathlib import Path

import httpx
import pypdfium2
import pytest

from tests import faxes
from tests.web.api_program import program
from tests.web.portal_house import ANNA, BERT, Browser, House, in_house, token_in
from vm_ari.domain.fax_orders import Cause, FaxOrder, FaxState
from vm_ari.domain.fax_settings import FaxReport
from vm_ari.domain.orders import Way, failed
from vm_ari.web.fax_parts import FaxParts
from vm_ari.web.visit import own_address

ON = {"enabled": True, "most_pages": 3}
NUMBER = "+49301234567"
PDF = faxes.pdf([faxes.page(("Dear Ben,",)), faxes.page(("and so on",))])
NOT_POSSIBLE = HTTPStatus.UNPROCESSABLE_ENTITY


def parts_of(house: House) -> FaxParts:
    [parts] = [one for one in house.portal.parts.more if isinstance(one, FaxParts)]
    return parts


async def orders_of(house: House, user_id: str = ANNA) -> list[FaxOrder]:
    return list(await parts_of(house).ordering.of_user(user_id))


async def signed_in(house: House, user_id: str = ANNA) -> Browser:
    browser = house.browser()
    await browser.signs_in(user_id)
    return browser


async def sends(
    browser: Browser, document: bytes = b"", name: str = "letter.pdf", **fields: str
) -> httpx.Response:
    token = token_in((await browser.sees("/me/faxes")).text)
    files = {"document": (name, document, "application/octet-stream")} if document else None
    data = {"csrf": token, "number": NUMBER, **fields}
    return await browser.http.post("/me/faxes", data=data, files=files)


@pytest.mark.feature_part("UM-04", "a fax is ordered on a page, with its cover, and looked at")
def test_a_document_with_a_cover_text_becomes_a_fax(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser = await signed_in(house)
        assert "You have sent no fax yet" in (await browser.sees("/me/faxes")).text
        sent = await sends(browser, PDF, number="030 1234567", subject="Our order")
        [order] = await orders_of(house)
        assert sent.headers["location"] == f"/me/faxes/{order.id}", sent.text
        assert (order.number, order.pages, order.way) == (NUMBER, 3, Way.PORTAL)
        page = (await browser.sees(f"/me/faxes/{order.id}")).text
        assert "The fax is on its way" in page
        assert "0 of 3 sent" in page
        shown = await browser.sees(f"/me/faxes/{order.id}/pages")
        assert shown.headers["content-type"] == "application/pdf"
        assert len(pypdfium2.PdfDocument(io.BytesIO(shown.content))) == 3
        assert NUMBER in (await browser.sees("/me/faxes")).text

    in_house(tmp_path, story, fax_sending=ON)


FAULTS: list[tuple[bytes, dict[str, str], str]] = [
    (b"", {}, "Choose a document"),
    (PDF, {"number": "0900 123456"}, "do not allow"),
    (PDF, {"number": "never"}, "never"),
    (b"%PDF-1.4 nonsense", {}, "This cannot be sent"),
    (b"\x00\x01\x02", {}, "cannot be sent"),
    (faxes.pdf([faxes.page(("x",))] * 4), {}, "more than 3 pages"),
]


def test_what_cannot_be_sent_is_said_beside_its_field(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser = await signed_in(house)
        for document, fields, said in FAULTS:
            answer = await sends(browser, document, **fields)
            assert answer.status_code == NOT_POSSIBLE, said
            assert said in answer.text
        assert not await orders_of(house)

    in_house(tmp_path, story, fax_sending=ON)


def test_a_fax_is_cancelled_and_begun_anew_by_its_owner_only(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser, bert = await signed_in(house), await signed_in(house, BERT)
        await sends(browser, PDF)
        [order] = await orders_of(house)
        path, files = f"/me/faxes/{order.id}", parts_of(house).ordering.orders
        for address in (path, own_address(f"faxes/{order.id}", ANNA), f"{path}/pages"):
            assert (await bert.sees(address)).status_code in {403, 404}
        await browser.sends(path, what="cancel")
        assert await files.is_cancelled(order.id)
        await files.close(failed(order, Cause.BUSY, "", house.clock.now()))
        assert "The line was busy." in (await browser.sees(path)).text
        await browser.sends(path, what="again")
        [anew] = await orders_of(house)
        assert (anew.state, anew.round, anew.cause) == (FaxState.WAITING, 2, None)
        assert not await files.is_cancelled(order.id)

    in_house(tmp_path, story, fax_sending=ON)


def test_a_house_without_faxes_has_no_such_page(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser = await signed_in(house)
        assert (await browser.sees("/me/faxes")).status_code == HTTPStatus.NOT_FOUND
        assert "/me/faxes" not in (await browser.sees("/me/overview")).text

    in_house(tmp_path, story)


@pytest.mark.feature_part("UM-04", "programs send faxes, each occasion once")
def test_a_program_sends_a_fax_once_for_each_occasion(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        anna = await program(house, ANNA)
        path = "/me/faxes?number=%2B49301234567&subject=Order&occasion=order-17"
        first = await anna.sends("POST", path, PDF, content_type="application/pdf")
        assert first.status_code == HTTPStatus.ACCEPTED, first.text
        second = await anna.sends("POST", path, PDF, content_type="application/pdf")
        assert second.json()["id"] == first.json()["id"]
        [listed] = (await anna.get("/me/faxes")).json()["items"]
        assert (listed["state"], listed["pages"], listed["way"]) == ("waiting", 3, "api")
        own = f"/me/faxes/{listed['id']}"
        assert (await anna.get(own)).json() == listed
        assert (await anna.get(f"{own}/pages")).headers["content-type"] == "application/pdf"
        assert (await anna.sends("POST", f"{own}/again")).json()["code"] == "busy"
        assert (await anna.sends("POST", f"{own}/cancel")).status_code == HTTPStatus.ACCEPTED
        bad = await anna.sends(
            "POST", "/me/faxes?number=0900123456", PDF, content_type="application/pdf"
        )
        assert bad.json()["where"] == "query.number"
        bert = await program(house, BERT)
        assert (await bert.get(own)).status_code == HTTPStatus.NOT_FOUND

    in_house(tmp_path, story, fax_sending=ON)


def test_a_user_decides_about_the_own_faxes(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser = await signed_in(house)
        assert "Which of your numbers" in (await browser.sees("/me/fax-settings")).text
        done = await browser.sends(
            "/me/fax-settings", fax_report="failed", fax_headline="Acker & Co."
        )
        assert done.status_code == HTTPStatus.SEE_OTHER, done.text
        anna = await house.directory.user_by_id(ANNA)
        assert anna
        assert (anna.fax_report, anna.fax_headline) == (FaxReport.FAILED, "Acker & Co.")
        foreign = await browser.sends("/me/fax-settings", fax_sender="+49900999")
        assert foreign.status_code == NOT_POSSIBLE

    in_house(tmp_path, story, fax_sending=ON)
