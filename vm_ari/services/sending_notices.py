"""What becomes of things that users send by telephone, by mail: to the sender, or who stands in."""

from dataclasses import dataclass

import structlog

from vm_ari.domain.callers import printable
from vm_ari.domain.messages import VoiceMessage
from vm_ari.domain.numbers import Site, readable
from vm_ari.domain.sending import Colleague, Correspondent, Recipient, Sending, Telephone
from vm_ari.domain.system_mails import SystemMail
from vm_ari.ports import Clock, Directory, Notices
from vm_ari.services.default_recipient import DefaultRecipient

log = structlog.get_logger("vm_ari.sending")


@dataclass(frozen=True)
class SendingNotices:
    """Tells each thing once. Methods raise `DirectoryUnavailable`, `MailNotQueued`."""

    directory: Directory
    notices: Notices
    site: Site
    clock: Clock
    stand_in: DefaultRecipient
    """Is told what the sender cannot be told any more (STORE-02)."""
    receipts: bool = False
    """Are senders told what has arrived (STORE-03)?"""

    async def refused(self, message: VoiceMessage, reason: str) -> None:
        """One recipient gets nothing."""
        facts = message.facts
        if facts.sending is None:
            return
        values = {
            **await self._errand(message, facts.sending),
            "reason": printable(reason, 200),
        }
        sender = await self.directory.user_by_id(facts.sending.sender)
        if sender is not None:
            await self.notices.tell(sender, SystemMail.NOT_SENT, values, occasion=facts.id)
            return
        heir, gone = await self.stand_in.user(), printable(facts.sending.sender, 60)
        if heir is None:
            log.error("dropped, and nobody is told", call=facts.id, sender=gone)
            return
        log.warning("dropped: its sender is unknown", call=facts.id, sender=gone)
        dropped = {**values, "sender": gone}
        await self.notices.tell(heir, SystemMail.MESSAGE_DROPPED, dropped, occasion=facts.id)

    async def arrived(self, message: VoiceMessage) -> None:
        """One recipient has got it."""
        facts, sending = message.facts, message.facts.sending
        if not self.receipts or sending is None or sending.is_whole:
            return
        sender = await self.directory.user_by_id(sending.sender)
        if sender is None:
            return
        values = {
            **await self._errand(message, sending),
            "delivered": self.clock.now(),
            "outside": not isinstance(sending.recipients[0], Colleague),
        }
        await self.notices.tell(sender, SystemMail.RECEIPT, values, occasion=facts.id)

    async def _errand(self, message: VoiceMessage, sending: Sending) -> dict[str, object]:
        return {
            "recipient": await self._name(sending.recipients[0]),
            "errand": sending.errand.value,
            "when": message.facts.started,
        }

    async def _name(self, recipient: Recipient) -> str:
        match recipient:
            case Colleague(user_id):
                user = await self.directory.user_by_id(user_id)
                return printable(user.name if user else user_id)
            case Correspondent(address):
                return printable(address, 254)
            case Telephone(number):
                return readable(number, self.site)
