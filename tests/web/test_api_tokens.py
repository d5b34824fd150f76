"""Tokens of the API: made, shown once, used, ended (UM-02)."""

from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, date, datetime
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.web.api_program import Program, program, token, tokens_of
from tests.web.portal_house import ADAM, ANNA, BERT, OLGA, House, in_house
from vm_ari.domain.api_tokens import (
    LONGEST_DAYS,
    MOST_OF_ONE,
    BadToken,
    Reach,
    Scope,
    narrowed,
    possible_scopes,
)
from vm_ari.domain.portal_rights import Rights, Role
from vm_ari.ports import DirectoryUnavailable
from vm_ari.services.api_tokens import FORM
from vm_ari.web.api.parts import api_parts
from vm_ari.web.api.rates import MOST_AT_ONCE, Rates
from vm_ari.web.visit import own_address

RIGHTS = Rights(
    operators=frozenset({OLGA}),
    administrators={"north": frozenset({ADAM}), "south": frozenset()},
    agreements={"north": date(2026, 1, 15)},
)
NORTH = Scope(Reach.ADMINISTRATOR, "north")
EVERYTHING = Scope(Reach.OPERATOR)


async def status(of: Program, path: str = "/me") -> int:
    return (await of.get(path)).status_code


def test_a_scope_only_takes_rights_away() -> None:
    for user_id in (OLGA, ADAM, ANNA):
        for scope in (Scope(), NORTH, Scope(Reach.ADMINISTRATOR, "south"), EVERYTHING):
            left = narrowed(RIGHTS, user_id, scope)
            assert left.role_of(user_id) <= RIGHTS.role_of(user_id)
            for organisation in ("", "north", "south", "unknown"):
                if left.may_act_in(user_id, organisation):
                    assert RIGHTS.may_act_in(user_id, organisation)
    assert narrowed(RIGHTS, OLGA, Scope()).role_of(OLGA) is Role.USER
    assert narrowed(RIGHTS, OLGA, NORTH).role_of(OLGA) is Role.ADMINISTRATOR
    assert narrowed(RIGHTS, OLGA, NORTH).may_act_in(OLGA, "north")
    assert not narrowed(RIGHTS, OLGA, NORTH).may_act_in(OLGA, "")
    assert narrowed(RIGHTS, ADAM, EVERYTHING) == RIGHTS
    assert not narrowed(RIGHTS, ADAM, Scope(Reach.ADMINISTRATOR, "south")).may_act_in(ADAM, "north")


def test_users_choose_of_what_they_may_do_themselves() -> None:
    assert possible_scopes(RIGHTS, ANNA) == (Scope(),)
    assert possible_scopes(RIGHTS, ADAM) == (Scope(), NORTH)
    assert possible_scopes(RIGHTS, OLGA) == (Scope(), NORTH, EVERYTHING)
    assert Scope(Reach.ADMINISTRATOR, "north", read_only=True).words == "admin:north read"


