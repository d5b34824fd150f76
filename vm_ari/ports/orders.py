"""What orders of all kinds need of the outside world: faxes, messages that are spoken."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from vm_ari.domain.orders import Kept


class OrdersUnavailable(Exception):
    """Orders cannot be kept or read just now. The text says why."""


class LineAway(Exception):
    """The telephone system cannot be asked just now. The text says why."""


class Orders(Protocol[Kept]):
    """The orders of one kind, kept durably. Every method raises `OrdersUnavailable`.

    Whoever adds or cancels one may be another process than the one that makes the calls.
    """

    async def going_on(self) -> Sequence[Kept]:
        """Those that are not over, the oldest first."""
        ...

    async def of_user(self, user_id: str) -> Sequence[Kept]:
        """All that are remembered, the newest first; of everybody for an empty id."""
        ...

    async def find(self, order_id: str) -> Kept | None:
        """One of them; None also for what is no id."""
        ...

    async def save(self, order: Kept) -> None:
        """What has become of one that is not over."""
        ...

    async def close(self, order: Kept) -> None:
        """It is over, and everybody knows it."""
        ...

    async def cancel(self, order_id: str) -> None:
        """Whoever makes the calls shall stop it; nothing where it is over."""
        ...

    async def is_cancelled(self, order_id: str) -> bool:
        """Does somebody want that?"""
        ...

    async def sweep(self, before: datetime) -> None:
        """Forget what was over before that time."""
        ...
