"""What the commands of faxes and of spoken messages have in common."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from vm_ari.cli.opening import (
    FAILED,
    UNREACHABLE,
    configured,
    directory_of,
    fail,
    on_users,
    reported,
)

if TYPE_CHECKING:
    from vm_ari.adapters.sealing import KeyRing
    from vm_ari.config import Config
    from vm_ari.domain.orders import Kept, Order
    from vm_ari.domain.users import User
    from vm_ari.ports import Clock
    from vm_ari.services.ordering import Ordering
    from vm_ari.services.users import Users
    from vm_ari.wiring.orders import Desk, OpenOrdering

T = TypeVar("T")

SECONDS = "%Y-%m-%d %H:%M:%S"


def on_orders(
    path: Path,
    opening: "Callable[[Config, KeyRing, Clock], OpenOrdering[Desk] | None]",
    story: "Callable[[Users, Desk], Awaitable[T]]",
    *,
    name: str,
    none: str,
) -> T:
    """Run a story beside the controller; an error ends the program with its exit code.

    *name*: of such things, in a sentence; *none*: what to write where they are switched off.
    Raises what the story raises beside what orders of all kinds do.
    """
    from vm_ari.ports.orders import OrdersUnavailable
    from vm_ari.services.ordering import OrderRefused

    async def with_orders(desk: "Users") -> T:
        from vm_ari.adapters.sealing import KeyRing
        from vm_ari.adapters.system_clock import SystemClock
        from vm_ari.config import BadConfig

        opened = opening(config, KeyRing(config.directory.keys), SystemClock())
        if opened is None:
            raise BadConfig(none)
        try:
            return await story(desk, opened.ordering)
        finally:
            opened.close()

    with reported():
        config = configured(path)
        try:
            return on_users(path, with_orders)
        except OrdersUnavailable as error:
            fail(f"The {name} cannot be used: {error}", UNREACHABLE)
        except OrderRefused as error:
            fail(error, FAILED)


async def sender_of(desk: "Users", name: str) -> "User":
    """Who orders; who is no user ends the program."""
    entry = await desk.find(name)
    found = await directory_of(desk).user_by_id(entry.id)
    if found is None:
        fail(f"There is no user {entry.id}.", FAILED)
    return found


async def orders_of(
    desk: "Users", ordering: "Ordering[Kept]", name: str | None
) -> "Sequence[Kept]":
    """Of that user, or of everybody."""
    return await ordering.of_user((await desk.find(name)).id if name else "")


async def known_order(ordering: "Ordering[Kept]", noun: str, order_id: str) -> "Kept":
    """The order of that name; where there is none, the program ends."""
    order = await ordering.find("", order_id)
    if order is None:
        fail(f"There is no {noun} {order_id}, or it is not remembered any more.", FAILED)
    return order


async def cancel_order(ordering: "Ordering[Kept]", noun: str, order_id: str) -> None:
    """No more of it; what is over ends the program."""
    order = await known_order(ordering, noun, order_id)
    if order.state.is_over:
        fail(f"The {noun} {order_id} is over already: {order.state.value}.", FAILED)
    await ordering.cancel(order)


def order_row(order: "Order[Any]") -> dict[str, object]:
    """What is shown of every order."""
    return {
        "user": order.user_id,
        "number": order.number,
        "ordered": f"{order.made:{SECONDS}}",
        "state": order.state.value,
        "calls": order.calls,
        "seconds": round(order.seconds),
        "cause": order.cause.value if order.cause else "",
    }