def test_a_token_is_good_until_its_end_and_its_last_use_is_known(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        text, made = await token(house, ANNA, days=7)
        annas = Program(house.app, text)
        assert FORM.fullmatch(text)
        assert await status(annas) == HTTPStatus.OK
        (there,) = await tokens_of(house).of(ANNA)
        assert there.used == house.clock.now()
        house.clock.passes(days=6, hours=23)
        assert await status(annas) == HTTPStatus.OK
        house.clock.passes(hours=1)
        assert await status(annas) == HTTPStatus.UNAUTHORIZED
        assert await tokens_of(house).of(ANNA) == []
        assert made.ends == house.clock.now()

    in_house(tmp_path, story)


def test_only_a_fingerprint_is_stored(tmp_path: Path) -> None:
    async def story(house: House) -> str:
        text, _ = await token(house, ANNA)
        assert await status(Program(house.app, text)) == HTTPStatus.OK
        assert text not in repr(await tokens_of(house).all())
        return text.rpartition("_")[2]

    secret = in_house(tmp_path, story)
    for file in tmp_path.rglob("*.db*"):
        assert secret.encode() not in file.read_bytes(), file


def test_other_texts_are_no_tokens(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        text, _ = await token(house, ANNA)
        berts, _ = await token(house, BERT)
        mixed = text[:18] + berts[18:]
        for wrong in (text[:-1], text + "a", mixed, text.upper(), "", "x" * 5000, "Bearer " + text):
            answer = await Program(house.app, wrong or " ").get("/me")
            assert answer.status_code == HTTPStatus.UNAUTHORIZED, wrong
            assert answer.headers["www-authenticate"].startswith("Bearer")
        basic = Program(house.app)
        assert (await basic.get("/me", authorization="Basic YTpi")).json()["code"] == "no-token"
        in_cookie = await basic.get("/me", cookie=f"access_token={text}")
        assert in_cookie.status_code == HTTPStatus.UNAUTHORIZED
        assert await status(Program(house.app, text)) == HTTPStatus.OK

    in_house(tmp_path, story)


def test_who_tries_many_tokens_is_refused_unheard(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        text, _ = await token(house, ANNA)
        wrong = f"vmari_{'0' * 12}_{'x' * 43}"
        for _ in range(100):
            assert await status(Program(house.app, wrong)) == HTTPStatus.UNAUTHORIZED
        assert await status(Program(house.app, text)) == HTTPStatus.TOO_MANY_REQUESTS
        elsewhere = Program(house.app, text, "198.51.100.3")
        assert await status(elsewhere) == HTTPStatus.OK
        house.clock.passes(minutes=16)
        assert await status(Program(house.app, text)) == HTTPStatus.OK

    in_house(tmp_path, story)


@pytest.mark.feature_part("UM-02", "a removed or disabled user's tokens end at once")
def test_the_tokens_of_a_removed_or_disabled_user_end_at_once(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        annas, olgas = await program(house, ANNA), await program(house, OLGA)
        path = f"/admin/users/{ANNA}"
        await olgas.sends("PATCH", path, {"enabled": False})
        assert await status(annas) == HTTPStatus.UNAUTHORIZED
        await olgas.sends("PATCH", path, {"enabled": True})
        assert await status(annas) == HTTPStatus.OK
        entry = await house.directory.entry_by_id(ANNA)
        assert entry
        gone = await olgas.sends("DELETE", path, if_match="*")
        assert gone.status_code == HTTPStatus.NO_CONTENT
        await house.directory.add_entries([replace(entry)])  # somebody else gets the id
        assert await status(annas) == HTTPStatus.UNAUTHORIZED
        again = await program(house, ANNA)
        await house.directory.remove_user(ANNA)  # behind the portal's back
        assert await status(again) == HTTPStatus.UNAUTHORIZED
        await house.directory.add_entries([entry])
        assert await status(again) == HTTPStatus.UNAUTHORIZED

    in_house(tmp_path, story)


def test_sweeping_forgets_what_is_over_and_the_tokens_of_who_is_gone(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        tokens = tokens_of(house)
        for user_id, days in ((ANNA, 1), (ANNA, 9), (BERT, 9)):
            await token(house, user_id, days=days)
        house.clock.passes(days=2)

        async def away(_user_id: str) -> bool:
            raise DirectoryUnavailable("away")

        async def is_there(user_id: str) -> bool:
            return user_id == ANNA

        with pytest.raises(DirectoryUnavailable):
            await tokens.sweep(away)
        assert len(await tokens.all()) == 2
        await tokens.sweep(is_there)
        assert [one.user_id for one in await tokens.rows.all()] == [ANNA]

    in_house(tmp_path, story)


def test_a_token_that_cannot_be_says_why(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        tokens = tokens_of(house)
        for name, days in (
            ("", 1),
            ("x" * 61, 1),
            ("a\x00b", 1),
            ("x", 0),
            ("x", LONGEST_DAYS + 1),
        ):
            with pytest.raises(BadToken):
                await tokens.make(ANNA, name, Scope(), days)
        for _ in range(MOST_OF_ONE):
            await tokens.make(ANNA, "many", Scope(), 1)
        with pytest.raises(BadToken, match="revoke"):
            await tokens.make(ANNA, "one more", Scope(), 1)

    in_house(tmp_path, story)


def test_so_many_requests_in_a_minute_and_so_many_at_once(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        annas, berts = await program(house, ANNA), await program(house, BERT)
        answers = [await annas.get("/me") for _ in range(6)]
        assert [one.status_code for one in answers] == [200] * 5 + [429]
        assert answers[-1].json()["code"] == "too-many"
        assert await status(berts) == HTTPStatus.OK
        house.clock.passes(seconds=int(answers[-1].headers["retry-after"]))
        assert await status(annas) == HTTPStatus.OK
        assert await status(annas) == HTTPStatus.TOO_MANY_REQUESTS

    in_house(tmp_path, story, web={"api_requests_per_minute": 5})


def test_a_token_waits_for_its_own_requests_only() -> None:
    rates, now = Rates(1000), datetime(2026, 3, 4, tzinfo=UTC)
    assert rates.wait("a", now) == 0
    with ExitStack() as running:
        for _ in range(MOST_AT_ONCE):
            running.enter_context(rates.running("a"))
        assert rates.wait("a", now) == 1
        assert rates.wait("b", now) == 0
    assert rates.wait("a", now) == 0


def test_a_user_makes_a_token_on_the_page_sees_it_once_and_revokes_it(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser = house.browser()
        await browser.signs_in(ANNA)
        page, fields = "/me/api-tokens", {"name": "backup", "scope": "me", "days": "30"}
        shown = await browser.sends(page, read_only="yes", **fields)
        made = FORM.search(shown.text)
        assert made
        assert made[0] not in (await browser.sees(page)).text
        annas = Program(house.app, made[0])
        assert await status(annas) == HTTPStatus.OK
        answer = await annas.sends("PATCH", "/me/settings", {"settings": {"language": "de"}})
        assert answer.json()["code"] == "read-only-token"
        more = await browser.sends(page, **{**fields, "scope": "operator"})
        assert more.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        await browser.sends("/me/api-tokens/revoke", page, token=made[1])
        assert await status(annas) == HTTPStatus.UNAUTHORIZED
        house.clock.passes(minutes=11)
        stale = await browser.sends(page, **fields)
        assert "signed in just now" in stale.text
        assert await tokens_of(house).of(ANNA) == []

    in_house(tmp_path, story)


def test_who_acts_for_a_user_sees_and_revokes_tokens_but_makes_none(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        text, made = await token(house, BERT)
        browser = house.browser()
        await browser.signs_in(ADAM)
        page = own_address("api-tokens", BERT)
        assert made.id in (await browser.sees(page)).text
        refused = await browser.sends(page, name="x", scope="me", days="30")
        assert not FORM.search(refused.text)
        await browser.sends(own_address("api-tokens/revoke", BERT), page, token=made.id)
        assert await status(Program(house.app, text)) == HTTPStatus.UNAUTHORIZED
        _, annas = await token(house, ANNA)
        await browser.sends(own_address("api-tokens/revoke", BERT), page, token=annas.id)
        assert len(await tokens_of(house).of(ANNA)) == 1

    in_house(tmp_path, story)


def test_what_the_site_reserves_can_still_be_revoked(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        _, made = await token(house, ANNA)
        browser = house.browser()
        await browser.signs_in(ANNA)
        page = "/me/api-tokens"
        refused = await browser.sends(page, "/me/pin", name="x", scope="me", days="30")
        assert refused.status_code == HTTPStatus.FORBIDDEN
        await browser.sends("/me/api-tokens/revoke", page, token=made.id)
        assert await tokens_of(house).of(ANNA) == []

    in_house(tmp_path, story, web={"may_change": ["pin"]})


def test_a_site_without_the_api_has_neither_addresses_nor_pages(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        browser = house.browser()
        await browser.signs_in(ANNA)
        assert api_parts(house.portal.parts) is None
        for path in ("/api", "/api/v1/openapi.json", "/me/api-tokens", "/api/v1/me"):
            assert (await browser.sees(path)).status_code == HTTPStatus.NOT_FOUND
        assert "/me/api-tokens" not in (await browser.sees("/me/overview")).text

    in_house(tmp_path, story, web={"api": False})
