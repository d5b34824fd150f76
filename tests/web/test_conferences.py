"""The pages of conferences: PINs, settings, who is there, what is ordered from there (UM-04)."""

from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

import pytest

from tests.web.api_program import program
from tests.web.portal_house import ADAM, ANNA, BERT, CORA, OLGA, House, in_house, token_in
from tests.web.test_users_pages import visitor
from vm_ari.domain.callers import Caller
from vm_ari.domain.conferences import Conference, Party, Role, entered
from vm_ari.ports.conference import LiveConference, RoomOrder, Verb
from vm_ari.web.conference_parts import ConferenceParts

NUMBER = "+49814247910"
EVE = Caller("+49301234567", "<b>Eve</b>")
part = pytest.mark.feature_part


def parts_of(house: House) -> ConferenceParts:
    return next(one for one in house.portal.parts.more if isinstance(one, ConferenceParts))


async def goes_on(
    house: House, *owners: str, named: Callable[[str], str] = lambda _owner: EVE.name
) -> dict[str, Conference]:
    """A conference in the room of each of them: two people, one of them talks."""
    now, found = house.clock.now(), {}
    for owner in owners:
        conference = Conference(f"c{owner}", NUMBER, owner, now)
        for number, role in enumerate(Role, 1):
            party = Party(f"{owner}-{number}", 0, role, now, Caller(EVE.number, named(owner)))
            conference = entered(conference, party)
        found[owner] = conference
    shown = [LiveConference(one, "pbx", now, frozenset({2})) for one in found.values()]
    await parts_of(house).view.board.write("pbx", shown)
    return found


async def has_a_room(house: House, user_id: str, number: str) -> None:
    await house.directory.change_settings(user_id, {"conference_numbers": number})


async def orders(house: House) -> list[RoomOrder]:
    taken = await parts_of(house).view.board.take_orders("pbx", house.clock.now())
    return list(taken)


