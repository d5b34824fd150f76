"""``vm-ari fax``: faxes that leave: ordered, listed, shown, cancelled, begun anew (UM-04)."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

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
    from vm_ari.domain.fax_orders import FaxOrder
    from vm_ari.domain.users import User
    from vm_ari.ports_fax_sending import Paper
    from vm_ari.services.fax_ordering import FaxOrdering
    from vm_ari.services.users import Users

T = TypeVar("T")

COLUMNS = ("fax", "user", "number", "ordered", "state", "pages", "cause")
SECONDS = "%Y-%m-%d %H:%M:%S"
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
        from vm_ari.domain.fax_orders import Cover, Way

        sender, papers = await _user(desk, user), _papers(documents)
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

    async def story(desk: "Users", ordering: "FaxOrdering") -> "Sequence[FaxOrder]":
        user_id = (await desk.find(who)).id if who else ""
        return await ordering.of_user(user_id)

    found = _on_faxes(path, story)
    write([_row(one) for one in found if not (open_ and one.state.is_over)], COLUMNS, form)


@fax.command()
@config_option
@click.argument("fax_id", metavar="FAX")
@click.option("--pdf", type=click.Path(path_type=Path, dir_okay=False), help="Write its pages.")
def show(path: Path, fax_id: str, pdf: Path | None) -> None:
    """Everything about one fax."""

    async def story(_desk: "Users", ordering: "FaxOrdering") -> "FaxOrder":
        order = await _found(ordering, fax_id)
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

    async def story(_desk: "Users", ordering: "FaxOrdering") -> None:
        order = await _found(ordering, fax_id)
        if order.state.is_over:
            fail(f"The fax {fax_id} is over already: {order.state.value}.", FAILED)
        await ordering.cancel(order)

    _on_faxes(path, story)
    click.echo("the running controller stops it", err=True)


@fax.command()
@config_option
@click.argument("fax_id", metavar="FAX")
def retry(path: Path, fax_id: str) -> None:
    """Begin a fax anew that is over, from the first page that has not arrived."""

    async def story(desk: "Users", ordering: "FaxOrdering") -> None:
        order = await _found(ordering, fax_id)
        if not await ordering.again(await _user(desk, order.user_id), order):
            fail(f"The fax {fax_id} is not over, or its documents are gone.", FAILED)

    _on_faxes(path, story)
    click.echo("the running controller sends it", err=True)


async def _user(desk: "Users", name: str) -> "User":
    entry = await desk.find(name)
    found = await directory_of(desk).user_by_id(entry.id)
    if found is None:
        fail(f"There is no user {entry.id}.", FAILED)
    return found


async def _found(ordering: "FaxOrdering", fax_id: str) -> "FaxOrder":
    order = await ordering.find("", fax_id)
    if order is None:
        fail(f"There is no fax {fax_id}, or it is not remembered any more.", FAILED)
    return order


def _papers(documents: Sequence[Path]) -> "list[Paper]":
    from vm_ari.adapters.fax_rendering import media_type_of
    from vm_ari.ports_fax_sending import Paper

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
    return {
        "fax": order.id,
        "user": order.user_id,
        "number": order.number,
        "ordered": f"{order.made:{SECONDS}}",
        "state": order.state.value,
        "pages": f"{order.confirmed}/{order.pages}" if order.pages else "",
        "cause": order.cause.value if order.cause else "",
    }


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
    """Run a story beside the controller; an error ends the program with its exit code."""

    async def with_faxes(desk: "Users") -> T:
        from vm_ari.adapters.sealing import KeyRing
        from vm_ari.app import SystemClock
        from vm_ari.config import BadConfig
        from vm_ari.wiring_faxes import open_fax_ordering

        opened = open_fax_ordering(config, KeyRing(config.directory.keys), SystemClock())
        if opened is None:
            raise BadConfig("fax_sending.enabled: no faxes are sent; write enabled = true")
        try:
            return await story(desk, opened.ordering)
        finally:
            opened.close()

    with reported():
        config = configured(path)
        return _explained(lambda: on_users(path, with_faxes))


def _explained(work: Callable[[], T]) -> T:
    from vm_ari.ports_fax_sending import FaxQueueUnavailable, Unprintable
    from vm_ari.services.fax_ordering import FaxRefused

    try:
        return work()
    except FaxQueueUnavailable as error:
        fail(f"The faxes cannot be used: {error}", UNREACHABLE)
    except FaxRefused as error:
        fail(error, FAILED)
    except Unprintable as error:
        fail(f"It cannot be sent: {error}.", FAILED)
