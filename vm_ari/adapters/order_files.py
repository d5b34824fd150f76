"""Orders that outlive the controller, on the disk: what the queues of all kinds have in common.

open/<id>    the order, as far as it has come
over/<id>    the same of one that is over
cancel/<id>  empty: somebody wants no more of it
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any, Generic

from vm_ari.adapters.sealed_files import SealedFiles
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.orders import Kept, Order, OrderState, Way

OPEN, OVER, CANCEL = "open", "over", "cancel"


class OrderFiles(Generic[Kept]):
    """The base of such queues. Methods raise what *unavailable* makes."""

    def __init__(
        self,
        root: Path,
        keys: KeyRing,
        purpose: str,
        unavailable: Callable[[str], Exception],
        *,
        of_record: Callable[[str, dict[str, Any]], Kept],
        beside: Sequence[str],
    ) -> None:
        """*beside*: further states, whose records go with their order."""
        states = (OPEN, OVER, CANCEL, *beside)
        self._files = SealedFiles(root, keys, states, purpose, unavailable)
        self._of_record = of_record

    async def going_on(self) -> Sequence[Kept]:
        """Those that are not over, the oldest first."""
        found = await self._files.run(lambda: self._all(OPEN))
        return sorted(found, key=lambda order: order.made)

    async def of_user(self, user_id: str) -> Sequence[Kept]:
        """The newest first; everybody's for an empty id."""
        found = {one.id: one for one in await self._files.run(lambda: self._all(OVER, OPEN))}
        own = (one for one in found.values() if user_id in {"", one.user_id})
        return sorted(own, key=lambda order: order.made, reverse=True)

    async def find(self, order_id: str) -> Kept | None:
        """One of them; None also for what is no id."""

        def work() -> Kept | None:
            try:
                return self._read(OPEN, order_id) or self._read(OVER, order_id)
            except ValueError:  # not an id
                return None

        return await self._files.run(work)

    async def save(self, order: Kept) -> None:
        """As far as it has come."""
        await self._files.run(lambda: self._files.write(OPEN, order.id, record_of(order)))

    async def cancel(self, order_id: str) -> None:
        """Wish that no more is done; nothing where it is over."""

        def work() -> None:
            if self._files.is_there(order_id, OPEN):
                self._files.mark(CANCEL, order_id)

        await self._files.run(work)

    async def is_cancelled(self, order_id: str) -> bool:
        """Does somebody want no more of it?"""
        return await self._files.run(lambda: self._files.is_there(order_id, CANCEL))

    def shut(self) -> None:
        """Let running work end."""
        self._files.close()

    # --- blocking

    def _close(self, order: Kept, *beside: str) -> None:
        """Killed between, it is open and over: it is closed once more then."""
        self._files.write(OVER, order.id, record_of(order))
        for state in (OPEN, *beside, CANCEL):
            self._files.remove(state, order.id)

    def _forget(self, before: datetime) -> None:
        """What has been over for so long."""
        for order in self._all(OVER):
            if (order.ended or order.made) < before:
                self._files.remove(OVER, order.id)

    def _all(self, *states: str) -> list[Kept]:
        found = (self._read(state, name) for state in states for name in self._files.names(state))
        return [order for order in found if order]

    def _read(self, state: str, name: str) -> Kept | None:
        return self._files.read_as(state, name, self._of_record)


def record_of(order: Order[Any]) -> dict[str, Any]:
    """An order as JSON has it: moments as text, counts by the values of their causes."""
    return {key: _plain(value) for key, value in asdict(order).items()}


def fields_of(
    name: str, record: dict[str, Any], states: type[OrderState], causes: type[StrEnum]
) -> dict[str, Any]:
    """The same back, but for what only one kind has. Raises what is in `MALFORMED`."""
    return {
        **record,
        "id": name,
        "way": Way(record["way"]),
        "state": states(record["state"]),
        "cause": causes(record["cause"]) if record["cause"] else None,
        "failures": {causes(key): int(count) for key, count in record["failures"].items()},
        **{key: moment_of(record[key]) for key in ("made", "not_before", "ended")},
    }


def moment_of(text: str | None) -> datetime | None:
    """A moment of a record, as UTC."""
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat()
        case Mapping():
            return {k.value if isinstance(k, Enum) else k: v for k, v in value.items()}
    return value
