"""``vm-ari spool`` (or ``outbox``): what waits to be delivered, and what was refused (MAIL-08)."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from vm_ari.cli.opening import (
    FAILED,
    config_option,
    configured,
    fail,
    output_option,
    reported,
)
from vm_ari.cli.rescuing import rescue

if TYPE_CHECKING:
    from vm_ari.wiring.outbox import OutboxDesk, Waiting

T = TypeVar("T")
Story = Callable[["OutboxDesk"], Awaitable[T]]
Step = Callable[["OutboxDesk", "Waiting"], Awaitable[None]]

COLUMNS = ("id", "what", "for", "state", "since", "tries", "next_try", "reason")
WAITING, HELD = "waiting", "held"
MINUTES = "%Y-%m-%d %H:%M"
SOON = "the running controller tries within a minute"

ids_argument = click.argument("ids", metavar="[ID]...", nargs=-1)


@click.group()
def outbox() -> None:
    """What waits to be delivered, and what was refused for good.

    Voice messages, mails of the system and notices (SMS …). What waits is tried again by itself;
    what is held was refused for good, or by you, and waits until it is released. All commands work
    beside the running controller.
    """


outbox.add_command(rescue)


@outbox.command(name="list")
@config_option
@output_option
@click.option("--held", "only_held", is_flag=True, help="Only what was refused for good.")
def show_list(path: Path, form: str, only_held: bool) -> None:
    """Show voice messages, mails of the system and notices (SMS …) that are not delivered."""
    from vm_ari.cli.output import write

    found = _on_desk(path, lambda desk: desk.everything())
    write([_row(one) for one in found if one.held or not only_held], COLUMNS, form)


@outbox.command()
@config_option
@output_option
@click.argument("wanted", metavar="ID")
def show(path: Path, form: str, wanted: str) -> None:
    """Show all that is known of one thing: never what was said, or what a mail says."""
    from vm_ari.cli.output import write

    found = {one.id: one for one in _on_desk(path, lambda desk: desk.everything())}
    if wanted not in found:
        fail(f"Nothing of the id {wanted} waits or is held.", FAILED)
    row = _row(found[wanted]) | _details(found[wanted])
    if form == "json":
        write([row], (), form)
    else:
        write([{"what": key, "value": row[key]} for key in row], ("what", "value"), form)


@outbox.command()
@config_option
@click.option("--all", "everything", is_flag=True, help="All that is held.")
@ids_argument
def release(path: Path, everything: bool, ids: Sequence[str]) -> None:
    """Try again, within a minute, what was refused for good.

    Ends with 1 if something of that ID is not held.
    """
    count = _each(path, ids, everything, HELD, lambda desk, one: desk.release(one))
    click.echo(f"{count} released; {SOON}")


@outbox.command()
@config_option
@click.option("--all", "everything", is_flag=True, help="All that waits, as “flush” does.")
@ids_argument
def retry(path: Path, everything: bool, ids: Sequence[str]) -> None:
    """Try now what waits for its next try. Ends with 1 if something of that ID does not wait."""
    count = _each(path, ids, everything, WAITING, lambda desk, one: desk.retry(one))
    click.echo(f"{count} to be tried now; {SOON}")


@outbox.command()
@config_option
def flush(path: Path) -> None:
    """Try everything now that waits: the mail server is back, say. What is held stays."""
    count = _each(path, (), True, WAITING, lambda desk, one: desk.retry(one))
    click.echo(f"{count} to be tried now; {SOON}")


@outbox.command()
@config_option
@click.option("--all", "everything", is_flag=True, help="All that waits.")
@ids_argument
def hold(path: Path, everything: bool, ids: Sequence[str]) -> None:
    """Do not try what waits, until it is released. What is on its way just now may arrive."""
    count = _each(path, ids, everything, WAITING, lambda desk, one: desk.hold(one))
    click.echo(f"{count} held; “release” lets them go on")


@outbox.command()
@config_option
@click.option("--for", "number", metavar="NUMBER", default="", help="The mailbox it goes to.")
@click.option("--from", "caller", metavar="NUMBER", default="", help="Who has called, if known.")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
def adopt(path: Path, number: str, caller: str, file: Path) -> None:
    """Make a recording that lies around (FILE, WAV) a voice message, as if it had been left now.

    For what stands in “corrupt” below the spool, or was saved from a disk. Beside such a file lie
    the facts of its call, so --for is needed for others only. The file itself stays.
    """
    from vm_ari.wiring.adoption import CannotAdopt, adopt_file

    with reported():
        config = configured(path)
        try:
            told = adopt_file(config, file, number, caller)
        except CannotAdopt as error:
            fail(f"{file} cannot be adopted: {error}", FAILED)
    click.echo(f"{told}; the running controller delivers it within some seconds")


def _each(path: Path, ids: Sequence[str], everything: bool, state: str, step: Step) -> int:
    """Do it with each that is named, or with all; unknown ones stop it before anything is done."""
    if everything == bool(ids):
        raise click.UsageError("Name what is meant by its ID, or write --all.")

    async def story(desk: "OutboxDesk") -> int:
        from vm_ari.wiring.outbox import What

        there = {one.id: one for one in await desk.everything() if _state(one) == state}
        if unknown := [one for one in ids if one not in there]:
            fail(f"Not {state}: {' '.join(unknown)}. Nothing was done.", FAILED)
        hurried = [k for k, one in there.items() if state == HELD or one.what is not What.NOTICE]
        chosen = dict.fromkeys(ids or hurried)
        for one in chosen:
            await step(desk, there[one])
        return len(chosen)

    return _on_desk(path, story)


def _state(one: "Waiting") -> str:
    return HELD if one.held else WAITING


def _row(one: "Waiting") -> dict[str, object]:
    """Times are UTC."""
    tries = one.attempts
    later = f"{tries.not_before:{MINUTES}}" if tries.not_before else "now"
    return {
        "id": one.id,
        "what": one.kind,
        "for": one.for_whom,
        "state": _state(one),
        "since": f"{one.since:{MINUTES}}",
        "tries": tries.failed,
        "next_try": "" if one.held else later,
        "reason": tries.last_error,
    }


def _details(one: "Waiting") -> dict[str, object]:
    details: dict[str, object] = {"faults_of_ours": one.attempts.faults}
    if facts := one.facts:
        details |= {
            "called": facts.called,
            "caller": facts.caller.number or "withheld",
            "caller_name": facts.caller.name,
            "message_id": facts.message_id,
            "urgent": facts.urgent,
        }
    if message := one.message:
        details |= {"seconds": round(message.seconds, 1), "file": message.audio}
    return details


def _on_desk(path: Path, story: "Story[T]") -> T:
    """Run a story on what the controller works on, beside it."""
    import asyncio

    from vm_ari.logs import logs_of_command
    from vm_ari.wiring.outbox import UNUSABLE, NotLikeThat, open_outbox_desk

    async def run() -> T:
        async with open_outbox_desk(config) as desk:
            return await story(desk)

    with reported():
        config = configured(path)
        with logs_of_command(config.log_level):
            try:
                return asyncio.run(run())
            except NotLikeThat as error:
                fail(f"{error}.", FAILED)
            except UNUSABLE as error:
                fail(f"The outbox cannot be read: {error}", FAILED)
