"""What the pages of faxes and of spoken messages have in common."""

import re
from collections.abc import Mapping, Sequence

from vm_ari.domain.orders import Kept, NotAllowed
from vm_ari.services.ordering import Ordering
from vm_ari.web.form_fault import Fault
from vm_ari.web.rights_words import refused_words
from vm_ari.web.visit import Visit

MOST_ROWS = 50
LONGEST_NUMBER = 60


def typed_number(visit: Visit) -> str:
    """Whom it is for, in any spelling."""
    return visit.typed("number").strip()[:LONGEST_NUMBER]


async def asked_order(visit: Visit, ordering: Ordering[Kept]) -> Kept | None:
    """The order that the address names, where it is the owner's."""
    name = str(visit.request.path_params["order"])
    if not re.fullmatch("[a-z0-9]{1,64}", name):
        return None
    return await ordering.find(visit.user.id, name)


def rows(orders: Sequence[Kept]) -> Mapping[str, object]:
    """For the template: the newest, and how many more there are."""
    return {"orders": orders[:MOST_ROWS], "more": max(0, len(orders) - MOST_ROWS)}


def refused(visit: Visit, refusal: NotAllowed, number: str) -> Fault:
    """Why that number is not possible, in the words of the page."""
    if (right := refusal.refused) is not None:
        return Fault("number", refused_words(visit.words, right))
    if refusal.denied is None:
        return Fault("number", refusal.reason)
    why = f"dialling.{refusal.denied.why.name.lower()}"
    return Fault("number", visit.words(why, number=number))
