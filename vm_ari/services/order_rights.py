"""Counting orders for the limits of a day (UM-05)."""

from vm_ari.domain.orders import NotAllowed, no_right
from vm_ari.domain.rights import Refused, Why
from vm_ari.ports.orders import OrdersUnavailable


def denial(refused: Refused | None) -> NotAllowed | None:
    """The answer of `Rights` for orders; None: it may leave.

    Raises `OrdersUnavailable` for what passes by itself, as when a disk is full.
    """
    if refused and refused.why is Why.UNCOUNTED:
        raise OrdersUnavailable(refused.reason)
    return no_right(refused) if refused else None
