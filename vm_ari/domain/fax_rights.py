"""May this user send this fax there now? The one place that is asked before it leaves (UM-05).

It is asked twice: when a fax is ordered, so that a person is told at once, and again before each
call, for rules and rights may have changed meanwhile.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from vm_ari.domain import rights as all_rights
from vm_ari.domain.dialling import Allowed, Denied, DiallingRules, may_dial
from vm_ari.domain.fax_orders import FaxLimits
from vm_ari.domain.numbers import Site
from vm_ari.domain.orders import NotAllowed, no_right
from vm_ari.domain.rights import Caps, Outgoing
from vm_ari.domain.users import User


@dataclass(frozen=True)
class FaxRights:
    """What the site allows."""

    dialling: DiallingRules = field(default_factory=DiallingRules)
    limits: FaxLimits = field(default_factory=FaxLimits)
    caps: Caps = field(default_factory=Caps)


def may_send(
    user: User,
    number: str,
    pages: int,
    rights: FaxRights,
    sites: Sequence[Site],
) -> Allowed | NotAllowed:
    """Judge it; *pages* is 0 while nobody knows how many there are."""
    match may_dial(number, rights.dialling, sites):
        case Denied() as denied:
            return NotAllowed(denied.reason, denied)
        case allowed if allowed.number in user.numbers:
            return NotAllowed(f"{number} is a number of the sender.")
        case allowed if pages > rights.limits.pages:
            return NotAllowed(f"The fax has {pages} pages; {rights.limits.pages} are possible.")
        case allowed:
            refused = all_rights.may_send(
                user, Outgoing.FAX, allowed, rights.caps, sites, pages=pages
            )
            return no_right(refused) if refused else allowed
