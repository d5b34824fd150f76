"""Short messages through a gateway that takes mails to ``+4917…@sms.example.org`` (NOTIFY-03)."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from vm_ari.adapters.mail_writing import Part, ascii_address, header_text, text_part, token
from vm_ari.domain.number_addresses import NumberAddress
from vm_ari.domain.numbers import Site
from vm_ari.domain.short_messages import ShortMessage
from vm_ari.domain.system_mails import Recipient
from vm_ari.ports import Clock, DeliveryRefused, Mailer

KIND = "sms"


@dataclass(frozen=True)
class SmsByMail:
    """`ports.SmsGateway`."""

    mailer: Mailer
    template: NumberAddress
    site: Site
    sender: str
    """Mail address that they come from."""
    clock: Clock
    subject: str = ""
    sender_template: NumberAddress | None = None
    """Makes the address for users whose messages have a sender of their own."""
    location_header: str = ""
    """Name of the field that tells the location (NOTIFY-07); empty: none does."""

    async def send(self, message: ShortMessage) -> None:
        """See `SmsGateway`."""
        to = ascii_address(self.template.address(message.number, KIND, self.site))
        if to is None:
            raise DeliveryRefused("sms.mail_address makes no address of this number")
        message_id = f"<{message.id}@{self.sender.rpartition('@')[2]}>"
        mail = self._mail(message, to, message_id, self.clock.now())
        recipient = Recipient(message.user_id, "", to)
        await self.mailer.send(mail, recipient, message_id=message_id)

    def _mail(self, message: ShortMessage, to: str, message_id: str, now: datetime) -> bytes:
        text = text_part(message.text, "plain")
        location = token(message.location) if self.location_header else ""
        head = [
            ("From", self._from(message)),
            ("To", to),
            ("Subject", header_text(self.subject)),
            ("Date", format_datetime(now.astimezone(UTC).replace(microsecond=0))),
            ("Message-ID", token(message_id, 250)),
            ("MIME-Version", "1.0"),
            ("Auto-Submitted", "auto-generated"),
            (self.location_header or "X-Location", location),
        ]
        return Part([*head, *text.fields], text.body).to_bytes()

    def _from(self, message: ShortMessage) -> str:
        """The gateway takes the number of the sender from it, where it has one."""
        if self.sender_template and message.sender.lstrip("+").isdecimal():
            own = self.sender_template.address(message.sender, KIND, self.site)
            return ascii_address(own) or self.sender
        return self.sender
