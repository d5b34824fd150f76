"""Whoever sends something by telephone is told by mail what could not be sent, and why."""

from dataclasses import dataclass

from vm_ari.domain.callers import printable
from vm_ari.domain.messages import VoiceMessage
from vm_ari.domain.numbers import Site, readable
from vm_ari.domain.sending import Colleague, Correspondent, Recipient, Telephone
from vm_ari.domain.system_mails import SystemMail
from vm_ari.ports import Directory, Notices


@dataclass(frozen=True)
class SendingNotices:
    """Tells each thing once."""

    directory: Directory
    notices: Notices
    site: Site

    async def refused(self, message: VoiceMessage, reason: str) -> None:
        """One recipient gets nothing. Raises `DirectoryUnavailable`, `MailNotQueued`."""
        facts = message.facts
        if facts.sending is None:
            return
        sender = await self.directory.user_by_id(facts.sending.sender)
        if sender is None:
            return
        values = {
            "recipient": await self._name(facts.sending.recipients[0]),
            "errand": facts.sending.errand.value,
            "when": facts.started,
            "reason": printable(reason, 200),
        }
        await self.notices.tell(sender, SystemMail.NOT_SENT, values, occasion=facts.id)

    async def _name(self, recipient: Recipient) -> str:
        match recipient:
            case Colleague(user_id):
                user = await self.directory.user_by_id(user_id)
                return printable(user.name if user else user_id)
            case Correspondent(address):
                return printable(address, 254)
            case Telephone(number):
                return readable(number, self.site)
