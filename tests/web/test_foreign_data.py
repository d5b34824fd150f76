"""Nobody sees or changes what belongs to others: faxes, texts, conferences, journal (UM-02)."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.web.api_program import Program, program
from tests.web.portal_house import ADAM, ANNA, BERT, CORA, OLGA, Browser, House, token_in
from tests.web.role_matrix import MAY_ACT_FOR, ROLES, SONJA, in_matrix
from tests.web.test_conferences import goes_on
from tests.web.test_conferences import orders as conference_orders
from tests.web.test_faxes import parts_of as fax_parts
from tests.web.test_house_journal import call_of, noted
from tests.web.test_matrix import addresses, filled, signed_in
from tests.web.test_spoken_messages import parts_of as spoken_parts
from vm_ari.domain.callers import Caller
from vm_ari.domain.fax_orders import Cover
from vm_ari.domain.orders import Way
from vm_ari.ports.fax_sending import Paper
from vm_ari.web.api.operation import Operation
from vm_ari.web.api.operations import all_operations
from vm_ari.web.page import Page, Scope
from vm_ari.web.pages import all_pages
from vm_ari.web.visit import own_address, written_id

OWNERS = (ANNA, BERT, CORA, ADAM, SONJA)
"""Each has sent a fax and a text, has telephoned, and is in a conference."""
SLOW = {"system", "site", "logs", "logs/download", "users/files"}
"""Pages of the house without anything of single users, which take long."""
part = pytest.mark.feature_part


def mark(user_id: str) -> str:
    """Stands in everything of that user, and nowhere else."""
    return f"Secret-of-{user_id}"


@dataclass(frozen=True)
class Things:
    """What somebody has, by its id, as routes call it."""

    fax: str
    spoken: str
    conference: str
    entry: str

    def put_in(self, path: str) -> str:
        """Instead of the names in a route; empty where it names none of them."""
        order = self.spoken if path.startswith("spoken") else self.fax
        names = {
            "{order}": order,
            "{fax}": self.fax,
            "{spoken}": self.spoken,
            "{conference}": self.conference,
            "{entry}": self.entry,
        }
        parts = [names.get(one, one) for one in path.split("/")]
        return "" if parts == path.split("/") else "/".join(parts)


async def furnished(house: House, home: Path) -> dict[str, Things]:
    """Something of everybody."""
    entries = {one: replace(call_of(one), caller=Caller("+4989", mark(one))) for one in OWNERS}
    await noted(home, *entries.values())
    rooms = await goes_on(house, *OWNERS, named=mark)
    return {
        one: await _of(house, one, rooms[one].id, written_id(entries[one].id)) for one in OWNERS
    }


async def _of(house: House, user_id: str, conference: str, entry: str) -> Things:
    user = await house.directory.user_by_id(user_id)
    assert user
    paper, cover = Paper("text/plain", b"Hello"), Cover(subject=mark(user_id))
    fax = await fax_parts(house).ordering.place(
        user, "+49301234567", [paper], way=Way.COMMAND, cover=cover, at_once=False
    )
    spoken = await spoken_parts(house).ordering.place(
        user, "+49301234567", mark(user_id), way=Way.COMMAND
    )
    return Things(fax.id, spoken.id, conference, entry)


def seen_in(text: str) -> set[str]:
    """Whose things are told of."""
    return {one for one in OWNERS if mark(one) in text}


def within_reach(visitor: str) -> set[str]:
    """Whose data that visitor may see anywhere."""
    return ({visitor} | set(MAY_ACT_FOR[visitor])) & set(OWNERS)


async def everything_shown(
    browser: Browser, visitor: str, things: dict[str, Things]
) -> AsyncIterator[tuple[str, str]]:
    """Path and text of every page that lists or shows; with the own things in their routes."""
    for page in all_pages():
        if page.show is None or page.path in SLOW:
            continue
        mine = things[visitor].put_in(page.path) if visitor in things else ""
        paths = [own_address(mine)] if mine else addresses(page, visitor)[:1]
        for path in paths:
            yield path, (await browser.sees(path)).text


async def everything_told(
    of: Program, visitor: str, things: dict[str, Things]
) -> AsyncIterator[tuple[str, str]]:
    """The same of the API."""
    for operation in all_operations():
        if operation.changes or operation.path in SLOW:
            continue
        mine = things[visitor].put_in(operation.path) if visitor in things else ""
        for address, acting in operation.addresses:
            if not acting:
                path = address.replace(operation.path, mine) if mine else filled(address)
                yield path, (await of.get(path)).text


@part("UM-02", "no page and no operation shows what belongs to somebody out of reach")
def test_everybody_sees_what_is_within_reach_and_nothing_else(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        things = await furnished(house, tmp_path)
        for visitor in ROLES:
            seen, told = set[str](), set[str]()
            reach = within_reach(visitor)
            async for path, text in everything_shown(
                await signed_in(house, visitor), visitor, things
            ):
                assert seen_in(text) <= reach, (visitor, path)
                seen |= seen_in(text)
            async for path, text in everything_told(await program(house, visitor), visitor, things):
                assert seen_in(text) <= reach, (visitor, path)
                told |= seen_in(text)
            assert seen == told == reach, visitor

    in_matrix(tmp_path, story, web={"api_requests_per_minute": 100_000})


def foreign(page: Page | Operation, things: Things) -> list[str]:
    """Addresses of the visitor, with the id of somebody else's thing."""
    path = things.put_in(page.path)
    if not path:
        return []
    if isinstance(page, Page):
        return [own_address(path)]
    found = (address.replace(page.path, path) for address, acting in page.addresses if not acting)
    return list(found)


