"""What the pages of people and organisations need, beside `parts.Parts`."""

from collections.abc import Callable
from dataclasses import dataclass

from vm_ari.domain.packages import PackageLimits
from vm_ari.services.mail_changes import MailChanges
from vm_ari.services.organisations import Organisations
from vm_ari.web.parts import Parts


@dataclass(frozen=True)
class PeopleParts:
    """One of `Parts.more`."""

    mail_changes: MailChanges
    organisations: Organisations
    limits: Callable[[], PackageLimits]
    """How many users there may be, as it is now."""


def people_parts(parts: Parts) -> PeopleParts:
    """Those of this portal."""
    return next(one for one in parts.more if isinstance(one, PeopleParts))
