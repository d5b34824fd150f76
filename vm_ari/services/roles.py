"""Who has which role: by the configuration, by an organisation's record, by the directory (UM-02).

The views here are always of now; nothing is asked where they are used.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import date, datetime, timedelta
from typing import Protocol, TypeVar

import structlog

from vm_ari.domain.organisations import OrganisationRecord
from vm_ari.domain.portal_rights import DirectoryRoles, Feature, Rights
from vm_ari.ports import Clock, DirectoryUnavailable
from vm_ari.services.organisations import Organisations

T = TypeVar("T")
log = structlog.get_logger("vm_ari.roles")

STALE = timedelta(seconds=30)
LAPSED = timedelta(minutes=10)
"""While no directory answers, roles that it gave count so long."""
_PATIENCE = 4.0


class RoleSource(Protocol):
    """A directory that gives roles."""

    async def roles(self) -> DirectoryRoles:
        """Raises `DirectoryUnavailable`."""
        ...


class Roles:
    """What `Rights` are made of; *source* None: the directory gives no roles."""

    def __init__(
        self,
        operators: frozenset[str],
        organisations: Organisations,
        clock: Clock,
        source: RoleSource | None = None,
    ) -> None:
        self._operators = operators
        self.organisations = organisations
        self._clock = clock
        self._source = source
        self._given = DirectoryRoles()
        self._asked: datetime | None = None
        self._answered: datetime | None = None
        self._asking = asyncio.Lock()

    def rights(self, may_change: frozenset[Feature]) -> Rights:
        """Whose every question is answered by what is known at that moment."""
        return Rights(
            operators=_LiveSet(lambda: self._operators | self._given.operators),
            administrators=_LiveMapping(self._known, self._administrators_of),
            agreements=_LiveMapping(self._agreed, _since),
            may_change=may_change,
        )

    async def keep_known(self) -> None:
        """Ask the directory, if that was not done just now; never raises."""
        await self.organisations.keep_known()
        if self._source is None:
            return
        async with self._asking:
            now = self._clock.now()
            if self._asked and abs(now - self._asked) < STALE:
                return
            self._asked = now
            try:
                async with asyncio.timeout(_PATIENCE):
                    self._given = await self._source.roles()
                    self._answered = now
            except (DirectoryUnavailable, TimeoutError) as error:
                log.warning("roles are as they were known", reason=str(error) or "time")
            except Exception:  # whatever a directory answers, the portal stays open
                log.exception("roles are as they were known")
            if self._answered is None or now - self._answered >= LAPSED:
                self._given = DirectoryRoles()

    def _known(self) -> Mapping[str, OrganisationRecord]:
        return self.organisations.known

    def _agreed(self) -> Mapping[str, OrganisationRecord]:
        return {key: one for key, one in self._known().items() if one.agreement}

    def _administrators_of(self, one: OrganisationRecord) -> frozenset[str]:
        return frozenset(one.administrators) | self._given.administrators.get(one.id, frozenset())


def _since(one: OrganisationRecord) -> date:
    assert one.agreement
    return one.agreement.since


class _LiveSet(AbstractSet[str]):
    """A set that is asked for anew each time."""

    def __init__(self, ask: Callable[[], AbstractSet[str]]) -> None:
        self._ask = ask

    def __contains__(self, one: object) -> bool:
        return one in self._ask()

    def __iter__(self) -> Iterator[str]:
        return iter(self._ask())

    def __len__(self) -> int:
        return len(self._ask())

    @classmethod
    def _from_iterable(cls, found: Iterable[T]) -> AbstractSet[T]:
        """What is computed of it, is a plain set of that moment."""
        return frozenset(found)


class _LiveMapping(Mapping[str, T]):
    """Something of each organisation, by id, asked for anew each time."""

    def __init__(
        self,
        known: Callable[[], Mapping[str, OrganisationRecord]],
        part: Callable[[OrganisationRecord], T],
    ) -> None:
        self._known = known
        self._part = part

    def __getitem__(self, key: str) -> T:
        return self._part(self._known()[key])

    def __iter__(self) -> Iterator[str]:
        return iter(self._known())

    def __len__(self) -> int:
        return len(self._known())
