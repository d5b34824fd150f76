"""Spoken messages on their way, on the disk (SPEECH-04).

    open/<id>    the order, as far as it has come
    over/<id>    the same of one that is over
    heard/<id>   what was heard in the last call that somebody answered
    cancel/<id>  empty: somebody wants no more of it

Only the controller changes what is open; portal and commands add orders, and wish them cancelled.
They are people's letters: all of it is sealed with our keys.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vm_ari.adapters.sealed_files import SealedFiles
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.fax_orders import Way
from vm_ari.domain.spoken_orders import Cause, Hearing, SpokenOrder, SpokenState
from vm_ari.ports_spoken import SpokenQueueUnavailable

OPEN, OVER, HEARD, CANCEL = "open", "over", "heard", "cancel"
_MOMENTS = ("made", "due", "not_before", "ended")


class SpokenOrderFiles:
    """`ports_spoken.SpokenOrders` on files below *root*."""

    def __init__(self, root: Path, keys: KeyRing) -> None:
        states = (OPEN, OVER, HEARD, CANCEL)
        self._files = SealedFiles(root, keys, states, "spoken messages", SpokenQueueUnavailable)

    async def add(self, order: SpokenOrder) -> bool:
        """See `SpokenOrders`."""

        def work() -> bool:
            self._files.create()
            if self._files.is_there(order.id, OPEN, OVER):
                return False
            self._files.write(OPEN, order.id, _record(order))
            return True

        return await self._files.run(work)

    async def going_on(self) -> Sequence[SpokenOrder]:
        """See `SpokenOrders`."""
        found = await self._files.run(lambda: self._all(OPEN))
        return sorted(found, key=lambda order: order.made)

    async def of_user(self, user_id: str) -> Sequence[SpokenOrder]:
        """See `SpokenOrders`."""
        found = {one.id: one for one in await self._files.run(lambda: self._all(OVER, OPEN))}
        own = (one for one in found.values() if user_id in {"", one.user_id})
        return sorted(own, key=lambda order: order.made, reverse=True)

    async def find(self, order_id: str) -> SpokenOrder | None:
        """See `SpokenOrders`."""

        def work() -> SpokenOrder | None:
            try:
                return self._read(OPEN, order_id) or self._read(OVER, order_id)
            except ValueError:  # not an id
                return None

        return await self._files.run(work)

    async def save(self, order: SpokenOrder) -> None:
        """See `SpokenOrders`."""
        await self._files.run(lambda: self._files.write(OPEN, order.id, _record(order)))

    async def close(self, order: SpokenOrder) -> None:
        """See `SpokenOrders`; killed between, it is open and over: it is closed once more then."""

        def work() -> None:
            self._files.write(OVER, order.id, _record(order))
            for state in (OPEN, HEARD, CANCEL):
                self._files.remove(state, order.id)

        await self._files.run(work)

    async def cancel(self, order_id: str) -> None:
        """See `SpokenOrders`."""

        def work() -> None:
            if self._files.is_there(order_id, OPEN):
                self._files.mark(CANCEL, order_id)

        await self._files.run(work)

    async def is_cancelled(self, order_id: str) -> bool:
        """See `SpokenOrders`."""
        return await self._files.run(lambda: self._files.is_there(order_id, CANCEL))

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
            for order in self._all(OVER):
                if (order.ended or order.made) < before:
                    self._files.remove(OVER, order.id)
            self._files.sweep()

        await self._files.run(work)

    def shut(self) -> None:
        """Let running work end."""
        self._files.close()

    # --- blocking

    def _all(self, *states: str) -> list[SpokenOrder]:
        found = (self._read(state, name) for state in states for name in self._files.names(state))
        return [order for order in found if order]

    def _read(self, state: str, name: str) -> SpokenOrder | None:
        record = self._files.read(state, name)
        try:
            return _order(name, record) if record is not None else None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self._files.put_aside(state, name, error)
            return None


def _record(order: SpokenOrder) -> dict[str, Any]:
    record = asdict(order)
    for key in _MOMENTS:
        moment = getattr(order, key)
        record[key] = moment.isoformat() if moment else None
    record["failures"] = {cause.value: count for cause, count in order.failures.items()}
    return record


def _order(name: str, record: dict[str, Any]) -> SpokenOrder:
    known = {
        **record,
        "id": name,
        "way": Way(record["way"]),
        "state": SpokenState(record["state"]),
        "cause": Cause(record["cause"]) if record["cause"] else None,
        "failures": {Cause(key): int(count) for key, count in record["failures"].items()},
        **{key: _moment(record[key]) for key in _MOMENTS},
    }
    return SpokenOrder(**known)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None
