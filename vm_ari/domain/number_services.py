"""What a number of a user is for: voice, unless settings name it for fax or conference (UM-04)."""

from collections.abc import Iterable

from vm_ari.domain.numbers import Site, normalise
from vm_ari.domain.packages import Service
from vm_ari.domain.users import User


def service_of(user: User, number: str) -> Service:
    """Which service answers calls to one of the user's numbers, as the directory writes it.

    A number that both lists name serves faxes: a machine cannot choose, a person hears the tone
    and asks. Numbers of others, that a list names by mistake, change nothing.
    """
    if number not in user.numbers:
        return Service.VOICEMAIL
    if number in user.fax_numbers:
        return Service.FAX
    if number in user.conference_numbers:
        return Service.CONFERENCE
    return Service.VOICEMAIL


def own_number(user: User, dialled: str, sites: Iterable[Site]) -> str:
    """A number as it was dialled, as the directory writes it; as it was where it is not his."""
    spelt = (normalise(dialled, site) for site in sites)
    return next((number for number in spelt if number and number in user.numbers), dialled)


def numbers_for(user: User, service: Service) -> tuple[str, ...]:
    """The user's own numbers that serve it, in the user's order."""
    return tuple(number for number in user.numbers if service_of(user, number) is service)


def takes_fax(user: User, number: str) -> bool:
    """Is a fax machine that calls this number let in, at once or when its tone is heard?"""
    match service_of(user, number):
        case Service.FAX:
            return True
        case Service.VOICEMAIL:
            return user.fax_on_voice_number
        case Service.CONFERENCE:
            return False
