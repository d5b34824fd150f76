"""``vm-ari speak``: a number is called, and a text is read there (SPEECH-04)."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeVar

import click

from vm_ari.cli.completing import user_ids
from vm_ari.cli.opening import (
    FAILED,
    UNREACHABLE,
    config_option,
    configured,
    directory_of,
    fail,
    on_users,
    output_option,
    reported,
)

if TYPE_CHECKING:
    from vm_ari.domain.spoken_orders import SpokenOrder
    from vm_ari.services.spoken_ordering import SpokenOrdering
    from vm_ari.services.users import Users

T = TypeVar("T")

COLUMNS = ("message", "user", "number", "ordered", "state", "calls", "seconds", "cause")
SECONDS = "%Y-%m-%d %H:%M:%S"
_LATER = click.DateTime(["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"])


@click.command()
@config_option
@output_option
@click.argument("number", required=False)
@click.argument("text", required=False)
@click.option("-f", "--file", type=click.File(encoding="utf-8"), help="Read the text from there.")
@click.option("--as", "user", metavar="USER", shell_complete=user_ids, help="Who sends it.")
@click.option("--language", default="", help="Of the text, such as de; else it is recognised.")
@click.option("--at", type=_LATER, help="Not before that time (UTC).")
@click.option("--confirm", is_flag=True, help="Who is called has to press a key.")
@click.option("--occasion", default="", help="The same is sent once, however often it is ordered.")
@click.option("--list", "listed", is_flag=True, help="Show what was ordered; with --as, by whom.")
@click.option("--cancel", metavar="MESSAGE", help="Call no more for this message.")
def speak(
    path: Path,
    form: str,
    number: str | None,
    text: str | None,
    file: TextIO | None,
    user: str | None,
    language: str,
    at: datetime | None,
    confirm: bool,
    occasion: str,
    listed: bool,
    cancel: str | None,
) -> None:
    """Call NUMBER and read TEXT there; the running controller does it."""
    from vm_ari.cli.output import write

    if cancel:
        _on_messages(path, lambda _desk, ordering: _cancel(ordering, cancel))
        click.echo("the running controller stops it", err=True)
        return
    if listed:
        found = _on_messages(path, lambda desk, ordering: _list(desk, ordering, user))
        write([_row(one) for one in found], COLUMNS, form)
        return
    words = _text(text, file)
    if not number or not user:
        raise click.UsageError("write a NUMBER, and the sender: --as USER")
    sender, to = user, number

    async def story(desk: "Users", ordering: "SpokenOrdering") -> "SpokenOrder":
        from datetime import UTC

        from vm_ari.domain.fax_orders import Way

        entry = await desk.find(sender)
        owner = await directory_of(desk).user_by_id(entry.id)
        if owner is None:
            fail(f"There is no user {sender}.", FAILED)
        return await ordering.place(
            owner,
            to,
            words,
            way=Way.COMMAND,
            language=language,
            later=at.replace(tzinfo=UTC) if at else None,
            confirm=confirm,
            occasion=occasion and f"command {occasion}",
        )

    write([_row(_on_messages(path, story))], COLUMNS, form)


def _text(text: str | None, file: TextIO | None) -> str:
    if text is not None and file is not None:
        raise click.UsageError("write a TEXT or --file, not both")
    if file is None:
        return text or ""
    try:
        return file.read()
    except (OSError, UnicodeError) as error:
        fail(f"{file.name}: {error}", FAILED)


async def _list(desk: "Users", ordering: "SpokenOrdering", user: str | None) -> "list[SpokenOrder]":
    user_id = (await desk.find(user)).id if user else ""
    return list(await ordering.of_user(user_id))


async def _cancel(ordering: "SpokenOrdering", name: str) -> None:
    order = await ordering.find("", name)
    if order is None:
        fail(f"There is no message {name}, or it is not remembered any more.", FAILED)
    if order.state.is_over:
        fail(f"The message {name} is over already: {order.state.value}.", FAILED)
    await ordering.cancel(order)


def _row(order: "SpokenOrder") -> dict[str, object]:
    return {
        "message": order.id,
        "user": order.user_id,
        "number": order.number,
        "ordered": f"{order.made:{SECONDS}}",
        "state": order.state.value,
        "calls": order.calls,
        "seconds": round(order.seconds),
        "cause": order.cause.value if order.cause else "",
    }


def _on_messages(path: Path, story: "Callable[[Users, SpokenOrdering], Awaitable[T]]") -> T:
    """Run a story beside the controller; an error ends the program with its exit code."""

    async def with_messages(desk: "Users") -> T:
        from vm_ari.adapters.sealing import KeyRing
        from vm_ari.app import SystemClock
        from vm_ari.config import BadConfig
        from vm_ari.wiring_spoken import open_spoken_ordering

        opened = open_spoken_ordering(config, KeyRing(config.directory.keys), SystemClock())
        if opened is None:
            raise BadConfig("spoken_messages.enabled: none are spoken; write enabled = true")
        try:
            return await story(desk, opened.ordering)
        finally:
            opened.close()

    with reported():
        config = configured(path)
        return _explained(lambda: on_users(path, with_messages))


def _explained(work: Callable[[], T]) -> T:
    from vm_ari.ports_spoken import SpokenQueueUnavailable
    from vm_ari.services.spoken_ordering import NothingToSay, SpokenRefused, WrongTime

    try:
        return work()
    except SpokenQueueUnavailable as error:
        fail(f"The messages cannot be used: {error}", UNREACHABLE)
    except (SpokenRefused, NothingToSay, WrongTime) as error:
        fail(error, FAILED)
