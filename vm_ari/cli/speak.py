"""``vm-ari speak``: a number is called, and a text is read there (SPEECH-04)."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeVar

import click

from vm_ari.cli.completing import user_ids
from vm_ari.cli.opening import FAILED, config_option, fail, output_option
from vm_ari.cli.orders import cancel_order, on_orders, order_row, orders_of, sender_of

if TYPE_CHECKING:
    from vm_ari.domain.spoken_orders import SpokenOrder
    from vm_ari.services.spoken_ordering import SpokenOrdering
    from vm_ari.services.users import Users

T = TypeVar("T")

COLUMNS = ("message", "user", "number", "ordered", "state", "calls", "seconds", "cause")
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
        _on_messages(path, lambda _desk, ordering: cancel_order(ordering, "message", cancel))
        click.echo("the running controller stops it", err=True)
        return
    if listed:
        found = _on_messages(path, lambda desk, ordering: orders_of(desk, ordering, user))
        write([_row(one) for one in found], COLUMNS, form)
        return
    words = _text(text, file)
    if not number or not user:
        raise click.UsageError("write a NUMBER, and the sender: --as USER")
    sender, to = user, number

    async def story(desk: "Users", ordering: "SpokenOrdering") -> "SpokenOrder":
        from datetime import UTC

        from vm_ari.domain.orders import Way

        return await ordering.place(
            await sender_of(desk, sender),
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


def _row(order: "SpokenOrder") -> dict[str, object]:
    return {"message": order.id, **order_row(order)}


def _on_messages(path: Path, story: "Callable[[Users, SpokenOrdering], Awaitable[T]]") -> T:
    from vm_ari.services.spoken_ordering import NothingToSay, WrongTime
    from vm_ari.wiring.spoken import open_spoken_ordering

    none = "spoken_messages.enabled: none are spoken; write enabled = true"
    try:
        return on_orders(path, open_spoken_ordering, story, name="messages", none=none)
    except (NothingToSay, WrongTime) as error:
        fail(error, FAILED)