@part("UM-04", "the owner sets the room's PINs and settings in the portal")
def test_the_owner_opens_the_room(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        anna = await visitor(house, ANNA)
        assert "None of your numbers" in (await anna.sees("/me/conferences")).text
        await has_a_room(house, ANNA, NUMBER)
        page = (await anna.sees("/me/conferences")).text
        assert "Nobody can come in" in page
        assert NUMBER in page
        for wrong, why in (
            ({"participant": "1234", "moderator": "7391"}, "are a sequence"),
            ({"participant": "4829", "moderator": "4829"}, "must differ"),
            ({"participant": "4829", "moderator": "12"}, "too short"),
        ):
            answer = await anna.sends("/me/conferences", form="pins", **wrong)
            assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
            assert why in answer.text
            assert "4829" not in answer.text
        good = {"participant": "4829", "moderator": "739164"}
        await anna.sends("/me/conferences", form="pins", **good)
        room = (await house.directory.login_state(ANNA)).room
        assert (room.participant, room.moderator) == ("4829", "739164")
        entry = await house.directory.entry_by_id(ANNA)
        assert entry
        assert "739164" not in str(entry.sealed)
        page = (await anna.sees("/me/conferences")).text
        assert "Nobody can come in" not in page
        assert "739164" not in page
        await anna.sends(
            "/me/conferences", conference_begin="with-moderator", conference_parties="7"
        )
        bad = await anna.sends("/me/conferences", conference_parties="1000")
        assert bad.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        user = await house.directory.user_by_id(ANNA)
        assert user
        assert (user.conference_begin.value, user.conference_parties) == ("with-moderator", 7)

    in_house(tmp_path, story)


@part("UM-04", "who takes part is seen live in the portal, and can be muted and removed there")
def test_the_owner_decides_about_who_is_there(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await has_a_room(house, ANNA, NUMBER)
        anna = await visitor(house, ANNA)
        assert "Nobody is there." in (await anna.sees("/me/conferences/live")).text
        await goes_on(house, ANNA, BERT)
        page = (await anna.sees("/me/conferences/live")).text
        assert page.count("&lt;b&gt;Eve") >= 2
        assert "talks" in page
        assert page.count("<h3>") == 1, "somebody else's room is shown"
        for order in ("mute:1", "remove:2", "lock", "hush", "record", "end"):
            await anna.sends(
                "/me/conferences/order", "/me/conferences", conference="canna", order=order
            )
        expected = [
            RoomOrder("canna", Verb.MUTE, 1, ANNA),
            RoomOrder("canna", Verb.REMOVE, 2, ANNA),
            *(
                RoomOrder("canna", verb, 0, ANNA)
                for verb in (Verb.LOCK, Verb.HUSH, Verb.RECORD, Verb.END)
            ),
        ]
        assert await orders(house) == expected
        for conference, order in (
            ("cbert", "end"),
            ("canna", "mute:9"),
            ("canna", "burn"),
            ("", ""),
        ):
            await anna.sends(
                "/me/conferences/order", "/me/conferences", conference=conference, order=order
            )
            assert "not there any more" in (await anna.sees("/me/conferences")).text
        assert await orders(house) == []

    in_house(tmp_path, story)


def test_administrators_see_the_rooms_of_those_for_whom_they_act(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        olga, adam = await visitor(house, OLGA), await visitor(house, ADAM)
        anna = await visitor(house, ANNA)
        await goes_on(house, ANNA, BERT, CORA)
        assert (await anna.sees("/conference-rooms")).status_code != HTTPStatus.OK
        page = (await olga.sees("/conference-rooms")).text
        assert "Anna Acker" in page
        assert "Bert Bauer" in page
        assert "Cora" not in page, "her organisation has recorded no agreement"
        theirs = (await adam.sees("/conference-rooms/live")).text
        assert "Bert Bauer" in theirs
        assert "Anna" not in theirs
        shown = await adam.sees("/conference-rooms")
        for conference in ("canna", "ccora", "cbert"):
            fields = {"csrf": token_in(shown.text), "conference": conference, "order": "lock"}
            await adam.http.post("/conference-rooms/order", data=fields)
        assert await orders(house) == [RoomOrder("cbert", Verb.LOCK, 0, ADAM)]

    in_house(tmp_path, story)


def test_a_silent_controller_s_conferences_are_over(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await goes_on(house, ANNA)
        view = parts_of(house).view
        assert await view.one("canna") is not None
        house.clock.passes(seconds=60)
        assert await view.all() == []

    in_house(tmp_path, story)


@part("UM-04", "programs see conferences, decide about them and set PINs by the API")
def test_programs_do_the_same(tmp_path: Path) -> None:
    async def story(house: House) -> None:
        await has_a_room(house, ANNA, NUMBER)
        await goes_on(house, ANNA, BERT)
        annas, olgas = await program(house, ANNA), await program(house, OLGA)
        [mine] = (await annas.get("/me/conferences")).json()["conferences"]
        assert (mine["id"], mine["number"], mine["locked"]) == ("canna", NUMBER, False)
        assert [(one["moderates"], one["talks"]) for one in mine["parties"]] == [
            (False, False),
            (True, True),
        ]
        path = "/me/conferences/canna/orders"
        done = await annas.sends("POST", path, {"verb": "mute", "party": 1})
        assert done.json() == {"ordered": "mute"}
        for path_, body, status in (
            (path, {"verb": "mute", "party": 7}, HTTPStatus.NOT_FOUND),
            ("/me/conferences/cbert/orders", {"verb": "end"}, HTTPStatus.NOT_FOUND),
            (path, {"verb": "burn"}, HTTPStatus.UNPROCESSABLE_ENTITY),
        ):
            assert (await annas.sends("POST", path_, body)).status_code == status
        everybody = (await olgas.get("/admin/conferences")).json()["conferences"]
        assert [one["owner"] for one in everybody] == [ANNA, BERT]
        await olgas.sends("POST", "/admin/conferences/cbert/orders", {"verb": "end"})
        expected = [RoomOrder("canna", Verb.MUTE, 1, ANNA), RoomOrder("cbert", Verb.END, 0, OLGA)]
        assert await orders(house) == expected
        pins = {"participant": "4829", "moderator": "739164"}
        told = await annas.sends("PUT", "/me/conference-pins", pins)
        assert told.json() == {"participant": True, "moderator": True}
        assert "4829" not in told.text
        refused = await annas.sends("PUT", "/me/conference-pins", {**pins, "participant": "1234"})
        assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
        room = (await house.directory.login_state(ANNA)).room
        assert (room.participant, room.moderator) == ("4829", "739164")

    in_house(tmp_path, story)
