"""What users send goes to whom it is for: a courier in front of that of callers' messages.

A sending is first divided into a part for each recipient; then each part is delivered for itself,
so that one recipient who cannot be reached neither stops the others nor makes them get it twice.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from vm_ari.domain.dialling import Denied
from vm_ari.domain.messages import CallFacts, VoiceMessage
from vm_ari.domain.numbers import Site
from vm_ari.domain.sending import (
    Colleague,
    Correspondent,
    Line,
    Recipient,
    Sending,
    Telephone,
)
from vm_ari.domain.sending_parts import parts_of
from vm_ari.domain.sending_rules import ForwardAs, SendingRules, address_of
from vm_ari.domain.system_mails import Recipient as Addressee
from vm_ari.domain.users import User
from vm_ari.ports import Courier, DeliveryPostponed, DeliveryRefused, Mailer, Spool, Whole

log = structlog.get_logger("vm_ari.sending")

ComposeOutside = Callable[[VoiceMessage, User, str], Awaitable[bytes]]
"""Writes the mail that leaves the house, from message, sender and address.

Raises `DeliveryRefused` for what cannot be sent there."""
SendFax = Callable[[VoiceMessage, User, str], Awaitable[None]]
"""Sends it to a number as a fax. Raises `DeliveryRefused`, `DeliveryPostponed`."""
Join = Callable[[VoiceMessage], Awaitable[Whole | None]]
"""Comment and forwarded voice message as one recording beside them; None where that cannot be."""


@dataclass(frozen=True)
class Dispatching:
    """`ports.Courier` for everything that lies in the spool."""

    courier: Courier
    """Into mailboxes of the house."""
    spool: Spool
    join: Join
    compose: ComposeOutside
    mailer: Mailer | None
    """None: nothing leaves the house."""
    rules: SendingRules
    sites: tuple[Site, ...]
    fax: SendFax | None = None
    """None: a gateway does that, if there is one."""

    async def deliver(self, message: VoiceMessage, user: User, *, plain: bool = False) -> None:
        """See `Courier`; of what leaves the house, *user* is the sender."""
        sending = message.facts.sending
        if sending is None:
            return await self.courier.deliver(message, user, plain=plain)
        if sending.is_whole:
            return await self._divide(message, sending)
        match sending.recipients[0]:
            case Colleague():
                await self.courier.deliver(message, user, plain=plain)
            case Correspondent(address):
                await self._send(message, user, address)
            case Telephone(number, Line.FAX) if self.fax is not None:
                await self.fax(message, user, number)
            case Telephone() as telephone:
                await self._send(message, user, self._address(telephone))

    async def has(self, message: VoiceMessage, user: User) -> bool:
        """See `Courier`; whoever is outside can never be asked."""
        return _comes_here(message.facts) and await self.courier.has(message, user)

    async def _divide(self, message: VoiceMessage, sending: Sending) -> None:
        """Raises `SpoolFull`."""
        whole = None
        if sending.forwards_voice and (self._in_one or not message.audio):
            whole = await self.join(message)
        whole = whole or Whole(message.audio, message.seconds)
        parts = parts_of(message.facts)
        await self.spool.divide(message, parts, whole)
        log.info("sending", call=message.facts.id, errand=sending.errand.value, to=len(parts))

    @property
    def _in_one(self) -> bool:
        return self.rules.forward_as is ForwardAs.ONE_AUDIO

    def _address(self, number: Telephone) -> str:
        match address_of(number, self.rules, self.sites):
            case str(address):
                return address
            case Denied(reason=reason):
                raise DeliveryRefused(reason)
            case _:
                raise DeliveryRefused(f"no mail address leads to {number.line} any more")

    async def _send(self, message: VoiceMessage, sender: User, address: str) -> None:
        if self.mailer is None:
            raise DeliveryPostponed("nothing leaves the house without a table [mail.smtp]")
        mail = await self.compose(message, sender, address)
        addressee = Addressee(sender.id, sender.mailbox, address)
        await self.mailer.send(mail, addressee, message_id=message.facts.message_id)


def _comes_here(facts: CallFacts) -> bool:
    """Can a mailbox of ours be asked for it?"""
    if facts.sending is None:
        return True
    first: Recipient = facts.sending.recipients[0]
    return not facts.sending.is_whole and isinstance(first, Colleague)
