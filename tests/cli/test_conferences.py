"""``vm-ari conferences``: those that other processes show, orders for them, and PINs of rooms."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from tests.cli.site import CliSite
from tests.cli.test_pin import state_of
from vm_ari.config import load
from vm_ari.domain.callers import Caller
from vm_ari.domain.conferences import Conference, Party, Role, entered
from vm_ari.ports.conference import LiveConference, RoomOrder, Verb
from vm_ari.wiring.conferences import open_conference_board

NOW = datetime.now(UTC)


def on_board(site: CliSite, *shown: LiveConference) -> list[RoomOrder]:
    """Show these where any are given; what was ordered."""

    async def run() -> list[RoomOrder]:
        board = open_conference_board(load(site.config))
        try:
            if shown:
                await board.write("pbx", shown)
            return list(await board.take_orders("pbx", NOW - timedelta(minutes=5)))
        finally:
            await board.close()

    return asyncio.run(run())


def one_of_two() -> LiveConference:
    conference = Conference("c1", "+4930555103", "anna", NOW, locked=True)
    for number, role in enumerate(Role, 1):
        party = Party(f"channel-{number}", 0, role, NOW, Caller(f"+49301234{number}"))
        conference = entered(conference, party)
    return LiveConference(conference, "pbx", datetime.now(UTC), frozenset({2}))


@pytest.mark.feature_part("UM-04", "conferences are seen and decided about by commands")
def test_conferences_are_listed_shown_and_decided_about(site: CliSite) -> None:
    assert site.ask("conferences", "list") == []
    on_board(site, one_of_two())
    [row] = site.ask("conferences", "list")
    assert (row["id"], row["owner"], row["participants"], row["state"]) == (
        "c1",
        "anna",
        2,
        "locked",
    )
    shown = site.ask("conferences", "show", "c1")
    assert [(one["participant"], one["role"], one["state"]) for one in shown] == [
        (1, "participant", "listens"),
        (2, "moderator", "talks"),
    ]
    for words in (
        ("mute", "c1", "1"),
        ("mute", "--off", "c1", "1"),
        ("remove", "c1", "2"),
        ("lock", "--off", "c1"),
        ("hush", "c1"),
        ("record", "c1"),
        ("end", "c1"),
    ):
        site.run("conferences", *words)
    verbs = [(one.verb, one.party) for one in on_board(site)]
    assert verbs == [
        (Verb.MUTE, 1),
        (Verb.UNMUTE, 1),
        (Verb.REMOVE, 2),
        (Verb.UNLOCK, 0),
        (Verb.HUSH, 0),
        (Verb.RECORD, 0),
        (Verb.END, 0),
    ]


@pytest.mark.parametrize(
    "words", [("show", "c2"), ("end", "c2"), ("mute", "c1", "3"), ("remove", "c2", "1")]
)
def test_what_is_not_there_is_said(site: CliSite, words: tuple[str, ...]) -> None:
    on_board(site, one_of_two())
    told = site.run("conferences", *words, code=1)
    assert "vm-ari conferences list" in told.output
    assert on_board(site) == []


def test_a_room_gets_its_pins(site: CliSite) -> None:
    site.run("users", "add", "anna", "--number", "101")
    told = site.run("conferences", "pins", "anna", typed="4829\n739164\n")
    assert "4829" not in told.output
    room = state_of(site, "anna").room
    assert (room.participant, room.moderator) == ("4829", "739164")
    refused = site.run("conferences", "pins", "anna", typed="1234\n\n", code=1)
    assert "sequence" in refused.output
    site.run("conferences", "pins", "nobody", typed="4829\n\n", code=1)
    site.run("conferences", "pins", "anna", typed="\n739164\n")
    assert state_of(site, "anna").room.participant == ""
