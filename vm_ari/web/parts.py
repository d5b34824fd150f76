"""What the pages need from the rest of the program, in one place."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from vm_ari.config.web import WebSettings
from vm_ari.domain.entries import Entry, effective_user
from vm_ari.domain.holidays import Calendar, no_calendar
from vm_ari.domain.portal_rights import Rights
from vm_ari.domain.users import User
from vm_ari.ports import CallDirectory, Clock, Greetings, Mailboxes, Notices
from vm_ari.services.logins import Logins
from vm_ari.services.own_settings import OwnSettings
from vm_ari.services.portal_sessions import PortalSessions
from vm_ari.services.portal_sign_in import PortalSignIn
from vm_ari.services.users import Users
from vm_ari.web.openid import OpenId
from vm_ari.web.rendering import Rendering
from vm_ari.web.texts import Texts

T = TypeVar("T")


class PasswordLinks(Protocol):
    """Passwords of the portal itself, where the directory has none. Raises `PortalUnavailable`."""

    async def owner_of_link(self, token: str) -> str:
        """Empty: nobody's."""
        ...

    async def use_link(self, token: str, password: str) -> str:
        """Whose password is set now; empty: nobody's. Raises ValueError, which says why."""
        ...

    async def set_password(self, user_id: str, password: str) -> None:
        """Raises ValueError, which says why."""
        ...


@dataclass(frozen=True)
class Parts:
    """Services and settings. Pages that others add find theirs in `more`, by its type."""

    settings: WebSettings
    rights: Rights
    users: Users
    directory: CallDirectory
    own_settings: OwnSettings
    logins: Logins
    clock: Clock
    sessions: PortalSessions
    texts: Texts
    rendering: Rendering
    find: Callable[[str], Awaitable[Entry | None]]
    """By id or mail address. Raises `DirectoryUnavailable`."""
    signing_keys: Sequence[bytes] = field(repr=False)
    languages: tuple[str, ...]
    """That the system speaks."""
    sign_in: PortalSignIn | None = None
    """None: passwords are not asked for."""
    openid: OpenId | None = None
    passwords: PasswordLinks | None = None
    """None: passwords are those of the directory servers."""
    greetings: Greetings | None = None
    mailboxes: Mailboxes | None = None
    notices: Notices | None = None
    calendar: Calendar = no_calendar
    keep_known: Callable[[], Awaitable[None]] | None = None
    """Brings the rights up to date; quick, and never raises. None: they never change."""
    more: tuple[Any, ...] = ()

    def part(self, kind: type[T]) -> T | None:
        """What another page's author has put into `more`."""
        return next((one for one in self.more if isinstance(one, kind)), None)

    async def user_of(self, entry: Entry) -> User:
        """The user with every setting decided."""
        group = await self.users.organisation(entry.organisation)
        return effective_user(entry, group, self.users.house.defaults)
