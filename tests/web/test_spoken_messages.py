"""Spoken messages in the portal and over the API: ordered, looked at, cancelled (SPEECH-04)."""

import shutil
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.web.api_program import program
from tests.web.portal_house import ANNA, BERT, Browser, House, in_house
from vm_ari.domain.orders import Way, failed
from vm_ari.domain.spoken_orders import Cause, SpokenOrder
from vm_ari.web.spoken_parts import SpokenParts
from vm_ari.wiring.spoken import FOLDER

ON = {"enabled": True, "most_letters": 100}
NUMBER = "+49301234567"
TEXT = "Bitte rufen Sie uns heute noch zurück, denn wir haben eine Frage zu der Rechnung."


def parts_of(house: House) -> SpokenParts:
    [parts] = [one for one in house.portal.parts.more if isinstance(one, SpokenParts)]
    return parts


async def orders_of(house: House) -> list[SpokenOrder]:
    return list(await parts_of(house).ordering.of_user(ANNA))


async def signed_in(house: House, user_id: str = ANNA) -> Browser:
    browser = house.browser()
    await browser.signs_in(user_id)
    return browser


@pytest.mark.feature_part("SPEECH-04", "a text is ordered on a page, for later, and cancelled")
def test_a_text_is_ordered_looked_at_and_cancelled_by_its_owner_only(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser, bert = await signed_in(house), await signed_in(house, BERT)
        assert "You have had no text spoken yet" in (await browser.sees("/me/spoken")).text
        await browser.sends("/me/spoken", number="030 1234567", text=TEXT, confirm="yes")
        [order] = await orders_of(house)
        path = f"/me/spoken/{order.id}"
        assert (order.number, order.way, order.language) == (NUMBER, Way.PORTAL, "de")
        assert order.confirm
        assert TEXT in (await browser.sees(path)).text
        assert (await bert.sees(path)).status_code == HTTPStatus.NOT_FOUND
        orders = parts_of(house).ordering.orders
        await browser.sends(path)
        assert await orders.is_cancelled(order.id)
        await orders.close(failed(order, Cause.BUSY, "", house.clock.now()))
        assert "The line was busy." in (await browser.sees(path)).text

    in_house(tmp_path, story, spoken_messages=ON)


FAULTS: list[tuple[dict[str, str], str]] = [
    ({"text": ""}, "nothing in the text"),
    ({"text": "x" * 101}, "100 are possible"),
    ({"number": "0900 123456"}, "do not allow"),
    ({"number": "never"}, "never"),
    ({"later": "soon"}, "no time"),
    ({"later": "9999-12-31T23:59"}, "no time"),
]


def test_what_cannot_be_spoken_is_said_beside_its_field(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser = await signed_in(house)
        for fields, said in FAULTS:
            filled = {"number": NUMBER, "text": TEXT, **fields}
            answer = await browser.sends("/me/spoken", **filled)
            assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, said
            assert said in answer.text
        assert not await orders_of(house)

    in_house(tmp_path, story, spoken_messages=ON)


def test_while_the_disk_refuses_people_and_programs_are_asked_to_come_back(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser, anna = await signed_in(house), await program(house, ANNA)
        await browser.sends("/me/spoken", number=NUMBER, text=TEXT)
        folder = next(tmp_path.rglob(FOLDER))
        shutil.rmtree(folder)
        folder.write_text("in the way")
        away = HTTPStatus.SERVICE_UNAVAILABLE
        assert (await browser.sends("/me/spoken", number=NUMBER, text=TEXT)).status_code == away
        answer = await anna.sends("POST", "/me/spoken-messages", {"number": NUMBER, "text": TEXT})
        assert (answer.status_code, answer.json()["code"]) == (away, "away")

    in_house(tmp_path, story, spoken_messages=ON)


def test_a_house_without_them_has_no_such_page(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser = await signed_in(house)
        assert (await browser.sees("/me/spoken")).status_code == HTTPStatus.NOT_FOUND
        assert "/me/spoken" not in (await browser.sees("/me/overview")).text

    in_house(tmp_path, story)


@pytest.mark.feature_part("SPEECH-04", "programs have texts spoken, each occasion once")
def test_a_program_orders_lists_and_cancels(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        anna = await program(house, ANNA)
        given = {"number": NUMBER, "text": TEXT, "occasion": "17", "later": "2030-01-01T10:00:00Z"}
        refused = await anna.sends("POST", "/me/spoken-messages", given)
        assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        del given["later"]
        first = await anna.sends("POST", "/me/spoken-messages", given)
        assert first.status_code == HTTPStatus.ACCEPTED, first.text
        again = await anna.sends("POST", "/me/spoken-messages", given)
        assert again.json()["id"] == first.json()["id"]
        listed = (await anna.get("/me/spoken-messages")).json()["items"]
        assert [one["state"] for one in listed] == ["waiting"]
        one = f"/me/spoken-messages/{first.json()['id']}"
        assert (await anna.get(one)).json()["language"] == "de"
        assert (await anna.sends("POST", f"{one}/cancel")).status_code == HTTPStatus.ACCEPTED
        [order] = await orders_of(house)
        assert await parts_of(house).ordering.orders.is_cancelled(order.id)
        bad = await anna.sends(
            "POST", "/me/spoken-messages", {**given, "text": "…", "occasion": ""}
        )
        assert bad.status_code == HTTPStatus.UNPROCESSABLE_ENTITY

    in_house(tmp_path, story, spoken_messages=ON)
