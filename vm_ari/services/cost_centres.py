"""Each entry of the journal names who pays: the cost centre of its user, as it is then (UM-05)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from vm_ari.domain.journal import JournalEntry
from vm_ari.ports import Directory, DirectoryUnavailable

log = structlog.get_logger("vm_ari.journal")


class Written(Protocol):
    """Where entries are written."""

    async def write(self, entries: Sequence[JournalEntry]) -> None:
        """See `JournalStore`."""
        ...


@dataclass(frozen=True)
class CostCentres:
    """`JournalWriter`'s store, which the writer waits for, but no call does."""

    store: Written
    directory: Directory

    async def write(self, entries: Sequence[JournalEntry]) -> None:
        """See `JournalStore`. Without a directory the entry counts more than who pays."""
        known: dict[str, str] = {"": ""}
        try:
            for one in entries:
                if one.user_id not in known:
                    user = await self.directory.user_by_id(one.user_id)
                    known[one.user_id] = user.cost_centre if user else ""
        except DirectoryUnavailable as error:
            log.warning("journal without some cost centres", reason=str(error))
        await self.store.write(
            [
                replace(one, cost_centre=known.get(one.user_id, "") or one.cost_centre)
                for one in entries
            ]
        )
