"""A directory as one admin sees it: users of other organisations are not there (UM-02)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from vm_ari.domain.entries import Entry, Organisation
from vm_ari.domain.login_state import Decide, LoginChange, LoginState
from vm_ari.ports import DirectoryUnavailable, Resealed, Taken, UnknownUser, UserRegister

_TAKEN = "The id, a number or the address belongs to somebody else."


def _nobody_listens(_done: int) -> None:
    """No progress is shown."""


@dataclass(frozen=True)
class ScopedRegister:
    """`ports.UserRegister`, of the users of some organisations.

    Whoever else there is looks as if nobody were there; that a number, an address or an id is
    taken is said without a name.
    """

    whole: UserRegister
    may_see: Callable[[str], bool]
    """Of an organisation's id; empty: users without one."""
    may_be: Callable[[str], bool] = lambda _user_id: True
    """Of a user's id: one with more rights than the admin is neither made nor changed."""

    async def entry_by_id(self, user_id: str) -> Entry | None:
        """See `UserRegister`."""
        return self._seen(await self.whole.entry_by_id(user_id))

    async def entry_by_number(self, number: str) -> Entry | None:
        """See `UserRegister`."""
        return self._seen(await self.whole.entry_by_number(number))

    async def all_entries(self) -> Sequence[Entry]:
        """See `UserRegister`."""
        return [one for one in await self.whole.all_entries() if self.may_see(one.organisation)]

    async def organisations(self) -> Sequence[Organisation]:
        """See `UserRegister`."""
        return [one for one in await self.whole.organisations() if self.may_see(one.id)]

    async def add_entries(
        self, entries: Sequence[Entry], progress: Callable[[int], None] = _nobody_listens
    ) -> None:
        """See `UserRegister`."""
        self._must_be_ours(*entries)
        try:
            await self.whole.add_entries(entries, progress)
        except Taken as error:
            raise self._nameless(error) from None

    async def merge_entries(
        self,
        new: Sequence[Entry],
        changed: Sequence[tuple[Entry, Entry]],
        progress: Callable[[int], None] = _nobody_listens,
    ) -> None:
        """See `UserRegister`."""
        self._must_be_ours(*new, *(one for pair in changed for one in pair))
        try:
            await self.whole.merge_entries(new, changed, progress)
        except Taken as error:
            raise self._nameless(error) from None

    async def change_details(self, user_id: str, new: Mapping[str, str]) -> None:
        """See `UserRegister`."""
        await self._must_be_seen(user_id)
        if not self.may_see(new.get("organisation", "")) and "organisation" in new:
            raise UnknownUser("There is no such organisation.")
        try:
            await self.whole.change_details(user_id, new)
        except Taken as error:
            raise self._nameless(error) from None

    async def change_settings(self, user_id: str, new: Mapping[str, str | None]) -> None:
        """See `UserRegister`."""
        await self._must_be_seen(user_id)
        await self.whole.change_settings(user_id, new)

    async def set_numbers(self, user_id: str, numbers: Sequence[str], mailbox: str) -> None:
        """See `UserRegister`."""
        await self._must_be_seen(user_id)
        try:
            await self.whole.set_numbers(user_id, numbers, mailbox)
        except Taken as error:
            raise self._nameless(error) from None

    async def remove_user(self, user_id: str) -> None:
        """See `UserRegister`."""
        await self._must_be_seen(user_id)
        await self.whole.remove_user(user_id)

    async def set_pin(self, user_id: str, pin: str | None) -> None:
        """See `UserRegister`."""
        await self._must_be_seen(user_id)
        await self.whole.set_pin(user_id, pin)

    async def unlock(self, user_id: str) -> None:
        """See `UserRegister`."""
        await self._must_be_seen(user_id)
        await self.whole.unlock(user_id)

    async def login_state(self, user_id: str) -> LoginState:
        """See `LoginRecords`."""
        await self._must_be_seen(user_id)
        return await self.whole.login_state(user_id)

    async def change_login(self, user_id: str, decide: Decide) -> LoginChange:
        """See `LoginRecords`."""
        await self._must_be_seen(user_id)
        return await self.whole.change_login(user_id, decide)

    def seal_pin(self, user_id: str, pin: str) -> str:
        """See `UserRegister`."""
        return self.whole.seal_pin(user_id, pin)

    async def reseal(self, progress: Callable[[int], None] = _nobody_listens) -> Resealed:
        """Never: secrets of everybody would be read."""
        raise DirectoryUnavailable("Keys are renewed for everybody at once, by “vm-ari keys”.")

    def _seen(self, entry: Entry | None) -> Entry | None:
        return entry if entry and self.may_see(entry.organisation) else None

    async def _must_be_seen(self, user_id: str) -> None:
        if not self.may_be(user_id) or await self.entry_by_id(user_id) is None:
            raise UnknownUser(f"There is no user {user_id}.")

    def _must_be_ours(self, *entries: Entry) -> None:
        for entry in entries:
            if not self.may_see(entry.organisation):
                raise UnknownUser(f"{entry.id}: there is no such organisation.")
            if not self.may_be(entry.id):
                raise UnknownUser(f"{entry.id} has rights of its own: only operators change it.")

    def _nameless(self, error: Taken) -> Taken:
        return type(error)(_TAKEN, error.entry_id)


@dataclass(frozen=True)
class RegisterWithStrangers(ScopedRegister):
    """The same, for an import that must know what is taken: strangers are there without names."""

    async def all_entries(self) -> Sequence[Entry]:
        """See `UserRegister`."""
        everybody = enumerate(await self.whole.all_entries(), start=1)
        return [
            one if self.may_see(one.organisation) else _stranger(one, number)
            for number, one in everybody
        ]


def _stranger(entry: Entry, number: int) -> Entry:
    """Only what must be unique."""
    nameless = Entry(f"no. {number} of another organisation", "")
    return replace(
        nameless, mailbox=entry.mailbox, numbers=entry.numbers, mail=entry.mail, organisation="?"
    )
