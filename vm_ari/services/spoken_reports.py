"""What is told of a spoken message (SPEECH-04); see `order_reports`."""

from collections.abc import Mapping

from vm_ari.domain.journal import Kind, Result
from vm_ari.domain.rights import shown_number
from vm_ari.domain.spoken_orders import Cause, SpokenOrder, SpokenState
from vm_ari.domain.system_mails import SystemMail
from vm_ari.domain.users import User
from vm_ari.services.order_reports import OrderTold

_OUR_WORDS = {Cause.REFUSED, Cause.UNSPEAKABLE}
_RESULTS: Mapping[Cause | None, Result] = {
    Cause.NO_ANSWER: Result.NO_ANSWER,
    Cause.HUNG_UP: Result.HUNG_UP,
    Cause.REFUSED: Result.REFUSED,
}


def spoken_told(order: SpokenOrder, user: User | None) -> OrderTold:
    """Its words go to the sender only, not into the journal."""
    return OrderTold(
        entry=f"spoken/{order.id}",
        kind=Kind.SPOKEN_SENT,
        mail=SystemMail.SPOKEN_REPORT,
        occasion=f"spoken {order.id}",
        values={
            "text": order.text,
            "confirmed": order.confirm and order.state is SpokenState.HEARD,
        },
        said=f"{order.state.value} after {round(order.seconds)} s in {order.calls} calls",
        sender=shown_number(user) if user else "",
        failure=_RESULTS.get(order.cause, Result.FAILED),
        reason=order.reason if order.cause in _OUR_WORDS else "",
    )
