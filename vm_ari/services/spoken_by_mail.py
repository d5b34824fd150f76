"""Mails that are read to somebody on the telephone: ``+4930555101@voice.example.org`` (SPEECH-04).

As with faxes: the site's mail server brings them, and has to keep strangers out; the sender must be
one user, and what he may is judged as everywhere. All recipients are called, or the mail server
hears at once why none is. The subject is read before the text; documents are not.
"""

import asyncio
from dataclasses import dataclass, field
from hashlib import sha256

import structlog

from vm_ari.domain.callers import printable
from vm_ari.domain.fax_orders import Way
from vm_ari.domain.fax_rights import NotAllowed
from vm_ari.domain.mail_speech.letter import letter
from vm_ari.domain.number_addresses import NumberAddress
from vm_ari.domain.numbers import Site
from vm_ari.domain.site_mails import Doubtful, SiteMail, Trust, sender_of
from vm_ari.domain.users import User
from vm_ari.ports import DeliveryRefused, DirectoryUnavailable, NotNow, NotTaken
from vm_ari.ports_fax_sending import FaxLetter
from vm_ari.ports_spoken import SpokenQueueUnavailable
from vm_ari.services.fax_by_mail import PATIENCE, ReadLetter
from vm_ari.services.site_mails import Senders
from vm_ari.services.spoken_ordering import NothingToSay, SpokenOrdering, SpokenRefused

log = structlog.get_logger("vm_ari.spoken")

KIND = "voice"


@dataclass(frozen=True)
class SpokenByMail:
    """`ports.MailDesk` for the addresses of a template."""

    ordering: SpokenOrdering
    senders: Senders
    address: NumberAddress
    site: Site
    read: ReadLetter
    trust: Trust = field(default_factory=Trust)

    def knows(self, address: str) -> bool:
        """See `MailDesk`."""
        return self._number(address) is not None

    async def take(self, mail: SiteMail) -> None:
        """See `MailDesk`. Raises `NotTaken` for what will never be spoken."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._take(mail)
        except (DirectoryUnavailable, SpokenQueueUnavailable, OSError, TimeoutError) as error:
            log.warning("mail to voice comes later", reason=str(error) or "slow")
            raise NotNow("not now, please try again") from None

    async def _take(self, mail: SiteMail) -> None:
        user = await self._sender(mail)
        numbers = dict.fromkeys(filter(None, map(self._number, mail.recipients)))
        for number in numbers:
            if isinstance(judged := self.ordering.judge(user, number), NotAllowed):
                raise NotTaken(printable(judged.reason, 200))
        try:
            text = _text(await self.read(mail.content))
            for number in numbers:
                occasion = f"{_mail_id(mail)} {number}"
                await self.ordering.place(user, number, text, way=Way.MAIL, occasion=occasion)
        except (DeliveryRefused, SpokenRefused, NothingToSay) as error:
            raise NotTaken(printable(str(error), 200)) from None

    async def _sender(self, mail: SiteMail) -> User:
        """Raises `NotTaken`, `DirectoryUnavailable`."""
        try:
            address = sender_of(mail, self.trust)
        except Doubtful as doubt:
            log.warning("mail to voice refused", reason=str(doubt))
            raise NotTaken(f"this mail cannot be spoken: {doubt}") from None
        user = await self.senders.with_address(address)
        if user is None:
            log.warning("mail to voice refused", reason="its sender is not one user")
            raise NotTaken("messages are spoken for users only, from their own address")
        return user

    def _number(self, address: str) -> str | None:
        found = self.address.number_in(address.strip("<>"), self.site)
        if found is None or found[1] not in {"", KIND}:
            return None
        return found[0]


def _text(mail: FaxLetter) -> str:
    """Without signature and quotes, which nobody wants to hear."""
    body = "\n".join(one.text for one in letter(mail.text).paragraphs)
    return "\n".join(filter(str.strip, (mail.subject, body)))


def _mail_id(mail: SiteMail) -> str:
    """The same when a mail server offers it twice, for it did not hear our answer."""
    named = next((value.strip() for name, value in mail.fields if name == "message-id"), "")
    return f"mail {named or sha256(mail.content).hexdigest()}"
