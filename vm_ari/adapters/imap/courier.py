"""Bringing voice messages to mailboxes on mail servers: by APPEND, or by SMTP (MAIL-05)."""

import asyncio

from vm_ari.adapters.imap.doorman import Doorman
from vm_ari.adapters.imap.letterbox import Label, Letterbox
from vm_ari.adapters.voice_mail import Compose
from vm_ari.domain.messages import VoiceMessage
from vm_ari.domain.system_mails import Recipient
from vm_ari.domain.users import User
from vm_ari.ports import Mailer


class ImapCourier:
    """`ports.Courier` by APPEND: visible at once, past the site's mail rules."""

    def __init__(self, doorman: Doorman, compose: Compose) -> None:
        self._letterbox = Letterbox(doorman)
        self._compose = compose

    async def deliver(self, message: VoiceMessage, user: User, *, plain: bool = False) -> None:
        """Once: it is looked for first. Raises `DeliveryPostponed`, `DeliveryRefused`."""
        mail = await asyncio.to_thread(self._compose, message, user, plain=plain)
        await self._letterbox.put(user, mail, _label(message))

    async def has(self, message: VoiceMessage, user: User) -> bool:
        """Is it in the folder of voice messages, or among the deleted ones?"""
        return await self._letterbox.has(user, _label(message))


class SmtpCourier:
    """`ports.Courier` by SMTP: through the site's mail rules, filters and archive.

    *look* is asked whether a message has arrived; None: that can never be known.
    """

    def __init__(self, mailer: Mailer, compose: Compose, look: ImapCourier | None) -> None:
        self._mailer = mailer
        self._compose = compose
        self._look = look

    async def deliver(self, message: VoiceMessage, user: User, *, plain: bool = False) -> None:
        """See `Courier`."""
        mail = await asyncio.to_thread(self._compose, message, user, plain=plain)
        recipient = Recipient(user.id, user.mailbox, user.mail)
        await self._mailer.send(mail, recipient, message_id=message.facts.message_id)

    async def has(self, message: VoiceMessage, user: User) -> bool:
        """See `Courier`."""
        return await self._look.has(message, user) if self._look else False


def _label(message: VoiceMessage) -> Label:
    """With the time of the call as its date; urgent ones are flagged.

    What a user has forwarded without a word is a mail, and a fax lies among the mails.
    """
    facts, voice = message.facts, message.is_voice
    return Label(facts.message_id, facts.started, voice=voice, urgent=facts.urgent)
