"""Mails that become orders: ``+4930555101@fax.example.org``, from a user's own address.

The site's mail server brings them, and has to keep strangers out; whoever writes in a user's name
is that server's business (DKIM, SPF, login). Here the sender must be one user, and what he may is
judged as everywhere. All recipients get it, or the mail server hears at once why none does.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, ClassVar

import structlog

from vm_ari.domain.callers import printable
from vm_ari.domain.number_addresses import NumberAddress
from vm_ari.domain.numbers import Site
from vm_ari.domain.orders import NotAllowed
from vm_ari.domain.site_mails import Doubtful, SiteMail, Trust, sender_of
from vm_ari.domain.users import User
from vm_ari.ports import DeliveryRefused, DirectoryUnavailable, NotNow, NotTaken
from vm_ari.ports.fax_sending import FaxLetter
from vm_ari.ports.orders import OrdersUnavailable
from vm_ari.services.ordering import Ordering, OrderRefused
from vm_ari.services.site_mails import Senders

log = structlog.get_logger("vm_ari.orders")

PATIENCE = 40.0
"""Seconds that a mail server waits for one mail."""
_LONGEST = 200

ReadLetter = Callable[[bytes], Awaitable[FaxLetter]]
"""Takes a hostile mail apart. Raises `DeliveryRefused`, OSError."""


@dataclass(frozen=True)
class OrdersByMail(ABC):
    """`ports.MailDesk` for the addresses of a template."""

    KIND: ClassVar[str]
    """Type of such addresses."""
    NEVER: ClassVar[str]
    """The answer to mails that nobody trusts, before the reason."""
    OUTSIDER: ClassVar[str]
    """The same to senders that are no users."""

    ordering: Ordering[Any]
    senders: Senders
    address: NumberAddress
    site: Site
    read: ReadLetter
    trust: Trust = field(default_factory=Trust)

    @abstractmethod
    async def _order(self, user: User, number: str, letter: FaxLetter, occasion: str) -> None:
        """Raises `DeliveryRefused`, `OrderRefused`, `OrdersUnavailable`."""

    def knows(self, address: str) -> bool:
        """See `MailDesk`."""
        return self._number(address) is not None

    async def take(self, mail: SiteMail) -> None:
        """See `MailDesk`. Raises `NotTaken` for what can never be ordered."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._take(mail)
        except (DirectoryUnavailable, OrdersUnavailable, OSError, TimeoutError) as error:
            log.warning(f"mail to {self.KIND} comes later", reason=str(error) or "slow")
            raise NotNow("not now, please try again") from None

    async def _take(self, mail: SiteMail) -> None:
        user = await self._sender(mail)
        numbers = dict.fromkeys(filter(None, map(self._number, mail.recipients)))
        for number in numbers:
            if isinstance(judged := self.ordering.judge(user, number), NotAllowed):
                raise NotTaken(printable(judged.reason, _LONGEST))
        try:
            letter = await self.read(mail.content)
            for number in numbers:
                await self._order(user, number, letter, f"{_mail_id(mail)} {number}")
        except (DeliveryRefused, OrderRefused) as error:
            raise NotTaken(printable(str(error), _LONGEST)) from None

    async def _sender(self, mail: SiteMail) -> User:
        """Raises `NotTaken`, `DirectoryUnavailable`."""
        try:
            address = sender_of(mail, self.trust)
        except Doubtful as doubt:
            log.warning(f"mail to {self.KIND} refused", reason=str(doubt))
            raise NotTaken(f"{self.NEVER}: {doubt}") from None
        user = await self.senders.with_address(address)
        if user is None:
            log.warning(f"mail to {self.KIND} refused", reason="its sender is not one user")
            raise NotTaken(self.OUTSIDER)
        return user

    def _number(self, address: str) -> str | None:
        found = self.address.number_in(address.strip("<>"), self.site)
        if found is None or found[1] not in {"", self.KIND}:
            return None
        return found[0]


def _mail_id(mail: SiteMail) -> str:
    """The same when a mail server offers it twice, for it did not hear our answer."""
    named = next((value.strip() for name, value in mail.fields if name == "message-id"), "")
    return f"mail {named or sha256(mail.content).hexdigest()}"
