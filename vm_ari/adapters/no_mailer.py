"""Where there is no way to bring mails of the system to users: they wait until there is one."""

from vm_ari.domain.system_mails import Recipient
from vm_ari.ports import DeliveryPostponed


class NoMailer:
    """`ports.Mailer` of a site that has not said how."""

    async def send(self, mail: bytes, recipient: Recipient, *, message_id: str) -> None:
        """Raises `DeliveryPostponed`, always."""
        raise DeliveryPostponed("nothing says how mails reach users; write a table [mail.smtp]")
