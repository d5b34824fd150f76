"""What users set in the portal: stored as they meant it, or said what is wrong (WEB-01)."""

from http import HTTPStatus
from pathlib import Path

import pytest

from tests.web.portal_house import ADAM, ANNA, BERT, Browser, House, in_house, token_in
from vm_ari.domain.pin import PinCheck
from vm_ari.web.visit import own_address


async def signed_in(house: House, user_id: str = ANNA) -> Browser:
    browser = house.browser()
    await browser.signs_in(user_id)
    return browser


async def own_settings(house: House, user_id: str = ANNA) -> dict[str, str]:
    entry = await house.directory.entry_by_id(user_id)
    assert entry
    return dict(entry.settings)


def test_a_value_of_the_site_is_shown_as_such_and_an_own_one_can_be_given_back(
    tmp_path: Path,
) -> None:
    async def story(house: House) -> None:
        browser = await signed_in(house)
        assert "Standard des Standorts: Deutsch." in (await browser.sees("/me/languages")).text
        await browser.sends("/me/languages", language="fr")
        assert (await own_settings(house))["language"] == "fr"
        page = (await browser.sees("/me/languages")).text
        assert "Ihr eigener Wert. Ohne ihn gilt: Deutsch." in page
        assert "Die Sprachen sind gespeichert." in page
        assert "Die Sprachen sind gespeichert." not in (await browser.sees("/me/languages")).text
        await browser.sends("/me/languages", language="")
        assert "language" not in await own_settings(house)

    site = {"base_number": "+498142479", "area": "8142", "language": "de"}
    in_house(tmp_path, story, site=site, defaults={"time_zone": "Europe/Berlin"})


def test_what_is_not_possible_is_said_at_its_field_and_nothing_typed_is_lost(
    tmp_path: Path,
) -> None:
    async def story(house: House) -> None:
        browser = await signed_in(house)
        typed = {"time_zone": "Europe/Nowhere", "language": "fr"}
        answer = await browser.sends("/me/languages", **typed)
        assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "“Europe/Nowhere” is not possible; write a time zone" in answer.text
        assert (
            'aria-describedby="time_zone-error time_zone-help" aria-invalid="true"' in answer.text
        )
        assert 'value="Europe/Nowhere"' in answer.text
        assert '<option value="fr" selected>' in answer.text
        assert await own_settings(house) == {}

    in_house(tmp_path, story)


