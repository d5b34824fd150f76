"""The mails of the system itself: those that it writes, and those that it gets."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from vm_ari.domain.delivery import Attempts
from vm_ari.domain.site_mails import SiteMail
from vm_ari.domain.system_mails import Letter, SystemMail
from vm_ari.domain.users import User


class MailNotQueued(Exception):
    """A mail could not be written or kept, so nobody will get it. The text says why."""


class Notices(Protocol):
    """Tells users by mail what they should know."""

    async def tell(
        self, user: User, mail: SystemMail, values: Mapping[str, object], *, occasion: str
    ) -> None:
        """Queue it durably; it goes out as soon as that is possible.

        *values* are what the templates of that mail need besides name, mailbox and number of the
        user. The same *occasion* (such as the time of a lock) is told once, however often it is
        asked for. Raises `MailNotQueued`.
        """
        ...


class Letters(Protocol):
    """Mails on their way, on the disk. Every method raises `MailNotQueued`."""

    async def prepare(self, letter: Letter) -> None:
        """Keep it back, durably, until it is decided that it goes out."""
        ...

    async def release(self, letter_id: str) -> None:
        """It goes out; harmless where it has gone already."""
        ...

    async def drop(self, letter_id: str) -> None:
        """It does not go out."""
        ...

    async def prepared(self) -> Sequence[Letter]:
        """What is kept back, also from before a crash."""
        ...

    async def waiting(self) -> Sequence[tuple[str, Attempts]]:
        """Ids of what is to be sent, oldest first."""
        ...

    async def letter(self, letter_id: str) -> Letter | None:
        """One that waits; None if it is gone."""
        ...

    async def postpone(self, letter_id: str, attempts: Attempts) -> None:
        """It could not be sent now."""
        ...

    async def hold(self, letter_id: str, attempts: Attempts) -> None:
        """It was refused for good: kept for the admin."""
        ...

    async def sent(self, letter_id: str) -> None:
        """It is where it should be."""
        ...

    async def was_sent(self, letter_id: str) -> bool:
        """Was it sent lately, is it on its way, or was it refused?"""
        ...

    async def sweep(self) -> None:
        """Forget what was sent long ago."""
        ...


class NotNow(Exception):
    """A mail cannot be acted upon just now; it shall be offered again. The text is for a log."""


class NotTaken(Exception):
    """A mail will never be acted upon; the text is for whoever has sent it."""


class MailDesk(Protocol):
    """Takes the mails that people send to the system itself (NOTIFY-06)."""

    def knows(self, address: str) -> bool:
        """Is it one of its addresses?"""
        ...

    async def take(self, mail: SiteMail) -> None:
        """Act upon it, or drop it; when this returns, that is done.

        Raises `NotNow`, `NotTaken`.
        """
        ...
