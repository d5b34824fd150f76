"""Faxes on their way out, on the disk (UM-04).

    open/<id>    the order, as far as it has come
    over/<id>    the same of one that is over
    papers/<id>  the documents, as they came
    pages/<id>   the pages that were made of them
    cancel/<id>  empty: somebody wants no more of it

Only the controller changes what is open; portal and commands add orders, wish them cancelled, and
open one again that is over. Faxes are people's letters: all of it is sealed with our keys.
"""

import base64
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from vm_ari.adapters.order_files import CANCEL, OPEN, OVER, OrderFiles, fields_of, record_of
from vm_ari.adapters.sealing import KeyRing
from vm_ari.domain.fax_orders import Cause, Cover, FaxOrder, FaxState
from vm_ari.domain.rights_settings import Priority
from vm_ari.ports.fax_sending import Paper, Printed
from vm_ari.ports.orders import OrdersUnavailable

PAPERS, PAGES = "papers", "pages"


class FaxOrderFiles(OrderFiles[FaxOrder]):
    """`ports.fax_sending.FaxOrders` on files below *root*."""

    def __init__(self, root: Path, keys: KeyRing) -> None:
        kept = (PAPERS, PAGES)
        super().__init__(root, keys, "fax orders", OrdersUnavailable, of_record=_order, beside=kept)

    async def add(self, order: FaxOrder, papers: Sequence[Paper]) -> bool:
        """See `FaxOrders`; the documents first, for an order without them could not be sent."""

        def work() -> bool:
            files = self._files
            files.create()
            if files.is_there(order.id, OPEN, OVER):
                return False
            files.write(PAPERS, order.id, [_paper_record(one) for one in papers])
            files.write(OPEN, order.id, record_of(order))
            return True

        return await self._files.run(work)

    async def close(self, order: FaxOrder) -> None:
        """See `FaxOrders`."""
        await self._files.run(lambda: self._close(order))

    async def reopen(self, order: FaxOrder) -> bool:
        """See `FaxOrders`."""

        def work() -> bool:
            there = self._read(OVER, order.id)
            if there is None or self._files.is_there(order.id, OPEN):
                return False
            if there.round >= order.round:
                return False
            self._files.remove(CANCEL, order.id)
            self._files.write(OPEN, order.id, record_of(order))
            self._files.remove(OVER, order.id)
            return True

        return await self._files.run(work)

    async def papers(self, order_id: str) -> Sequence[Paper]:
        """See `FaxOrders`."""
        record = await self._files.run(lambda: self._files.read(PAPERS, order_id))
        return tuple(_paper(one) for one in record or ())

    async def keep_pages(self, order_id: str, pages: Printed) -> None:
        """See `FaxOrders`."""
        record = {"pages": pages.pages, "tiff": _text(pages.tiff)}
        await self._files.run(lambda: self._files.write(PAGES, order_id, record))

    async def pages(self, order_id: str) -> Printed | None:
        """See `FaxOrders`."""
        record = await self._files.run(lambda: self._files.read(PAGES, order_id))
        return None if record is None else Printed(_bytes(record["tiff"]), int(record["pages"]))

    async def sweep(self, before: datetime) -> None:
        """See `FaxOrders`; documents go with their order, also where a crash has left them."""

        def work() -> None:
            self._forget(before)
            known = {*self._files.names(OPEN), *self._files.names(OVER)}
            for state in (PAPERS, PAGES, CANCEL):
                for name in self._files.names(state):
                    if name not in known and _is_old(self._files.place(state, name), before):
                        self._files.remove(state, name)
            self._files.sweep()

        await self._files.run(work)


def _is_old(path: Path, before: datetime) -> bool:
    """Or gone meanwhile."""
    try:
        return path.stat().st_mtime < before.timestamp()
    except FileNotFoundError:
        return False


def _order(name: str, record: dict[str, Any]) -> FaxOrder:
    known = {
        **fields_of(name, record, FaxState, Cause),
        "cover": Cover(**record["cover"]),
        "priority": Priority(record.get("priority", Priority.NORMAL)),
    }
    return FaxOrder(**known)


def _paper_record(paper: Paper) -> dict[str, str]:
    return {"type": paper.media_type, "name": paper.name, "data": _text(paper.content)}


def _paper(record: dict[str, str]) -> Paper:
    return Paper(record["type"], _bytes(record["data"]), record["name"])


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
