"""Every operation of the API × every role and scope: made from the table of operations (UM-02)."""

from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from tests.web.api_program import Program, program, token
from tests.web.portal_house import ADAM, ANNA, BERT, CORA, OLGA, House, in_house
from tests.web.role_matrix import MAY_ACT_FOR, ONE_OF_EACH, ROLES, in_matrix
from tests.web.test_matrix import filled
from vm_ari.domain.api_tokens import Reach, Scope
from vm_ari.domain.portal_rights import Role
from vm_ari.web.admin_parts import AdminParts
from vm_ari.web.api.operation import Operation
from vm_ari.web.api.operations import all_operations
from vm_ari.web.page import Scope as Whose
from vm_ari.web.visit import written_id

REFUSED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


def lets_in(answer: httpx.Response) -> bool:
    """Has a handler been reached? What it says of made-up parts is its own business."""
    assert answer.status_code != HTTPStatus.INTERNAL_SERVER_ERROR, answer.request.url
    if answer.status_code >= HTTPStatus.BAD_REQUEST:
        assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code not in REFUSED


async def nobody_examines(house: House) -> None:
    """It would ask servers that are not there; so it says that somebody else does it now."""
    (admin,) = [one for one in house.portal.parts.more if isinstance(one, AdminParts)]
    await admin.examining.acquire()


async def tries(of: Program, operation: Operation, address: str) -> httpx.Response:
    """What changes something is sent without what it needs, so that nothing happens."""
    path = filled(address)
    if not operation.changes:
        return await of.get(path)
    harmless = {"content_type": "text/plain", "if_match": '"nothing"'}
    return await of.sends(operation.method, path, b"-", **harmless)


def own(operation: Operation) -> list[str]:
    """Addresses where nobody acts for anybody."""
    return [address for address, acting in operation.addresses if not acting]


def of_another(operation: Operation, user_id: str) -> list[str]:
    """Addresses where somebody acts for that user."""
    whom = written_id(user_id)
    return [one.replace("{user}", whom) for one, acting in operation.addresses if acting]


@pytest.mark.feature_part("UM-02", "every operation of the API is open to its roles, and no other")
def test_every_operation_is_open_to_its_roles_only(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await nobody_examines(house)
        for user_id in ONE_OF_EACH:
            theirs, role = await program(house, user_id), ROLES[user_id]
            for operation in all_operations():
                for address in own(operation):
                    answer = await tries(theirs, operation, address)
                    allowed = role >= operation.role
                    assert lets_in(answer) is allowed, (user_id, operation.name)

    in_matrix(tmp_path, story, web={"api_requests_per_minute": 100_000})


@pytest.mark.feature_part("UM-02", "no token sees or changes what belongs to somebody else")
def test_an_operation_on_another_user_is_open_to_who_may_act_for_him_only(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        for user_id in ROLES:
            theirs = await program(house, user_id)
            for other in (ANNA, BERT, CORA, ADAM, "nobody"):
                allowed = other in MAY_ACT_FOR[user_id]
                for operation in all_operations():
                    for address in of_another(operation, other):
                        answer = await tries(theirs, operation, address)
                        assert lets_in(answer) is allowed, (user_id, other, operation.name)

    in_matrix(tmp_path, story, web={"api_requests_per_minute": 100_000})


def test_nobody_gets_in_without_a_token_also_with_a_session(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        stranger, browser = Program(house.app), house.browser()
        await browser.signs_in(OLGA)
        stranger.http.cookies = browser.http.cookies
        for operation in all_operations():
            for address in (*own(operation), *of_another(operation, ANNA)):
                answer = await tries(stranger, operation, address)
                assert answer.status_code == HTTPStatus.UNAUTHORIZED, operation.name
                assert answer.headers["www-authenticate"].startswith("Bearer")

    in_house(tmp_path, story)


def test_a_scope_leaves_of_a_role_what_it_says(tmp_path: Path) -> None:
    """The operator's tokens: for herself, for one organisation, for reading."""
    north, reading = Scope(Reach.ADMINISTRATOR, "north"), Scope(Reach.OPERATOR, read_only=True)

    async def story(house: House) -> None:
        await nobody_examines(house)
        me = await program(house, OLGA, Scope())
        admin, reader = await program(house, OLGA, north), await program(house, OLGA, reading)
        for operation in all_operations():
            house_wide = operation.scope is Whose.HOUSE
            for address in own(operation):
                assert lets_in(await tries(me, operation, address)) is not house_wide
                as_admin = operation.role < Role.OPERATOR
                assert lets_in(await tries(admin, operation, address)) is as_admin
                only_reads = not operation.changes
                assert lets_in(await tries(reader, operation, address)) is only_reads
            for address in of_another(operation, BERT):
                assert not lets_in(await tries(me, operation, address))
                assert lets_in(await tries(admin, operation, address))
            for address in of_another(operation, ANNA):
                assert not lets_in(await tries(admin, operation, address))

    in_house(tmp_path, story, web={"api_requests_per_minute": 100_000})


def test_a_token_never_gives_what_its_owner_may_not_do(tmp_path: Path) -> None:
    """Bert is nobody's administrator, whatever his tokens say."""

    async def story(house: House) -> None:
        for scope in (Scope(Reach.OPERATOR), Scope(Reach.ADMINISTRATOR, "north")):
            text, _ = await token(house, BERT, scope)
            berts = Program(house.app, text)
            assert (await berts.get("/me")).json()["role"] == "user"
            for path in ("/admin/users", f"/admin/users/{ADAM}", "/admin/queue"):
                assert (await berts.get(path)).status_code == HTTPStatus.FORBIDDEN

    in_house(tmp_path, story)
