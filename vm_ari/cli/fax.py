"""``vm-ari fax``: faxes that leave: ordered, listed, shown, cancelled, begun anew (UM-04)."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from vm_ari.cli.completing import user_ids
from vm_ari.cli.opening import FAILED, config_option, fail, output_option
from vm_ari.cli.orders import (
    SECONDS,
    cancel_order,
    known_order,
    on_orders,
    order_row,
    orders_of,
    sender_of,
)

if TYPE_CHECKING:
    from vm_ari.domain.fax_orders import FaxOrder
    from vm_ari.ports.fax_sending import Paper
    from vm_ari.services.fax_ordering import FaxOrdering
    from vm_ari.services.users import Users

T = TypeVar("T")

COLUMNS = ("fax", "user", "number", "ordered", "state", "pages", "cause")
_documents = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def fax() -> None:
    """Faxes that users send; the running controller does it."""


@fax.command()
@config_option
@output_option
@click.argument("user", shell_complete=user_ids)
@click.argument("number")
@click.argument("documents", nargs=-1, type=_documents)
@click.option("--to", default="", help="Whom the cover page names.")
@click.option("--subject", default="", help="The subject on the cover page.")
@click.option("--text", default="", help="The text on the cover page.")
@click.option("--occasion", default="", help="The same is sent once, however often it is ordered.")
def send(
    path: Path,
    form: str,
    user: str,
    number: str,
    documents: tuple[Path, ...],
    to: str,
    subject: str,
    text: str,
    occasion: str,
) -> None:
    """Send DOCUMENTS (PDF, PNG, JPEG, TIFF, text) to NUMBER, in the name of USER."""
    from vm_ari.cli.output import write

    async def story(desk: "Users", ordering: "FaxOrdering") -> "FaxOrder":
        from vm_ari.domain.fax_orders import Cover
        from vm_ari.domain.orders import Way

        sender, papers = await sender_of(desk, user), _papers(documents)
        cover = Cover(to, subject, text)
        return await ordering.place(
            sender, number, papers, way=Way.COMMAND, cover=cover, occasion=occasion
        )

    write([_row(_on_faxes(path, story))], COLUMNS, form)


@fax.command(name="list")
@config_option
@output_option
@click.option("--user", "who", metavar="USER", help="Only those of this user.")
@click.option("--open", "open_", is_flag=True, help="Only those that are not over.")
def listed(path: Path, form: str, who: str | None, open_: bool) -> None:
    """Faxes that were ordered, the newest first; times are UTC."""
    from vm_ari.cli.output import write

    found = _on_faxes(path, lambda desk, ordering: orders_of(desk, ordering, who))
    write([_row(one) for one in found if not (open_ and one.state.is_over)], COLUMNS, form)


@fax.command()
@config_option
@click.argument("fax_id", metavar="FAX")
@click.option("--pdf", type=click.Path(path_type=Path, dir_okay=False), help="Write its pages.")
def show(path: Path, fax_id: str, pdf: Path | None) -> None:
    """Everything about one fax."""

    async def story(_desk: "Users", ordering: "FaxOrdering") -> "FaxOrder":
        order = await known_order(ordering, "fax", fax_id)
        if pdf:
            await _write_pages(ordering, order, pdf)
        return order

    for name, value in _facts(_on_faxes(path, story)).items():
        click.echo(f"{name + ':':<12} {value}")


@fax.command()
@config_option
@click.argument("fax_id", metavar="FAX")
def cancel(path: Path, fax_id: str) -> None:
    """Send no more of a fax; a call that goes on is ended."""

    _on_faxes(path, lambda _desk, ordering: cancel_order(ordering, "fax", fax_id))
    click.echo("the running controller stops it", err=True)


@fax.command()
@config_option
@click.argument("fax_id", metavar="FAX")
def retry(path: Path, fax_id: str) -> None:
    """Begin a fax anew that is over, from the first page that has not arrived."""

    async def story(desk: "Users", ordering: "FaxOrdering") -> None:
        order = await known_order(ordering, "fax", fax_id)
        if not await ordering.again(await sender_of(desk, order.user_id), order):
            fail(f"The fax {fax_id} is not over, or its documents are gone.", FAILED)

    _on_faxes(path, story)
    click.echo("the running controller sends it", err=True)


def _papers(documents: Sequence[Path]) -> "list[Paper]":
    from vm_ari.adapters.fax_rendering import media_type_of
    from vm_ari.ports.fax_sending import Paper

    found = []
    for document in documents:
        try:
            content = document.read_bytes()
        except OSError as error:
            fail(f"{document}: {error.strerror}", FAILED)
        if (kind := media_type_of(content)) is None:
            fail(f"{document} cannot be sent; PDF, PNG, JPEG, TIFF and text are possible.", FAILED)
        found.append(Paper(kind, content, document.name))
    return found


async def _write_pages(ordering: "FaxOrdering", order: "FaxOrder", target: Path) -> None:
    import asyncio

    from vm_ari.adapters.fax_rendering import as_pdf

    printed = await ordering.pages(order)
    if printed is None:
        fail(f"The pages of {order.id} are not made yet, or gone.", FAILED)
    try:
        await asyncio.to_thread(target.write_bytes, await as_pdf(printed))
    except OSError as error:
        fail(f"{target}: {error.strerror}", FAILED)


def _row(order: "FaxOrder") -> dict[str, object]:
    pages = f"{order.confirmed}/{order.pages}" if order.pages else ""
    told = {"fax": order.id, **order_row(order), "pages": pages}
    return {name: told[name] for name in COLUMNS}


def _facts(order: "FaxOrder") -> dict[str, object]:
    from vm_ari.domain.callers import printable

    told = {
        **_row(order),
        "way": order.way.value,
        "subject": printable(order.cover.subject, 80),
        "calls": order.calls,
        "seconds": round(order.seconds),
        "station": order.station,
        "reason": order.reason,
        "next": f"{order.not_before:{SECONDS}}" if order.not_before else "",
        "ended": f"{order.ended:{SECONDS}}" if order.ended else "",
    }
    return {name: value for name, value in told.items() if value != ""}


def _on_faxes(path: Path, story: "Callable[[Users, FaxOrdering], Awaitable[T]]") -> T:
    from vm_ari.ports.fax_sending import Unprintable
    from vm_ari.wiring.faxes import open_fax_ordering

    none = "fax_sending.enabled: no faxes are sent; write enabled = true"
    try:
        return on_orders(path, open_fax_ordering, story, name="faxes", none=none)
    except Unprintable as error:
        fail(f"It cannot be sent: {error}.", FAILED)
