"""What spoken messages need of the outside world: small protocols by role (SPEECH-04)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vm_ari.domain.callers import Caller
from vm_ari.domain.dialling import Allowed
from vm_ari.domain.spoken_orders import Ending, Hearing, SpokenOrder
from vm_ari.ports.orders import Orders


@dataclass(frozen=True)
class SpokenScript:
    """What is said in one call."""

    language: str
    sender: Caller
    name: Path | None
    """A sound file, without its suffix, that says the sender's name."""
    sounds: Sequence[Path]
    """The text, the same way."""
    confirm: bool = False
    """Has the listener to press a key?"""
    back: Allowed | None = None
    """The sender's telephone, where the listener may be connected with it."""


class SpokenOrders(Orders[SpokenOrder], Protocol):
    """Messages, with what was heard of them."""

    async def add(self, order: SpokenOrder) -> bool:
        """Keep it; False: it is known already."""
        ...

    async def note(self, order_id: str, hearing: Hearing) -> None:
        """What was heard in a call."""
        ...

    async def hearing(self, order_id: str) -> Hearing | None:
        """The same of the last call that was answered."""
        ...


class SpokenLine(Protocol):
    """Makes the calls. Methods raise `LineAway`."""

    async def call(self, call_id: str, number: Allowed, shown: Caller) -> None:
        """Begin; a number that cannot be dialled ends at once."""
        ...

    async def is_over(self, call_id: str) -> bool:
        """Has it ended?"""
        ...

    async def hang_up(self, call_id: str) -> None:
        """End it."""
        ...

    def ending(self, call_id: str) -> Ending | None:
        """Why nobody has answered; None: somebody has, or nobody knows. Told once."""
        ...


class Speaking(Protocol):
    """Whoever ordered the call that has just been answered."""

    async def script(self, call_id: str) -> SpokenScript | None:
        """What to say in it; None: nobody wants it any more. Raises `OrdersUnavailable`."""
        ...

    async def heard(self, hearing: Hearing) -> None:
        """What was heard. Raises `OrdersUnavailable`."""
        ...
