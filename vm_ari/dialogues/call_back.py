"""The sender of a message is called back, and the user is in the message again (INBOX-09)."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import structlog

from vm_ari.dialogues.choosing import choose
from vm_ari.dialogues.desk import Desk
from vm_ari.dialogues.greetings_menu import CONFIRM_MENU
from vm_ari.dialogues.transfer import GIVE_UP, how_it_ended
from vm_ari.domain.call_back import NoCallBack
from vm_ari.domain.dialling import Allowed
from vm_ari.domain.messages import StoredMessage
from vm_ari.domain.numbers import Site, extension_of
from vm_ari.domain.transfer import Outcome, leads_back, own_numbers
from vm_ari.domain.users import User
from vm_ari.services.call_backs import CallBacks, Counted
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Digits
from vm_ari.telephony.call import Call
from vm_ari.telephony.channel import Leg, LineFault
from vm_ari.telephony.menu import Action, Item

log = structlog.get_logger("vm_ari.calls")

NEVER = {NoCallBack.NO_PIN, NoCallBack.NOT_VOUCHED_FOR}
"""Why the key is none: it would only tell a stranger, or about a stranger's mail."""


def with_call_back(
    menu: Sequence[Item], desk: Desk, owner: User, message: StoredMessage
) -> Sequence[Item]:
    """The menu for that message: calling back is offered where it is possible.

    Where only this sender cannot be called the key is not spoken, but who presses it hears why.
    """
    match desk.call_backs and desk.call_backs.judge(message, owner, desk.proof):
        case Allowed():
            return menu
        case NoCallBack() as why if why not in NEVER:
            return [replace(i, offer=None) if i.action is Action.CALL_BACK else i for i in menu]
    return [item for item in menu if item.action is not Action.CALL_BACK]


async def _nobody_waits() -> None:
    """Who has pressed the key hears what happens."""


async def call_back(
    call: Call,
    desk: Desk,
    owner: User,
    message: StoredMessage,
    *,
    confirmed: Callable[[], Awaitable[None]] = _nobody_waits,
) -> None:
    """Say the number, ask, connect; whatever happens, the user is back.

    *confirmed* hears that the number is dialled. Raises `NoAnswer` like every question.
    """
    if desk.call_backs is None:
        return
    match desk.call_backs.judge(message, owner, desk.proof):
        case Allowed() as allowed:
            await _ask_and_connect(call, desk, desk.call_backs, owner, allowed, confirmed)
        case why:
            log.info("call back refused", user=owner.id, why=why.value)
            unknown = why is NoCallBack.WITHHELD
            await call.say(P.NUMBER_NOT_KNOWN if unknown else P.NUMBER_NOT_ALLOWED)


async def _ask_and_connect(
    call: Call,
    desk: Desk,
    call_backs: CallBacks,
    owner: User,
    destination: Allowed,
    confirmed: Callable[[], Awaitable[None]],
) -> None:
    """The keys of a playback mean other things: none of them, pressed too late, calls anybody."""
    await call.forget_keys()
    number = extension_of(destination.number, _home(desk, owner)) or destination.number
    if await choose(call, desk, CONFIRM_MENU, P.NUMBER_IS, Digits(number)) is not Action.CONFIRM:
        return
    match await call_backs.count(owner, destination):
        case Counted.ENOUGH:
            await call.say(P.NO_MORE_CALLS_TODAY)
            return
        case Counted.NOBODY_CAN:
            await call.say(P.NOT_POSSIBLE_NOW)
            return
    await confirmed()
    try:
        outcome = await _connect(call, desk, call_backs, owner, destination)
    except LineFault as error:
        log.warning("call back failed", user=owner.id, reason=str(error))
        outcome = Outcome.UNREACHABLE
    log.info(
        "call back",
        user=owner.id,
        kind=destination.kind.value,
        destination=destination.number[-3:],
        outcome=outcome.value,
    )
    desk.record.called_back(destination.number, outcome)
    if words := how_it_ended(outcome):
        await call.say(*words)


async def _connect(
    call: Call, desk: Desk, call_backs: CallBacks, owner: User, destination: Allowed
) -> Outcome:
    """It never leaves the server: the user comes back to the message."""
    site, chain = desk.rules.site, await call.chain()
    own = own_numbers((*owner.numbers, owner.mailbox), site)
    if leads_back(destination.number, own, own_numbers(chain.numbers, site)):
        return Outcome.LOOP
    [mailbox, *_] = [*sorted(own_numbers([owner.mailbox], site)), owner.mailbox]
    leg = Leg(
        destination,
        shown=call_backs.shown(owner, destination),
        seconds=owner.transfer_seconds,
        chain=chain.and_then(mailbox),
    )
    desk.record.connects(destination.number)
    await call.say(P.PLEASE_HOLD)
    return await call.transfer(leg, hears=desk.transfer.hears, give_up=GIVE_UP)


def _home(desk: Desk, owner: User) -> Site:
    return desk.rules.site_for((*owner.numbers, "")[0])
