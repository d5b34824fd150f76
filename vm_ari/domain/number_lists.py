"""Numbers named in lists for faxes or a conference that do not lead there (UM-04)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from vm_ari.domain.packages import Service
from vm_ari.domain.users import User


class Wrong(StrEnum):
    """Why."""

    NOT_OWN = "not-own"
    """It is none of that user's numbers."""
    OF_SEVERAL = "of-several"
    """Others have it, too: calls to it reach nobody."""
    FOR_BOTH = "for-both"
    """It is named for faxes and for a conference; it serves faxes."""


@dataclass(frozen=True)
class NumberFault:
    """One number, in a list of one user."""

    wrong: Wrong
    user_id: str
    number: str
    service: Service
    others: tuple[str, ...] = ()
    """Who has it, too, or instead."""


def listed_numbers(user: User, service: Service) -> tuple[str, ...]:
    """Those that the user's settings name for it, whoever has them."""
    match service:
        case Service.FAX:
            return user.fax_numbers
        case Service.CONFERENCE:
            return user.conference_numbers
        case Service.VOICEMAIL:
            return ()


def number_faults(users: Iterable[User], service: Service) -> Iterator[NumberFault]:
    """Of all *users*, in their order."""
    users, owners = tuple(users), defaultdict[str, list[str]](list)
    for user in users:
        for number in dict.fromkeys(user.numbers):
            owners[number].append(user.id)
    for user in users:
        for number in dict.fromkeys(listed_numbers(user, service)):
            others = tuple(one for one in owners[number] if one != user.id)
            if (wrong := _wrong(user, number, service, others)) is not None:
                yield NumberFault(wrong, user.id, number, service, others)


def _wrong(user: User, number: str, service: Service, others: tuple[str, ...]) -> Wrong | None:
    if number not in user.numbers:
        return Wrong.NOT_OWN
    if others:
        return Wrong.OF_SEVERAL
    if service is Service.CONFERENCE and number in user.fax_numbers:
        return Wrong.FOR_BOTH
    return None
