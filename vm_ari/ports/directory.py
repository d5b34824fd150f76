"""Who has which number, and what users may change of their own entries."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from vm_ari.domain.login_state import Decide, LoginChange, LoginState
from vm_ari.domain.pin import PinCheck
from vm_ari.domain.users import User


class DirectoryUnavailable(Exception):
    """No directory server answers, and the cache does not know either."""


class DirectoryReadOnly(DirectoryUnavailable):
    """The directory takes no changes from us; settings can be kept locally instead (DIR-04)."""


class DirectoryIncomplete(DirectoryUnavailable):
    """The server gave some of the users only: our account needs a higher limit there."""


class UnknownUser(Exception):
    """There is no user of that id."""


class Directory(Protocol):
    """Who has which number. Every method raises `DirectoryUnavailable`."""

    async def user_by_number(self, number: str) -> User | None:
        """The owner of an E.164 number or extension."""
        ...

    async def user_by_id(self, user_id: str) -> User | None:
        """The user of that stable name."""
        ...

    async def all_users(self) -> Sequence[User]:
        """Everybody with a mailbox (lamps after a restart)."""
        ...

    async def check_pin(self, user_id: str, pin: str) -> PinCheck:
        """Judge one attempt; the failure is counted durably before this returns."""
        ...


class SettingsStore(Protocol):
    """Where users change their own settings."""

    async def change_settings(self, user_id: str, new: Mapping[str, str | None]) -> None:
        """Set texts by key, or (None) remove them; durable when this returns.

        Nothing that others change meanwhile is lost. Raises `DirectoryUnavailable`, `UnknownUser`,
        `Unstorable`.
        """
        ...


class LoginRecords(Protocol):
    """What is remembered of users' logins. Raises `DirectoryUnavailable`, `UnknownUser`."""

    async def login_state(self, user_id: str) -> LoginState:
        """As the directory says it now, never from memory."""
        ...

    async def change_login(self, user_id: str, decide: Decide) -> LoginChange:
        """Change it as if nobody else were there; durable when this returns.

        *decide* may be called again, and in another thread; whoever answers what he was given
        changes nothing. Raises `Unstorable`.
        """
        ...


class CallDirectory(Directory, SettingsStore, LoginRecords, Protocol):
    """What calls need of a directory."""


class RawAttributes(Protocol):
    """What a directory holds of a user beside the fields of `Entry`."""

    async def attributes(self, user_id: str, names: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Values by name, in the spelling that was asked for. Raises `DirectoryUnavailable`."""
        ...
