"""Who is behind the ids in calls, notices and logs: asked for once in a while, not at each look."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from vm_ari.domain.entries import Entry
from vm_ari.ports import UserRegister

REMEMBERED = 30.0
"""Seconds: so late a look follows a change of organisation or name."""
MOST = 5_000
AT_ONCE = 8


@dataclass
class KnownPeople:
    """The entries of users by id."""

    register: UserRegister
    most: int = MOST
    """So many are remembered."""
    _known: dict[str, tuple[float, Entry | None]] = field(default_factory=dict)

    async def of(self, user_ids: Iterable[str]) -> Mapping[str, Entry]:
        """Those that are there. Raises `DirectoryUnavailable`."""
        now = asyncio.get_running_loop().time()
        wanted = {one for one in user_ids if one}
        fresh = {one: known for one in wanted if (known := self._known.get(one)) is not None}
        found = {one: entry for one, (at, entry) in fresh.items() if now - at <= REMEMBERED}
        missing = wanted - found.keys()
        places = asyncio.Semaphore(AT_ONCE)

        async def ask(user_id: str) -> None:
            async with places:
                found[user_id] = await self.register.entry_by_id(user_id)

        await asyncio.gather(*(ask(one) for one in missing))
        self._remember({one: (now, found[one]) for one in missing})
        return {one: entry for one, entry in found.items() if entry is not None}

    def _remember(self, new: Mapping[str, tuple[float, Entry | None]]) -> None:
        """Within bounds."""
        if len(self._known) + len(new) > self.most:
            self._known.clear()
        if len(new) <= self.most:
            self._known.update(new)
