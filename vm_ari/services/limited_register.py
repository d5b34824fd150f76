"""A directory in which nobody gets more than there is: packages, and numbers of a user (UM-01).

Portal, API, import and command line change users through it, so the limits hold in every way in.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from vm_ari.domain.entries import Entry, Organisation
from vm_ari.domain.login_state import Decide, LoginChange, LoginState
from vm_ari.domain.packages import (
    PackageLimits,
    Shortage,
    added_by,
    numbers_fault,
    shortage,
)
from vm_ari.ports import Resealed, UserRegister
from vm_ari.services.users import Refused

Used = Callable[[], Awaitable[Mapping[str, int]]]
"""Users by organisation. Raises `DirectoryUnavailable`."""
Limits = Callable[[], PackageLimits]
"""As they are now."""


def _nobody_listens(_done: int) -> None:
    """No progress is shown."""


def counting(register: UserRegister) -> Used:
    """By looking at everybody."""

    async def count() -> Mapping[str, int]:
        return Counter(entry.organisation for entry in await register.all_entries())

    return count


class NoPackage(Refused):
    """There is no package left. The text says of whom, and what to do."""

    def __init__(self, shortage: Shortage) -> None:
        super().__init__(str(shortage))
        self.shortage = shortage


@dataclass(frozen=True)
class LimitedRegister:
    """`ports.UserRegister`; what would be too much raises `NoPackage` or `Refused`.

    Two changes of this process never take the same last package; two processes at the same moment
    may, and then one package more is used than there are.
    """

    whole: UserRegister
    limits: Limits
    used: Used
    _one_by_one: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    async def add_entries(
        self, entries: Sequence[Entry], progress: Callable[[int], None] = _nobody_listens
    ) -> None:
        """See `UserRegister`."""
        for entry in entries:
            _must_fit(entry)
        async with self._room(added_by(entries)):
            await self.whole.add_entries(entries, progress)

    async def merge_entries(
        self,
        new: Sequence[Entry],
        changed: Sequence[tuple[Entry, Entry]],
        progress: Callable[[int], None] = _nobody_listens,
    ) -> None:
        """See `UserRegister`."""
        for entry in new:
            _must_fit(entry)
        for old, entry in changed:
            _must_fit(entry, old)
        async with self._room(added_by(new, changed)):
            await self.whole.merge_entries(new, changed, progress)

    async def change_details(self, user_id: str, new: Mapping[str, str]) -> None:
        """See `UserRegister`."""
        async with self._room(await self._moved(user_id, new)):
            await self.whole.change_details(user_id, new)

    async def set_numbers(self, user_id: str, numbers: Sequence[str], mailbox: str) -> None:
        """See `UserRegister`."""
        wanted = Entry(user_id, "", mailbox, tuple(numbers))
        if numbers_fault(wanted):  # only then is it of interest how many there were
            _must_fit(wanted, await self.whole.entry_by_id(user_id))
        await self.whole.set_numbers(user_id, numbers, mailbox)

    async def _moved(self, user_id: str, new: Mapping[str, str]) -> Mapping[str, int]:
        if "organisation" not in new or not self.limits():
            return {}
        old = await self.whole.entry_by_id(user_id)
        pairs = [(old, replace(old, organisation=new["organisation"]))] if old else []
        return added_by((), pairs)

    @asynccontextmanager
    async def _room(self, more: Mapping[str, int]) -> AsyncIterator[None]:
        """While something is written: there is room for so many more. Raises `Refused`."""
        if not any(count > 0 for count in more.values()) or not self.limits():
            yield
            return
        async with self._one_by_one:
            if missing := shortage(await self.used(), self.limits(), more):
                raise NoPackage(missing)
            yield

    # --- the rest is as it is

    async def entry_by_id(self, user_id: str) -> Entry | None:
        """See `UserRegister`."""
        return await self.whole.entry_by_id(user_id)

    async def entry_by_number(self, number: str) -> Entry | None:
        """See `UserRegister`."""
        return await self.whole.entry_by_number(number)

    async def all_entries(self) -> Sequence[Entry]:
        """See `UserRegister`."""
        return await self.whole.all_entries()

    async def organisations(self) -> Sequence[Organisation]:
        """See `UserRegister`."""
        return await self.whole.organisations()

    async def change_settings(self, user_id: str, new: Mapping[str, str | None]) -> None:
        """See `UserRegister`."""
        await self.whole.change_settings(user_id, new)

    async def remove_user(self, user_id: str) -> None:
        """See `UserRegister`."""
        await self.whole.remove_user(user_id)

    async def set_pin(self, user_id: str, pin: str | None) -> None:
        """See `UserRegister`."""
        await self.whole.set_pin(user_id, pin)

    async def unlock(self, user_id: str) -> None:
        """See `UserRegister`."""
        await self.whole.unlock(user_id)

    async def login_state(self, user_id: str) -> LoginState:
        """See `LoginRecords`."""
        return await self.whole.login_state(user_id)

    async def change_login(self, user_id: str, decide: Decide) -> LoginChange:
        """See `LoginRecords`."""
        return await self.whole.change_login(user_id, decide)

    def seal_pin(self, user_id: str, pin: str) -> str:
        """See `UserRegister`."""
        return self.whole.seal_pin(user_id, pin)

    async def reseal(self, progress: Callable[[int], None] = _nobody_listens) -> Resealed:
        """See `UserRegister`."""
        return await self.whole.reseal(progress)


def _must_fit(entry: Entry, before: Entry | None = None) -> None:
    """Raises `Refused`."""
    if fault := numbers_fault(entry, before):
        raise Refused(fault)
