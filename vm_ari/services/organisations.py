"""The organisations: as the configuration has them, changed by operators (UM-02).

Everything is known at once, without asking: what somebody has changed by another process counts
`STALE` later at most.
"""

import asyncio
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Protocol

import structlog

from vm_ari.domain.callers import printable
from vm_ari.domain.entries import Entry, Organisation
from vm_ari.domain.organisations import (
    MOST_ADMINISTRATORS,
    Agreement,
    BadOrganisation,
    Fault,
    OrganisationRecord,
    checked_record,
    too_many_administrators,
)
from vm_ari.ports import Clock, PortalUnavailable

log = structlog.get_logger("vm_ari.organisations")

STALE = timedelta(seconds=5)
_PATIENCE = 2.0
"""Seconds: so long nobody waits for a database; what was known last counts on."""
Listener = Callable[[Mapping[str, Organisation]], None]
Find = Callable[[str], Awaitable[Entry | None]]
"""The user of an id."""


class OrganisationRows(Protocol):
    """Where changed organisations are kept. Every method raises `PortalUnavailable`."""

    async def all(self) -> Sequence[OrganisationRecord]:
        """Those that were changed, by id."""
        ...

    async def write(self, record: OrganisationRecord) -> bool:
        """Keep it durably as the next version; False: somebody else has changed it meanwhile."""
        ...


class Overtaken(Exception):
    """Somebody else has changed the same organisation just now; look at it, and try again."""


class Organisations:
    """All organisations. *tell* hears of their names and settings whenever they are others."""

    def __init__(
        self,
        configured: Mapping[str, OrganisationRecord],
        rows: OrganisationRows,
        clock: Clock,
        tell: Listener,
    ) -> None:
        self._configured = dict(configured)
        self._rows = rows
        self._clock = clock
        self._tell = tell
        self._looked: datetime | None = None
        self._looking = asyncio.Lock()
        self.known: Mapping[str, OrganisationRecord] = self._configured
        """By id, in their order."""

    async def keep_known(self) -> None:
        """Look at what others have changed, if that was not done just now; never raises."""
        async with self._looking:
            if self._looked and abs(self._clock.now() - self._looked) < STALE:
                return
            try:
                async with asyncio.timeout(_PATIENCE):
                    await self._refresh()
            except (PortalUnavailable, TimeoutError) as error:
                log.warning("organisations are as they were known", reason=str(error) or "time")
            except Exception:  # a broken row must not close the portal
                log.exception("organisations are as they were known")
            self._looked = self._clock.now()

    async def run(self) -> None:
        """Keep them known until cancelled."""
        while True:
            await self.keep_known()
            await asyncio.sleep(STALE.total_seconds())

    async def store(self, record: OrganisationRecord, *, by: str) -> OrganisationRecord:
        """Keep a new or changed one, and say how it is then.

        A version of 0 is a new one, or the first change of what the configuration has. Raises
        `BadOrganisation`, `BadSetting`, `Overtaken`, `PortalUnavailable`.
        """
        record = checked_record(record, self._clock.now().date())
        if not await self._rows.write(record):
            await self._refresh()
            raise Overtaken(f"Somebody else has changed {record.id} just now; look at it again.")
        before = self.known.get(record.id)
        log.info("organisation changed", organisation=record.id, by=by, what=_what(before, record))
        await self._refresh()
        return self.known[record.id]

    async def add(self, record: OrganisationRecord, *, by: str) -> OrganisationRecord:
        """Keep one that is not there yet. As `store`."""
        await self._refresh()
        if (wanted := record.id.strip()) in self.known:
            text = f"There is an organisation {wanted} already."
            raise BadOrganisation(Fault.THERE, text, wanted)
        return await self.store(record, by=by)

    async def _refresh(self) -> None:
        changed = {one.id: one for one in await self._rows.all()}
        both = {**self._configured, **changed}
        self.known = {key: both[key] for key in sorted(both)}
        self._looked = self._clock.now()
        self._tell({key: one.as_organisation() for key, one in self.known.items()})


def agreed(
    record: OrganisationRecord, since: date | None, *, by: str, now: datetime
) -> OrganisationRecord:
    """With that agreement, or none any more; who has recorded the same day before, stays."""
    before = record.agreement.since if record.agreement else None
    if since == before:
        return record
    return replace(record, agreement=Agreement(since, by, now) if since else None)


async def appointed(
    record: OrganisationRecord, wanted: Sequence[str], find: Find, operators: Container[str]
) -> OrganisationRecord:
    """With these administrators: users of the organisation itself.

    An operator gets into an organisation by its agreement only, so none without one appoints
    himself. Those of before stay, whoever they are. Raises `BadOrganisation`,
    `DirectoryUnavailable`.
    """
    ids = tuple(dict.fromkeys(one.strip() for one in wanted if one.strip()))
    if len(ids) > MOST_ADMINISTRATORS:
        raise too_many_administrators()
    for user_id in ids:
        if user_id in record.administrators:
            continue
        entry = await find(user_id)
        if entry is None or entry.organisation != record.id:
            shown = printable(user_id, 64)
            text = f"{shown} is no user of organisation {record.id}; add the user first."
            raise BadOrganisation(Fault.STRANGER, text, shown)
        if user_id in operators and record.agreement is None:
            text = f"{user_id} is an operator: record the agreement first."
            raise BadOrganisation(Fault.OPERATOR, text, user_id)
    return replace(record, administrators=ids)


def _what(before: OrganisationRecord | None, now: OrganisationRecord) -> list[str]:
    names = ("name", "settings", "administrators", "agreement", "packages")
    old = before or OrganisationRecord(now.id)
    return [name for name in names if getattr(old, name) != getattr(now, name)]
