"""Mails that become faxes: ``+4930555101@fax.example.org``, from a user's own address (UM-04).

The site's mail server brings them, and has to keep strangers out; whoever writes in a user's name
is that server's business (DKIM, SPF, login). Here the sender must be one user, and what he may is
judged as everywhere. All recipients get it, or the mail server hears at once why none does.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256

import structlog

from vm_ari.domain.callers import printable
from vm_ari.domain.fax_orders import Cover, Way
from vm_ari.domain.fax_rights import NotAllowed
from vm_ari.domain.number_addresses import NumberAddress
from vm_ari.domain.numbers import Site
from vm_ari.domain.site_mails import Doubtful, SiteMail, Trust, sender_of
from vm_ari.domain.users import User
from vm_ari.ports import DeliveryRefused, DirectoryUnavailable, NotNow, NotTaken
from vm_ari.ports_fax_sending import FaxLetter, FaxQueueUnavailable
from vm_ari.services.fax_ordering import FaxOrdering, FaxRefused
from vm_ari.services.site_mails import Senders

log = structlog.get_logger("vm_ari.faxes")

PATIENCE = 40.0
"""Seconds that a mail server waits for one mail."""
KIND = "fax"


ReadLetter = Callable[[bytes], Awaitable[FaxLetter]]
"""Takes a hostile mail apart. Raises `DeliveryRefused`, OSError."""


@dataclass(frozen=True)
class FaxByMail:
    """`ports.MailDesk` for the addresses of a template."""

    ordering: FaxOrdering
    senders: Senders
    address: NumberAddress
    site: Site
    read: ReadLetter
    trust: Trust = field(default_factory=Trust)

    def knows(self, address: str) -> bool:
        """See `MailDesk`."""
        return self._number(address) is not None

    async def take(self, mail: SiteMail) -> None:
        """See `MailDesk`. Raises `NotTaken` for what will never be a fax."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._take(mail)
        except (DirectoryUnavailable, FaxQueueUnavailable, OSError, TimeoutError) as error:
            log.warning("mail to fax comes later", reason=str(error) or "slow")
            raise NotNow("not now, please try again") from None

    async def _take(self, mail: SiteMail) -> None:
        user = await self._sender(mail)
        numbers = dict.fromkeys(filter(None, map(self._number, mail.recipients)))
        for number in numbers:
            if isinstance(judged := self.ordering.judge(user, number), NotAllowed):
                raise NotTaken(judged.reason)
        try:
            letter = await self.read(mail.content)
            for number in numbers:
                await self._order(user, number, letter, mail)
        except (DeliveryRefused, FaxRefused) as error:
            raise NotTaken(printable(str(error), 200)) from None

    async def _sender(self, mail: SiteMail) -> User:
        """Raises `NotTaken`, `DirectoryUnavailable`."""
        try:
            address = sender_of(mail, self.trust)
        except Doubtful as doubt:
            log.warning("mail to fax refused", reason=str(doubt))
            raise NotTaken(f"this mail cannot become a fax: {doubt}") from None
        user = await self.senders.with_address(address)
        if user is None:
            log.warning("mail to fax refused", reason="its sender is not one user")
            raise NotTaken("faxes are sent for users only, from their own address")
        return user

    async def _order(self, user: User, number: str, letter: FaxLetter, mail: SiteMail) -> None:
        await self.ordering.place(
            user,
            number,
            letter.papers,
            way=Way.MAIL,
            cover=Cover(subject=letter.subject, text=letter.text),
            occasion=f"{_mail_id(mail)} {number}",
            at_once=False,
        )

    def _number(self, address: str) -> str | None:
        found = self.address.number_in(address.strip("<>"), self.site)
        if found is None or found[1] not in {"", KIND}:
            return None
        return found[0]


def _mail_id(mail: SiteMail) -> str:
    """The same when a mail server offers it twice, for it did not hear our answer."""
    named = next((value.strip() for name, value in mail.fields if name == "message-id"), "")
    return f"mail {named or sha256(mail.content).hexdigest()}"
