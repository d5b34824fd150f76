"""What the operations of faxes and of spoken messages have in common."""

from collections.abc import Sequence

from vm_ari.domain.orders import Kept
from vm_ari.services.ordering import Ordering, OrderRefused
from vm_ari.web.api.models import Cursor, Paged, following
from vm_ari.web.api.operation import Ask
from vm_ari.web.api.problems import Problem, invalid, not_there

MOST_ROWS = 100


async def orders_page(ask: Ask, ordering: Ordering[Kept]) -> tuple[Sequence[Kept], str | None]:
    """Those of a page, the newest first, and where the next one begins. Raises `Problem`."""
    orders = list(await ordering.of_user(ask.visit.user.id))
    begin = _place(orders, ask.asked(Paged).after)
    shown = orders[begin : begin + MOST_ROWS]
    last = shown[-1].id if begin + MOST_ROWS < len(orders) else ""
    return shown, following(last)


async def asked_order(ask: Ask, ordering: Ordering[Kept], part: str, noun: str) -> Kept:
    """That which *part* of the address names. Raises `Problem`."""
    order = await ordering.find(ask.visit.user.id, ask.part(part))
    if order is None:
        raise not_there(noun)
    return order


async def cancel_order(ordering: Ordering[Kept], order: Kept) -> None:
    """What is on the line is ended, too. Raises `Problem` where it is over."""
    if order.state.is_over:
        raise Problem("busy", "It is over already.")
    await ordering.cancel(order)


def occasion_of(text: str) -> str:
    """What a program calls an occasion is nobody else's; none stays none."""
    return f"api {text}" if text else ""


def refused(error: OrderRefused, where: str = "") -> Problem:
    """A right of the user has a code of its own, for another day may bring another answer."""
    right = error.refusal.refused
    if right is None:
        return invalid(where, str(error)) if where else Problem("forbidden", str(error))
    return Problem("over-limit" if right.why.passes else "no-right", str(error), where=where)


def _place(orders: Sequence[Kept], after: Cursor) -> int:
    """Raises `Problem`."""
    if not after:
        return 0
    for place, order in enumerate(orders, start=1):
        if order.id == after:
            return place
    raise invalid("query.after", "There is no such page; begin with the first one.")
