"""What is told of a fax (UM-04); see `order_reports`."""

from collections.abc import Mapping

from vm_ari.domain.fax_orders import Cause, FaxOrder, FaxState, sender_number
from vm_ari.domain.journal import Kind, Result
from vm_ari.domain.system_mails import SystemMail
from vm_ari.domain.users import User
from vm_ari.services.order_reports import OrderTold

_OUR_WORDS = {Cause.REFUSED, Cause.UNPRINTABLE}
_RESULTS: Mapping[Cause | None, Result] = {
    Cause.NO_ANSWER: Result.NO_ANSWER,
    Cause.REFUSED: Result.REFUSED,
}


def fax_told(order: FaxOrder, user: User | None) -> OrderTold:
    """Each round, which a person has begun, has a report of its own."""
    return OrderTold(
        entry=f"fax/{order.id}/{order.round}",
        kind=Kind.FAX_SENT,
        mail=SystemMail.FAX_REPORT,
        occasion=f"{order.id} {order.round}",
        values={
            "pages": order.pages,
            "confirmed": order.confirmed,
            "station": order.station,
        },
        said=_said(order),
        sender=sender_number(user) if user else "",
        failure=_RESULTS.get(order.cause, Result.FAILED),
        reason=order.reason if order.cause in _OUR_WORDS else "",
        partial=order.state.is_over and 0 < order.confirmed < order.pages,
    )


def _said(order: FaxOrder) -> str:
    said = f"{order.confirmed} of {order.pages} pages in {order.calls} calls"
    return f"{said}, cancelled" if order.state is FaxState.CANCELLED else said
