"""The user chooses a new PIN: twice, and good enough (LOGIN-02, LOGIN-05)."""

from typing import Literal

import structlog

from vm_ari.dialogues.desk import Desk
from vm_ari.domain.directory_text import Unstorable
from vm_ari.domain.pin_rules import LONGEST_PIN, PinFault
from vm_ari.domain.users import User
from vm_ari.ports import DirectoryUnavailable, UnknownUser
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Number
from vm_ari.telephony.call import TRIES, Call, NoAnswer
from vm_ari.telephony.dtmf import Back, number_until_hash

log = structlog.get_logger("vm_ari.calls")

SAID = {
    PinFault.TOO_SHORT: P.PIN_TOO_SHORT,
    PinFault.REPEATED: P.PIN_REPEATED,
    PinFault.SEQUENCE: P.PIN_SEQUENCE,
    PinFault.OWN_NUMBER: P.PIN_OWN_NUMBER,
    PinFault.USED_BEFORE: P.PIN_USED_BEFORE,
}
"""The other faults cannot be typed on a telephone."""


async def choose_new_pin(call: Call, desk: Desk, owner: User) -> bool:
    """Ask until a good PIN is set; False for who goes back, or where it cannot be stored.

    The old one is not asked for: it was typed at the login. Raises `NoAnswer` after three that are
    no good.
    """
    for _ in range(TRIES):
        pin = await _typed_twice(call, desk, owner)
        if pin is Back.BACK:
            return False
        if pin is not None and (done := await _set(call, desk, owner, pin)) is not None:
            return done
    raise NoAnswer


async def _typed_twice(call: Call, desk: Desk, owner: User) -> str | Literal[Back.BACK] | None:
    """None: it was no good, and the user has been told why."""
    least = desk.logins.rules.shortest_pin
    question = (P.ENTER_NEW_PIN, Number(least), P.DIGITS_AND_HASH)
    pin = await call.collect(question, number_until_hash(LONGEST_PIN))
    if pin is Back.BACK:
        return Back.BACK
    if fault := await desk.logins.fault(owner, pin):
        await _refuse(call, SAID.get(fault, P.KEY_NOT_USED))
        return None
    again = await call.collect((P.REPEAT_NEW_PIN,), number_until_hash(LONGEST_PIN))
    if again is Back.BACK:
        return Back.BACK
    if again != pin:
        await _refuse(call, P.PINS_DIFFER)
        return None
    return pin


async def _set(call: Call, desk: Desk, owner: User, pin: str) -> bool | None:
    """None: somebody has set that very PIN meanwhile."""
    try:
        fault = await desk.logins.change_pin(owner, pin)
    except (DirectoryUnavailable, UnknownUser, Unstorable) as error:
        log.warning("PIN not changed", call=call.id, user=owner.id, reason=str(error))
        await _refuse(call, P.NOT_POSSIBLE_NOW)
        return False
    if fault:
        await _refuse(call, SAID.get(fault, P.KEY_NOT_USED))
        return None
    log.info("PIN changed", call=call.id, user=owner.id)
    await call.say(P.PIN_CHANGED)
    return True


async def _refuse(call: Call, why: P) -> None:
    """What was typed ahead was meant for another answer."""
    await call.forget_keys()
    await call.say(why)