@pytest.mark.feature("GREET-01")
def test_a_profile_is_activated_until_a_day(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser = await signed_in(house)
        last = f"{house.clock.at:%Y}-12-31"
        wish = {"what": "activate", "profile": "vacation"}
        past = await browser.sends("/me/profiles", **wish, until="2020-01-01")
        assert past.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "This day is over." in past.text
        assert 'value="vacation" checked' in past.text
        await browser.sends("/me/profiles", **wish, until=last)
        stored = await own_settings(house)
        assert (stored["profile"], stored["profile_until"]) == ("vacation", last)
        assert "Vacation answers calls now" in (await browser.sees("/me/profiles")).text
        assert "Greeting of vacation" in (await browser.sees("/me/overview")).text

    in_house(tmp_path, story)


@pytest.mark.feature("XFER-04")
def test_a_destination_must_be_allowed_when_it_is_stored(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser = await signed_in(house)
        for number, why in (
            ("+49 900 123456", "may not be dialled"),
            ("101", "is the number of this mailbox itself"),
            ("abc", "is not possible"),
        ):
            answer = await browser.sends("/me/transfers", transfer_work=number)
            assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, number
            assert why in answer.text
        await browser.sends("/me/transfers", transfer_work="08142 479 12")
        assert (await own_settings(house))["transfer_work"] == "+49814247912"

    in_house(tmp_path, story, dialling={"rules": ["deny +49900"]})


@pytest.mark.feature_part("HOURS-01", "set on the web")
def test_the_grid_of_the_week_is_stored_copied_and_given_back(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser, path = await signed_in(house), "/me/office-hours"
        monday = {"mon-from": "22:00", "mon-to": "06:00", "mon-break-from": "01:00"}
        half = await browser.sends(path, **monday)
        assert half.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "Both times are needed" in half.text
        assert 'value="22:00"' in half.text
        monday["mon-break-to"] = "02:00"
        copied = await browser.sends(path, **monday, action="copy")
        assert copied.status_code == HTTPStatus.OK
        assert copied.text.count('value="22:00"') == 5
        assert "office_hours" not in await own_settings(house)
        await browser.sends(path, **monday, off_hours_profile="home")
        stored = await own_settings(house)
        assert stored["office_hours"] == "mon 22:00-06:00 01:00-02:00"
        assert stored["off_hours_profile"] == "home"
        await browser.sends(path, action="default")
        assert "office_hours" not in await own_settings(house)

    in_house(tmp_path, story)


@pytest.mark.feature_part("NOTIFY-03", "set on the web")
def test_ways_of_notification_are_ticked(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser, path = await signed_in(house), "/me/notifications"
        token = token_in((await browser.sees(path)).text)
        sent = {"csrf": token, "notify_voice": ["lamp", "mail", ""], "notify_fax": [""]}
        await browser.http.post(path, data=sent)
        stored = await own_settings(house)
        assert (stored["notify_voice"], stored["notify_fax"]) == ("lamp, mail", "none")
        await browser.http.post(path, data={"csrf": token, "notify_voice": ["default", ""]})
        assert "notify_voice" not in await own_settings(house)

    in_house(tmp_path, story)


@pytest.mark.feature_part("WEB-01", "what users change is the site's choice for each feature")
def test_the_site_decides_what_users_change_and_admins_change_all(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        anna, adam = await signed_in(house, BERT), await signed_in(house, ADAM)
        page = await anna.sees("/me/languages")
        assert "Your administrator has reserved changes here." in page.text
        assert "disabled" in page.text
        token = token_in(page.text)
        answer = await anna.http.post("/me/languages", data={"csrf": token, "language": "de"})
        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert (await anna.sends("/me/phones", mobile="none")).status_code == HTTPStatus.SEE_OTHER
        theirs = own_address("languages", BERT)
        answer = await adam.sends(theirs, language="de")
        assert answer.headers["location"] == theirs
        assert (await own_settings(house, BERT))["language"] == "de"

    in_house(tmp_path, story, web={"may_change": ["phones"]})


@pytest.mark.feature("LOGIN-05")
def test_a_pin_needs_a_fresh_sign_in_or_the_present_one_and_must_be_good(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await house.directory.set_pin(ANNA, "270519")
        browser, path = await signed_in(house), "/me/pin"
        weak = await browser.sends(path, new="123456", again="123456")
        assert "are a sequence" in weak.text
        other = await browser.sends(path, new="820417", again="820418")
        assert "The two PINs differ." in other.text
        house.clock.passes(minutes=11)
        unproven = await browser.sends(path, new="820417", again="820417")
        assert unproven.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        wrong = await browser.sends(path, present="111222", new="820417", again="820417")
        assert "This is not the present PIN." in wrong.text
        assert (await house.directory.login_state(ANNA)).pin == "270519"
        done = await browser.sends(path, present="270519", new="820417", again="820417")
        assert done.status_code == HTTPStatus.SEE_OTHER
        assert (await house.directory.login_state(ANNA)).pin == "820417"
        [(letter, _)] = await house.post.queue.waiting()
        told = await house.post.queue.letter(letter)
        assert told
        assert told.recipient.user_id == ANNA
        assert b"Your PIN was changed" in told.content
        assert b"820417" not in told.content
        for answer in (weak, other, wrong):
            assert "820417" not in answer.text
            assert "270519" not in answer.text

    in_house(tmp_path, story)


@pytest.mark.feature("LOGIN-05")
def test_a_pin_that_an_admin_sets_must_be_changed_and_the_user_is_told(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        adam, page = await signed_in(house, ADAM), own_address("pin", BERT)
        weak = await adam.sends(page, new="123456", again="123456")
        assert "are a sequence" in weak.text
        assert (await house.directory.login_state(BERT)).pin == ""
        await adam.sends(page, new="820417", again="820417")
        state = await house.directory.login_state(BERT)
        assert (state.pin, state.must_change) == ("820417", True)
        assert await house.directory.check_pin(BERT, "820417") is PinCheck.RIGHT
        [(letter, _)] = await house.post.queue.waiting()
        told = await house.post.queue.letter(letter)
        assert told
        assert told.recipient.user_id == BERT
        assert b"820417" not in told.content

    in_house(tmp_path, story)


def test_the_overview_tells_what_an_inside_caller_hears(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser = await signed_in(house)
        assert "Work – it is the active profile" in (await browser.sees("/me/overview")).text
        page = (await browser.sees("/me/overview?from=102")).text
        assert "Internal callers – the caller is internal" in page

    in_house(tmp_path, story)


@pytest.mark.feature("LANG-01")
def test_before_signing_in_the_browser_decides_about_the_language(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        german = house.browser(**{"accept-language": "de-CH, en;q=0.5"})
        assert '<html lang="de">' in (await german.sees("/sign-in")).text
        assert "Anmelden" in (await german.sees("/sign-in")).text
        await german.signs_in(ANNA)
        await german.sends("/me/languages", language="en")
        assert '<html lang="en">' in (await german.sees("/me/overview")).text

    in_house(tmp_path, story)
