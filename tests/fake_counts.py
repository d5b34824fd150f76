"""What left on each day, in memory; `test_rights_database` holds it to what databases do."""

from dataclasses import dataclass, field
from datetime import date

from vm_ari.domain.rights import Outgoing, Refused, Used
from vm_ari.ports.rights import CountsUnavailable, Judge


@dataclass
class FakeCounts:
    """`ports.rights.Counts`."""

    away: bool = False
    taken: dict[str, tuple[str, date, Outgoing, Used]] = field(default_factory=dict)

    async def take(
        self, occasion: str, user_id: str, day: date, what: Outgoing, more: Used, judge: Judge
    ) -> Refused | None:
        used = await self.used(user_id, day, what)
        if occasion in self.taken:
            return None
        if refused := judge(used):
            return refused
        self.taken[occasion] = (user_id, day, what, more)
        return None

    async def give_back(self, occasion: str) -> None:
        self._must_be_there()
        self.taken.pop(occasion, None)

    async def used(self, user_id: str, day: date, what: Outgoing) -> Used:
        self._must_be_there()
        place = (user_id, day, what)
        return sum((more for *at, more in self.taken.values() if tuple(at) == place), Used())

    async def sweep(self, before: date) -> None:
        self._must_be_there()
        self.taken = {key: one for key, one in self.taken.items() if one[1] >= before}

    def _must_be_there(self) -> None:
        if self.away:
            raise CountsUnavailable("The database of daily limits: away")
