"""Mails and faxes that a user forwards by telephone become faxes of this house (INBOX-08)."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from vm_ari.domain.messages import VoiceMessage
from vm_ari.domain.orders import Way
from vm_ari.domain.users import User
from vm_ari.ports import DeliveryPostponed, DeliveryRefused
from vm_ari.ports.fax_sending import Paper, Unprintable
from vm_ari.ports.orders import OrdersUnavailable
from vm_ari.services.fax_ordering import FaxOrdering
from vm_ari.services.ordering import OrderRefused

ReadMail = Callable[[Path], Awaitable[Sequence[Paper]]]
"""What of a hostile mail can be sent. Raises `DeliveryRefused`, OSError."""


@dataclass(frozen=True)
class FaxForwarding:
    """Orders the fax; what becomes of it, its own report tells."""

    ordering: FaxOrdering
    read: ReadMail

    async def __call__(self, message: VoiceMessage, sender: User, number: str) -> None:
        """Once, however often it is tried. Raises `DeliveryRefused`, `DeliveryPostponed`."""
        sending = message.facts.sending
        if sending is None or sending.forwards_voice or not message.original:
            raise DeliveryRefused("what was said cannot be sent as a fax")
        papers = await self.read(Path(message.original))
        try:
            await self.ordering.place(
                sender,
                number,
                papers,
                way=Way.PHONE,
                occasion=f"forward {message.facts.id}",
                at_once=False,
            )
        except (OrderRefused, Unprintable) as error:
            raise DeliveryRefused(str(error)) from None
        except OrdersUnavailable as error:
            raise DeliveryPostponed(str(error)) from None