@part("UM-02", "who knows the id of somebody else's fax, text or conference has nothing of it")
def test_an_id_opens_nothing_of_others(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        things = await furnished(house, tmp_path)
        for visitor in ROLES:
            browser, of = await signed_in(house, visitor), await program(house, visitor)
            token = token_in((await browser.sees("/me/overview")).text)
            for owner in set(OWNERS) - {visitor}:
                await _pages_open_nothing(browser, token, things[owner])
                for operation in all_operations():
                    if operation.scope is Scope.OWN or owner not in within_reach(visitor):
                        for path in foreign(operation, things[owner]):
                            answer = await _asks(of, operation, path)
                            assert answer in {404, 403}, (visitor, operation.name, owner)
        await _nothing_has_changed(house, things)

    in_matrix(tmp_path, story, web={"api_requests_per_minute": 100_000})


async def _pages_open_nothing(browser: Browser, token: str, things: Things) -> None:
    for page in all_pages():
        for path in foreign(page, things) if page.scope is Scope.OWN else ():
            if page.show:
                assert (await browser.sees(path)).status_code == HTTPStatus.NOT_FOUND, path
            if page.change:
                answer = await browser.http.post(path, data={"csrf": token, "do": "cancel"})
                assert answer.status_code == HTTPStatus.NOT_FOUND, path
    body = {"csrf": token, "conference": things.conference, "order": "end"}
    await browser.http.post("/me/conferences/order", data=body)


async def _asks(of: Program, operation: Operation, path: str) -> int:
    body = {"verb": "end"} if operation.path.endswith("orders") else None
    return (await of.sends(operation.method, path, body)).status_code


async def _nothing_has_changed(house: House, things: dict[str, Things]) -> None:
    faxes, spoken = fax_parts(house).ordering.orders, spoken_parts(house).ordering.orders
    for one in things.values():
        assert not await faxes.is_cancelled(one.fax)
        assert not await spoken.is_cancelled(one.spoken)
    assert not await conference_orders(house)


@part("UM-02", "an administrator orders in the conferences of his own users only")
def test_conferences_of_all_are_ordered_by_who_may_act_for_their_owners(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        things = await furnished(house, tmp_path)
        for visitor in (ADAM, SONJA, OLGA):
            browser = await signed_in(house, visitor)
            for owner in OWNERS:
                body = {"conference": things[owner].conference, "order": "lock"}
                await browser.sends("/conference-rooms/order", "/me/overview", **body)
                allowed: Sequence[str] = MAY_ACT_FOR[visitor]
                ordered = {one.conference_id for one in await conference_orders(house)}
                assert ordered == ({things[owner].conference} if owner in allowed else set())

    in_matrix(tmp_path, story)
