"""``vm-ari conferences``: those that go on, on every node, and the PINs of rooms (UM-04)."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

import click

from vm_ari.cli.opening import (
    FAILED,
    UNREACHABLE,
    config_option,
    configured,
    fail,
    on_users,
    output_option,
    reported,
)

if TYPE_CHECKING:
    from vm_ari.ports.conference import LiveConference, Verb
    from vm_ari.services.conference_view import ConferenceView
    from vm_ari.services.users import Users

T = TypeVar("T")
COLUMNS = ("id", "number", "owner", "since", "participants", "state")
PARTY_COLUMNS = ("participant", "caller", "role", "state", "since")
SECONDS = "%Y-%m-%d %H:%M:%S"
_conference = click.argument("conference", metavar="ID")
_party = click.argument("party", metavar="PARTICIPANT", type=click.IntRange(1))


@click.group()
def conferences() -> None:
    """Conferences that go on, on all nodes: shown, and decided about; and the PINs of rooms.

    What is ordered is done within two seconds. A command ends with 1 where there is no such
    conference or participant, and with 4 if the database does not answer.
    """


@conferences.command(name="list")
@config_option
@output_option
def list_(path: Path, form: str) -> None:
    """All of them (times in UTC)."""
    from vm_ari.cli.output import write

    write([_row(one) for one in _on_conferences(path, lambda view: view.all())], COLUMNS, form)


@conferences.command()
@config_option
@output_option
@_conference
def show(path: Path, form: str, conference: str) -> None:
    """Who takes part, and who talks just now."""
    from vm_ari.cli.output import write

    live = _on_conferences(path, lambda view: view.one(conference))
    if live is None:
        _fail_without(conference)
    write(_parties(live), PARTY_COLUMNS, form)


@conferences.command()
@config_option
@click.option("--off", is_flag=True, help="Let that participant be heard again.")
@_conference
@_party
def mute(path: Path, conference: str, party: int, *, off: bool) -> None:
    """Mute a participant, by the number that “show” tells."""
    _order(path, conference, "unmute" if off else "mute", party)


@conferences.command()
@config_option
@_conference
@_party
def remove(path: Path, conference: str, party: int) -> None:
    """Remove a participant."""
    _order(path, conference, "remove", party)


@conferences.command()
@config_option
@click.option("--off", is_flag=True, help="Let others come in again.")
@_conference
def lock(path: Path, conference: str, *, off: bool) -> None:
    """Let nobody in any more but moderators."""
    _order(path, conference, "unlock" if off else "lock")


@conferences.command()
@config_option
@click.option("--off", is_flag=True, help="Let everybody be heard again.")
@_conference
def hush(path: Path, conference: str, *, off: bool) -> None:
    """Mute everybody but the moderators."""
    _order(path, conference, "unhush" if off else "hush")


@conferences.command()
@config_option
@click.option("--off", is_flag=True, help="Stop recording.")
@_conference
def record(path: Path, conference: str, *, off: bool) -> None:
    """Record it for its owner, where the owner's settings allow that."""
    _order(path, conference, "stop-recording" if off else "record")


@conferences.command()
@config_option
@_conference
def end(path: Path, conference: str) -> None:
    """End it for everybody."""
    _order(path, conference, "end")


@conferences.command()
@config_option
@click.argument("user")
def pins(path: Path, user: str) -> None:
    """Set the PINs of a user's room; they are typed, or read from standard input in two lines.

    An empty one is taken away. Opens a room that wrong PINs have locked.
    """
    participant = _typed("PIN of participants")
    moderator = _typed("PIN of moderators")

    async def work(desk: "Users") -> str:
        from vm_ari.domain.login_state import RoomPins
        from vm_ari.domain.pin_rules import sentence
        from vm_ari.services.conference_pins import SHORTEST, set_room_pins

        entry = await desk.find(user)
        given, numbers = RoomPins(participant, moderator), (*entry.numbers, entry.mailbox)
        fault = await set_room_pins(desk.register, entry.id, given, numbers)
        return sentence(fault, shortest=SHORTEST) if fault else ""

    if fault := on_users(path, work):
        fail(fault, FAILED)


def _typed(what: str) -> str:
    text: str = click.prompt(what, default="", show_default=False, hide_input=True, err=True)
    return text.strip()


def _order(path: Path, conference: str, verb: str, party: int = 0) -> None:
    async def work(view: "ConferenceView") -> bool:
        from vm_ari.ports.conference import Verb

        live = await view.one(conference)
        if live is None or not _may(live, Verb(verb), party):
            return False
        await view.order(live, Verb(verb), party=party, by="vm-ari conferences")
        return True

    if not _on_conferences(path, work):
        _fail_without(conference)


def _may(live: "LiveConference", verb: "Verb", party: int) -> bool:
    numbers = {one.number for one in live.conference.parties}
    return party in numbers or not verb.about_somebody


def _fail_without(conference: str) -> NoReturn:
    fail(
        f"There is no conference {conference[:40]}, or no such participant: “vm-ari conferences "
        "list” and “show” tell what there is.",
        FAILED,
    )


def _row(live: "LiveConference") -> dict[str, object]:
    one = live.conference
    states = {
        "waits": not one.begun,
        "locked": one.locked,
        "hushed": one.hushed,
        "recorded": bool(one.recording),
    }
    return {
        "id": one.id,
        "number": one.number,
        "owner": one.owner,
        "node": live.node,
        "since": f"{one.started:{SECONDS}}",
        "participants": len(one.parties),
        "state": " ".join(name for name, is_so in states.items() if is_so),
    }


def _parties(live: "LiveConference") -> list[dict[str, object]]:
    return [
        {
            "participant": one.number,
            "caller": "" if one.withheld else f"{one.caller.number} {one.caller.name}".strip(),
            "role": one.role.value,
            "state": _state(live, one.number, muted=one.muted),
            "since": f"{one.joined:{SECONDS}}",
        }
        for one in live.conference.parties
    ]


def _state(live: "LiveConference", number: int, *, muted: bool) -> str:
    if number in live.talking:
        return "talks"
    return "muted" if muted else "listens"


def _on_conferences(path: Path, story: "Callable[[ConferenceView], Awaitable[T]]") -> T:
    """Run a story on those of all nodes; an error ends the program with its exit code."""
    import asyncio

    from vm_ari.adapters.system_clock import SystemClock
    from vm_ari.logs import logs_of_command
    from vm_ari.ports.conference import ConferencesUnavailable
    from vm_ari.services.conference_view import ConferenceView
    from vm_ari.wiring.conferences import open_conference_board

    with reported():
        config = configured(path)

        async def run() -> T:
            board = open_conference_board(config)
            try:
                return await story(ConferenceView(board, SystemClock()))
            finally:
                await board.close()

        try:
            with logs_of_command(config.log_level):
                return asyncio.run(run())
        except ConferencesUnavailable as error:
            fail(error, UNREACHABLE)
