"""Spoken messages on their way, on the disk (SPEECH-04).

    open/<id>    the order, as far as it has come
    over/<id>    the same of one that is over
    heard/<id>   what was heard in the last call that somebody answered
    cancel/<id>  empty: somebody wants no more of it

Only the controller changes what is open; portal and commands add orders, and wish them cancelled.
They are people's letters: all of it is sealed with our keys.
"""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from vm_ari.adapters.order_files import OPEN, OVER, OrderFiles, fields_of, moment_of, record_of
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.spoken_orders import Cause, Hearing, SpokenOrder, SpokenState
from vm_ari.ports.orders import OrdersUnavailable

HEARD = "heard"


class SpokenOrderFiles(OrderFiles[SpokenOrder]):
    """`ports.spoken.SpokenOrders` on files below *root*."""

    def __init__(self, root: Path, keys: KeyRing) -> None:
        super().__init__(
            root, keys, "spoken messages", OrdersUnavailable, of_record=_order, beside=(HEARD,)
        )

    async def add(self, order: SpokenOrder) -> bool:
        """See `SpokenOrders`."""

        def work() -> bool:
            self._files.create()
            if self._files.is_there(order.id, OPEN, OVER):
                return False
            self._files.write(OPEN, order.id, record_of(order))
            return True

        return await self._files.run(work)

    async def close(self, order: SpokenOrder) -> None:
        """See `SpokenOrders`."""
        await self._files.run(lambda: self._close(order, HEARD))

    async def note(self, order_id: str, hearing: Hearing) -> None:
        """See `SpokenOrders`."""
        await self._files.run(lambda: self._files.write(HEARD, order_id, asdict(hearing)))

    async def hearing(self, order_id: str) -> Hearing | None:
        """See `SpokenOrders`."""

        def work() -> Hearing | None:
            record = self._files.read(HEARD, order_id)
            try:
                return None if record is None else Hearing(**record)
            except TypeError as error:
                self._files.put_aside(HEARD, order_id, error)
                return None

        return await self._files.run(work)

    async def sweep(self, before: datetime) -> None:
        """See `SpokenOrders`."""

        def work() -> None:
            self._forget(before)
            self._files.sweep()

        await self._files.run(work)


def _order(name: str, record: dict[str, Any]) -> SpokenOrder:
    known = fields_of(name, record, SpokenState, Cause)
    return SpokenOrder(**{**known, "due": moment_of(record["due"])})
