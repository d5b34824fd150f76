"""Mails that become faxes: ``+4930555101@fax.example.org`` (UM-04)."""

from dataclasses import dataclass

from vm_ari.domain.fax_orders import Cover
from vm_ari.domain.orders import Way
from vm_ari.domain.users import User
from vm_ari.ports.fax_sending import FaxLetter
from vm_ari.services.fax_ordering import FaxOrdering
from vm_ari.services.orders_by_mail import OrdersByMail


@dataclass(frozen=True)
class FaxByMail(OrdersByMail):
    """See `OrdersByMail`."""

    KIND = "fax"
    NEVER = "this mail cannot become a fax"
    OUTSIDER = "faxes are sent for users only, from their own address"

    ordering: FaxOrdering

    async def _order(self, user: User, number: str, letter: FaxLetter, occasion: str) -> None:
        await self.ordering.place(
            user,
            number,
            letter.papers,
            way=Way.MAIL,
            cover=Cover(subject=letter.subject, text=letter.text),
            occasion=occasion,
            at_once=False,
        )
