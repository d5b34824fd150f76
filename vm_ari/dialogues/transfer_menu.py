"""Whom callers can be connected to, for each profile: heard, set, removed (XFER-04)."""

import structlog

from vm_ari.dialogues.choosing import choose, choose_profile, done, name_of, profiles_of
from vm_ari.dialogues.desk import Desk
from vm_ari.domain.numbers import extension_of, normalise
from vm_ari.domain.profiles import ProfileName
from vm_ari.domain.users import User
from vm_ari.services.own_settings import NumberRefused
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Digits, Sentence
from vm_ari.telephony.call import TRIES, Call, NoAnswer
from vm_ari.telephony.dtmf import Back, number_until_hash
from vm_ari.telephony.menu import Action, Item

log = structlog.get_logger("vm_ari.calls")

NOBODY = (
    Item(Action.SET_TRANSFER, P.TO_SET_TRANSFER),
    Item(Action.TRANSFER_BACK, P.TO_GO_BACK),
)
SOMEBODY = (NOBODY[0], Item(Action.REMOVE_TRANSFER, P.TO_REMOVE_TRANSFER), NOBODY[1])


async def transfer_menu(call: Call, desk: Desk, owner: User) -> User:
    """One profile after the other, until the back key. The owner as he is then."""
    while True:
        profile = await choose_profile(call, desk, profiles_of(desk.rules))
        if profile is Back.BACK:
            return owner
        owner = await _of_profile(call, desk, owner, profile)


async def _of_profile(call: Call, desk: Desk, owner: User, profile: ProfileName) -> User:
    while True:
        number = owner.transfer_in(profile)
        menu = SOMEBODY if number else NOBODY
        match await choose(call, desk, menu, name_of(profile), *_told(desk, number)):
            case Action.SET_TRANSFER:
                owner = await _set(call, desk, owner, profile)
            case Action.REMOVE_TRANSFER:
                new = await done(call, desk.own_settings.remove_transfer(owner, profile))
                if new:
                    await call.say(P.TRANSFER_REMOVED)
                owner = new or owner
            case _:
                return owner


async def _set(call: Call, desk: Desk, owner: User, profile: ProfileName) -> User:
    """Raises `NoAnswer` after three numbers that are not allowed."""
    for _ in range(TRIES):
        number = await call.collect((P.ENTER_DESTINATION,), number_until_hash())
        if number is Back.BACK:
            return owner
        setting = desk.own_settings.set_transfer(owner, profile, number, dialled=True)
        try:
            new = await done(call, setting)
        except NumberRefused as error:
            log.info("destination refused", call=call.id, user=owner.id, reason=str(error))
            await call.forget_keys()
            await call.say(P.NUMBER_NOT_ALLOWED)
            continue
        if new:
            await call.say(P.TRANSFER_SET)
        return new or owner
    raise NoAnswer


def _told(desk: Desk, number: str | None) -> Sentence:
    """Who is called now; as the telephones of the site would dial it, where that is shorter."""
    if not number:
        return (P.NO_TRANSFER,)
    site = desk.rules.site
    clean = normalise(number, site) or "".join(key for key in number if key in "0123456789")
    return (P.TRANSFER_IS, Digits(extension_of(clean, site) or clean))
