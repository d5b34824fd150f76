"""Signing in, staying signed in, signing out, and what strangers try (WEB-03)."""

import asyncio
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path

from tests.web.portal_house import ANNA, BERT, CORA, PASSWORD, Browser, House, in_house, token_in
from vm_ari.adapters.login_log import line
from vm_ari.web import cookies
from vm_ari.web.pages.sign_in import HOME, local

SESSION = cookies.SESSION


async def is_in(browser: Browser) -> bool:
    return (await browser.sees("/me/overview")).status_code == HTTPStatus.OK


def test_a_user_signs_in_by_id_or_mail_address_and_sees_the_own_mailbox(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        for name in (ANNA, "Anna@Example.org"):
            browser = house.browser()
            answer = await browser.signs_in(name)
            assert (answer.status_code, answer.headers["location"]) == (303, "/me/overview")
            assert "Anna Acker" in (await browser.sees("/me/overview")).text

    in_house(tmp_path, story)


def test_a_wrong_password_and_nobody_look_alike_and_the_name_is_kept(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        pages = []
        for name in (ANNA, CORA, "nobody"):  # Cora has no password
            answer = await house.browser().signs_in(name, "wrong-password")
            assert answer.status_code == HTTPStatus.UNAUTHORIZED
            assert f'value="{name}"' in answer.text
            assert "wrong-password" not in answer.text
            without_token = answer.text.replace(token_in(answer.text), "")
            pages.append(without_token.replace(f'value="{name}"', ""))
        assert pages[0] == pages[1] == pages[2]

    in_house(tmp_path, story)


def test_an_empty_password_never_fits(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        answer = await house.browser().signs_in(ANNA, "")
        assert answer.status_code == HTTPStatus.UNAUTHORIZED

    in_house(tmp_path, story)


def test_the_cookie_is_for_this_host_over_tls_alone_and_not_for_scripts(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        answer = await house.browser().signs_in(ANNA)
        sent = [one for one in answer.headers.get_list("set-cookie") if SESSION in one]
        parts = {part.strip().lower() for part in sent[0].split(";")}
        assert {"secure", "httponly", "samesite=lax", "path=/"} <= parts
        assert not any(part.startswith("domain") for part in parts)

    in_house(tmp_path, story)


def test_signing_in_makes_a_new_session_and_ends_the_old_one(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser, thief = house.browser(), house.browser()
        browser.has_session("planted")
        await browser.signs_in(ANNA)
        first = browser.http.cookies[SESSION]
        assert first != "planted"
        thief.has_session(first)
        assert await is_in(thief)
        await browser.signs_in(ANNA)
        assert browser.http.cookies[SESSION] != first
        assert not await is_in(thief)

    in_house(tmp_path, story)


def test_signing_out_ends_the_session_on_the_server(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser, thief = house.browser(), house.browser()
        await browser.signs_in(ANNA)
        thief.has_session(browser.http.cookies[SESSION])
        answer = await browser.sends("/sign-out", page="/me/overview")
        assert answer.headers["location"] == "/sign-in"
        assert not await is_in(browser)
        assert not await is_in(thief)

    in_house(tmp_path, story)


def test_a_session_ends_without_use_and_in_the_end_anyhow(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        idle, busy = house.browser(), house.browser()
        await idle.signs_in(ANNA)
        await busy.signs_in(ANNA)
        for _ in range(3):
            house.clock.passes(minutes=14)
            assert await is_in(busy)
        assert not await is_in(idle)
        for _ in range(60):
            house.clock.passes(minutes=14)
            await busy.sees("/me/overview")
        assert not await is_in(busy)

    in_house(tmp_path, story)


def test_what_the_page_asks_for_by_itself_keeps_no_session_alive(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser = house.browser()
        await browser.signs_in(ANNA)
        for _ in range(4):
            house.clock.passes(minutes=5)
            await browser.sees("/me/overview/counts")
        assert not await is_in(browser)

    in_house(tmp_path, story)


def test_a_session_of_somebody_who_is_gone_ends(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser = house.browser()
        await browser.signs_in(ANNA)
        await house.directory.remove_user(ANNA)
        assert not await is_in(browser)

    in_house(tmp_path, story)


def test_too_many_wrong_passwords_from_one_address_are_refused_for_a_while(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        attacker, elsewhere = house.browser(), Browser(house.app, {}, "198.51.100.7")
        await asyncio.gather(*(attacker.signs_in(f"u{n}", "wrong-password") for n in range(2)))
        answer = await attacker.signs_in(ANNA)
        assert answer.status_code == HTTPStatus.UNAUTHORIZED
        assert (await elsewhere.signs_in(ANNA)).status_code == HTTPStatus.SEE_OTHER
        house.clock.passes(minutes=16)
        assert (await attacker.signs_in(ANNA)).status_code == HTTPStatus.SEE_OTHER

    in_house(tmp_path, story, web={"failures_per_address": 2})


def test_too_many_wrong_passwords_of_one_account_are_refused_from_everywhere(
    tmp_path: Path,
) -> None:
    async def story(house: House) -> None:
        many = [Browser(house.app, {}, f"198.51.100.{n}") for n in range(3)]
        await asyncio.gather(*(one.signs_in(ANNA, "wrong-password") for one in many[:2]))
        assert (await many[2].signs_in("ANNA")).status_code == HTTPStatus.UNAUTHORIZED
        assert (await many[2].signs_in(BERT)).status_code == HTTPStatus.SEE_OTHER

    in_house(tmp_path, story, web={"failures_per_account": 2})


def test_after_signing_in_only_pages_of_our_own_come_next() -> None:
    assert local("/me/pin") == "/me/pin"
    strange = ("https://evil.example", "//evil.example", "/\\evil.example", "me", "/a\nb", "")
    assert {local(address) for address in strange} == {HOME}


def test_what_was_typed_when_the_session_ended_can_be_sent_again(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser = house.browser()
        await browser.signs_in(ANNA)
        typed = {"csrf": token_in((await browser.sees("/me/languages")).text), "language": "fr"}
        house.clock.passes(minutes=20)
        answer = await browser.http.post("/me/languages", data=typed)
        assert answer.status_code == HTTPStatus.UNAUTHORIZED
        await browser.signs_in(ANNA)
        answer = await browser.http.post("/me/languages", data=typed)
        assert answer.status_code == HTTPStatus.SEE_OTHER
        entry = await house.directory.entry_by_id(ANNA)
        assert entry
        assert entry.settings["language"] == "fr"

    in_house(tmp_path, story)


def test_a_one_time_link_sets_a_password_once(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        assert house.portal.parts.passwords
        token = await house.portal.parts.passwords.new_link(ANNA)  # type: ignore[attr-defined]
        browser, path = house.browser(), f"/password/{token}"
        weak = await browser.sends(path, new="short", again="short")
        assert weak.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        other = await browser.sends(path, new=PASSWORD, again=f"{PASSWORD}!")
        assert other.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        done = await browser.sends(path, new=PASSWORD, again=PASSWORD)
        assert done.status_code == HTTPStatus.SEE_OTHER
        assert await is_in(browser)
        assert "over or was used" in (await house.browser().sees(path)).text
        assert (await house.browser().signs_in(ANNA)).status_code == HTTPStatus.SEE_OTHER

    in_house(tmp_path, story)


def test_a_failure_is_a_line_for_fail2ban_with_the_address_and_nothing_else() -> None:
    at = datetime(2026, 3, 4, 14, 35, 12, tzinfo=UTC)
    event = {"event": "portal sign-in failed", "address": "192.0.2.1", "reason": "wrong"}
    told = (
        "2026-03-04T14:35:12+00:00 vm-ari portal sign-in failed: address=192.0.2.1 reason=wrong\n"
    )
    assert line(event, at) == told
    assert "address=unknown" in line({**event, "address": "x\nfake line"}, at)
