"""What daily limits need of the outside world: a count that all nodes share (UM-05)."""

from collections.abc import Callable
from datetime import date
from typing import Protocol

from vm_ari.domain.rights import Outgoing, Refused, Used

Judge = Callable[[Used], Refused | None]
"""From what has left today, may one more leave? Pure, for it may be asked several times."""


class CountsUnavailable(Exception):
    """Nothing can be counted or looked up just now. The text says why."""


class Counts(Protocol):
    """What left on each day. Every method raises `CountsUnavailable`."""

    async def take(
        self, occasion: str, user_id: str, day: date, what: Outgoing, more: Used, judge: Judge
    ) -> Refused | None:
        """Count it, if *judge* has nothing against it; the same *occasion* counts once.

        Of several at the same moment, here or on other nodes, each is judged by all before it.
        """
        ...

    async def give_back(self, occasion: str) -> None:
        """It did not leave after all. Harmless where it was never counted."""
        ...

    async def used(self, user_id: str, day: date, what: Outgoing) -> Used:
        """What left on that day."""
        ...

    async def sweep(self, before: date) -> None:
        """Forget the days before that."""
        ...
