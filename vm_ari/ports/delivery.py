"""How messages leave the house, or come into a mailbox."""

from typing import Protocol

from vm_ari.domain.messages import VoiceMessage
from vm_ari.domain.short_messages import ShortMessage
from vm_ari.domain.system_mails import Recipient
from vm_ari.domain.users import User


class DeliveryPostponed(Exception):
    """Not now: server away, busy, quota. The text says why."""


class NoRoomLeft(DeliveryPostponed):
    """There is no room in the mailbox: it comes when its owner has made some."""


class DeliveryRefused(Exception):
    """Never: the target refuses this message or recipient for good. The text says why."""


class Courier(Protocol):
    """Brings a voice message to its owner's message store."""

    async def deliver(self, message: VoiceMessage, user: User, *, plain: bool = False) -> None:
        """Hand it over; on return it is on the target's disk.

        *plain* asks for the most harmless headers. Raises `DeliveryPostponed`, `DeliveryRefused`.
        """
        ...

    async def has(self, message: VoiceMessage, user: User) -> bool:
        """Is it there already (from an attempt whose end we did not see)?

        False where the target can never be asked; `DeliveryPostponed` where it cannot just now.
        """
        ...


class Mailer(Protocol):
    """Brings a mail that the system wrote to a user."""

    async def send(self, mail: bytes, recipient: Recipient, *, message_id: str) -> None:
        """Hand it over; the target has stored it when this returns.

        *message_id*, with angle brackets, is also in the mail. Raises `DeliveryPostponed`,
        `DeliveryRefused`.
        """
        ...


class SmsGateway(Protocol):
    """Brings short messages to telephones: by mail, by HTTP; a modem or SMPP would be another."""

    async def send(self, message: ShortMessage) -> None:
        """Hand it over; the gateway has taken it when this returns.

        Raises `DeliveryPostponed`, `DeliveryRefused`.
        """
        ...
