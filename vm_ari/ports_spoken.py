"""What spoken messages need of the outside world: small protocols by role (SPEECH-04)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from vm_ari.domain.callers import Caller
from vm_ari.domain.dialling import Allowed
from vm_ari.domain.spoken_orders import Ending, Hearing, SpokenOrder


class SpokenQueueUnavailable(Exception):
    """Orders cannot be kept or read just now. The text says why."""


class SpokenLineAway(Exception):
    """The telephone system cannot be asked just now. The text says why."""


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


class SpokenOrders(Protocol):
    """The orders, kept durably. Every method raises `SpokenQueueUnavailable`.

    Whoever adds or cancels one may be another process than the one that calls.
    """

    async def add(self, order: SpokenOrder) -> bool:
        """Keep it; False: it is known already."""
        ...

    async def going_on(self) -> Sequence[SpokenOrder]:
        """Those that are not over, the oldest first."""
        ...

    async def of_user(self, user_id: str) -> Sequence[SpokenOrder]:
        """All that are remembered, the newest first; of everybody for an empty id."""
        ...

    async def find(self, order_id: str) -> SpokenOrder | None:
        """One of them."""
        ...

    async def save(self, order: SpokenOrder) -> None:
        """What has become of one that is not over."""
        ...

    async def close(self, order: SpokenOrder) -> None:
        """It is over, and everybody knows it."""
        ...

    async def cancel(self, order_id: str) -> None:
        """Whoever calls shall stop it."""
        ...

    async def is_cancelled(self, order_id: str) -> bool:
        """Does somebody want that?"""
        ...

    async def note(self, order_id: str, hearing: Hearing) -> None:
        """What was heard in a call."""
        ...

    async def hearing(self, order_id: str) -> Hearing | None:
        """The same of the last call that was answered."""
        ...

    async def sweep(self, before: datetime) -> None:
        """Forget what was over before that time."""
        ...


class SpokenLine(Protocol):
    """Makes the calls. Methods raise `SpokenLineAway`."""

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
        """What to say in it; None: nobody wants it any more. Raises `SpokenQueueUnavailable`."""
        ...

    async def heard(self, hearing: Hearing) -> None:
        """What was heard. Raises `SpokenQueueUnavailable`."""
        ...
