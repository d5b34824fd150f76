"""Mails that are read to somebody on the telephone: ``+4930555101@voice.example.org`` (SPEECH-04).

The subject is read before the text; documents are not.
"""

from dataclasses import dataclass

from vm_ari.domain.mail_speech.letter import letter as told_apart
from vm_ari.domain.orders import Way
from vm_ari.domain.users import User
from vm_ari.ports import DeliveryRefused
from vm_ari.ports.fax_sending import FaxLetter
from vm_ari.services.orders_by_mail import OrdersByMail
from vm_ari.services.spoken_ordering import NothingToSay, SpokenOrdering


@dataclass(frozen=True)
class SpokenByMail(OrdersByMail):
    """See `OrdersByMail`."""

    KIND = "voice"
    NEVER = "this mail cannot be spoken"
    OUTSIDER = "messages are spoken for users only, from their own address"

    ordering: SpokenOrdering

    async def _order(self, user: User, number: str, letter: FaxLetter, occasion: str) -> None:
        try:
            text = _text(letter)
            await self.ordering.place(user, number, text, way=Way.MAIL, occasion=occasion)
        except NothingToSay as error:
            raise DeliveryRefused(str(error)) from None


def _text(letter: FaxLetter) -> str:
    """Without signature and quotes, which nobody wants to hear."""
    body = "\n".join(one.text for one in told_apart(letter.text).paragraphs)
    return "\n".join(filter(str.strip, (letter.subject, body)))
