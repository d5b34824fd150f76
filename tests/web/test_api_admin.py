"""What programs of administrators do with the API: the same as on pages (WEB-02)."""

import asyncio
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.web.api_program import Program, program
from tests.web.left_messages import EVA, leave, noted
from tests.web.portal_house import ADAM, ANNA, BERT, CORA, OLGA, House, in_house
from vm_ari.domain.api_tokens import Reach, Scope
from vm_ari.domain.system_mails import SystemMail


@pytest.mark.feature_part("STORE-05", "journals by API, each of its own users")
def test_each_reads_the_journal_of_those_for_whom_he_may_act(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        for number, user_id in enumerate((ANNA, BERT, CORA, OLGA), start=1):
            await noted(tmp_path, await leave(house, tmp_path, user_id, number), user_id)
        seen = {}
        for who, scope in (
            (OLGA, Scope(Reach.OPERATOR)),
            (OLGA, Scope(Reach.ADMINISTRATOR, "north")),
            (ADAM, Scope(Reach.OPERATOR)),
        ):
            theirs = await program(house, who, scope)
            seen[who, scope.reach] = await whole_journal(theirs)
        assert seen == {
            (OLGA, Reach.OPERATOR): [OLGA, BERT, ANNA],
            (OLGA, Reach.ADMINISTRATOR): [BERT],
            (ADAM, Reach.OPERATOR): [BERT],
        }
        annas = await program(house, ANNA)
        (entry,) = (await annas.get("/me/journal?kind=call&since=2026-01-01T00:00:00Z")).json()[
            "items"
        ]
        assert entry["caller_name"] == EVA.name
        link = await annas.get(f"/me/journal/{entry['id']}/message")
        assert (await annas.get(f"/me/messages/{link.json()['message']}")).json()["seconds"] > 2
        berts = await program(house, BERT)
        assert (await berts.get(f"/me/journal/{entry['id']}")).status_code == HTTPStatus.NOT_FOUND
        strange = await annas.get("/me/journal?after=x&name=a")
        assert strange.status_code == HTTPStatus.UNPROCESSABLE_ENTITY

    async def whole_journal(theirs: Program) -> list[str]:
        """Of every page, one entry on each."""
        found, place = list[str](), ""
        while True:
            page = (await theirs.get(f"/admin/journal?limit=1&after={place}")).json()
            found += [one["user"] for one in page["items"]]
            if page["next"] is None:
                return found
            place = page["next"]

    in_house(tmp_path, story)


def test_an_administrator_adds_changes_numbers_and_removes_users(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        adams = await program(house, ADAM)
        new = {"id": "dora", "given": "Dora", "surname": "Dorn", "organisation": "north"}
        added = await adams.sends("POST", "/admin/users", {**new, "numbers": ["08142 479 20"]})
        assert added.status_code == HTTPStatus.CREATED, added.text
        assert added.json()["mailbox"] == "20"
        for body, code in (
            ({**new, "id": "dora"}, "taken"),
            ({**new, "id": "emil", "organisation": "south"}, "invalid"),
            ({**new, "id": "emil", "numbers": ["0814247913"]}, "taken"),  # Cora's
            ({**new, "id": OLGA.upper(), "mail": "no address"}, "invalid"),
            ({**new, "colour": "red"}, "invalid"),
        ):
            answer = await adams.sends("POST", "/admin/users", body)
            assert answer.json()["code"] == code, answer.text
            assert "Cora" not in answer.text
        path = "/admin/users/dora"
        moved = await adams.sends("PATCH", path, {"surname": "Dahl", "name": "", "enabled": False})
        assert (moved.json()["name"], moved.json()["enabled"]) == ("Dora Dahl", False)
        tag = (await adams.get(f"{path}/numbers")).headers["etag"]
        given = {"numbers": ["08142 479 21", "08142 479 22"]}
        numbered = await adams.sends("PUT", f"{path}/numbers", given, if_match=tag)
        assert numbered.json()["numbers"] == ["+49814247921", "+49814247922"]
        found = (await adams.get("/admin/users?find=dahl")).json()["items"]
        assert [one["id"] for one in found] == ["dora"]
        assert (await adams.sends("POST", f"{path}/login", {"action": "unlock"})).json()
        gone = await adams.sends("DELETE", path, if_match="*")
        assert gone.status_code == HTTPStatus.NO_CONTENT
        assert (await adams.get(path)).status_code == HTTPStatus.FORBIDDEN  # as for strangers
        himself = await adams.sends("DELETE", f"/admin/users/{ADAM}", if_match="*")
        assert himself.status_code == HTTPStatus.FORBIDDEN
        own = await adams.sends("PATCH", f"/admin/users/{ADAM}", {"mail": "a@example.org"})
        assert own.json()["code"] == "needs-code"
        begun = await adams.sends(
            "PUT", f"/admin/users/{ADAM}/mail-address", {"mail": "a@example.org"}
        )
        assert (begun.json()["mail"], begun.json()["new"]) == ("adam@example.org", "a@example.org")

    in_house(tmp_path, story)


def test_users_are_listed_page_by_page_in_the_own_organisations(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        olgas = await program(house, OLGA)
        found, place = list[str](), ""
        while True:
            page = (await olgas.get(f"/admin/users?limit=2&after={place}")).json()
            found += [one["id"] for one in page["items"]]
            if page["next"] is None:
                break
            place = page["next"]
        assert found == [ADAM, ANNA, BERT, OLGA]  # not Cora, whose organisation has no agreement
        assert (await olgas.get("/admin/users?organisation=south")).json()["items"] == []
        rows = (await olgas.get("/admin/organisations")).json()["organisations"]
        assert [(one["id"], one["used"], one["agreement"]) for one in rows] == [
            ("", 2, None),
            ("north", 2, "2026-01-15"),
        ]

    in_house(tmp_path, story)


def test_an_operator_sees_what_waits_and_lets_it_go_on(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        olgas = await program(house, OLGA)
        for user_id in (ANNA, CORA):
            user = await house.directory.user_by_id(user_id)
            assert user
            values = {"when": house.clock.now(), "by_admin": False}
            await house.post.mails.tell(user, SystemMail.PIN_CHANGED, values, occasion="one")
        queue = (await olgas.get("/admin/queue")).json()
        assert sorted(one["whom"] for one in queue["items"]) == ["", "Anna Acker"]
        assert (await olgas.sends("POST", "/admin/queue/release")).json() == {"released": 0}
        key = queue["items"][0]["key"]  # it is tried by itself
        assert (await olgas.sends("POST", f"/admin/queue/{key}/release")).status_code == 404
        assert (await olgas.get("/admin/queue?held=true")).json()["items"] == []
        assert (await olgas.get("/admin/system")).json()["software"][0]["name"] == "vm-ari"

    in_house(tmp_path, story)


def test_a_mass_reset_begins_when_the_number_is_right(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        olgas = await program(house, OLGA)
        wanted = {"organisation": "north", "unlock": True}
        assert (await olgas.get("/admin/resets")).status_code == HTTPStatus.NOT_FOUND
        meant = (await olgas.sends("POST", "/admin/resets/preview", wanted)).json()
        assert meant["users"] == 2
        other = await olgas.sends("POST", "/admin/resets", {**wanted, "count": 3})
        assert other.json()["where"] == "body.count"
        begun = await olgas.sends("POST", "/admin/resets", {**wanted, "count": 2})
        assert begun.status_code == HTTPStatus.ACCEPTED, begun.text
        while (now := (await olgas.get("/admin/resets")).json())["running"]:
            await asyncio.sleep(0.02)
        assert (now["done"], now["failed"], now["broken"]) == (2, 0, False)

    in_house(tmp_path, story, welcome={"enabled": True})
