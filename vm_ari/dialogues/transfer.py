"""A caller wants to be connected with the person whom the owner of the mailbox has named."""

import secrets

import structlog

from vm_ari.dialogues.desk import Desk, Visit
from vm_ari.domain.callers import Caller, printable
from vm_ari.domain.dialling import Allowed, Denied, may_dial
from vm_ari.domain.numbers import extension_of
from vm_ari.domain.preferences import TRANSFER_SECONDS
from vm_ari.domain.rights import Outgoing
from vm_ari.domain.transfer import Chain, Outcome, leads_back, own_numbers
from vm_ari.domain.users import User
from vm_ari.ports import DirectoryUnavailable
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Digits, Sentence
from vm_ari.telephony.call import ACCEPT, Call
from vm_ari.telephony.channel import Leg, LineFault

log = structlog.get_logger("vm_ari.calls")

GIVE_UP = "*"
_WHY: dict[Outcome, Sentence] = {
    Outcome.TALKED: (),
    Outcome.REFERRED: (),
    Outcome.GIVEN_UP: (),
    Outcome.BUSY: (P.DESTINATION_BUSY,),
    Outcome.NO_ANSWER: (P.NOT_REACHED,),
    Outcome.REFUSED: (P.NOT_REACHED,),
    Outcome.UNREACHABLE: (P.NOT_REACHED,),
    Outcome.NOT_ALLOWED: (P.NOT_REACHED,),
    Outcome.LOOP: (P.NOT_REACHED,),
}


async def connect(
    call: Call, visit: Visit, desk: Desk, user: User | None, destination: str
) -> Outcome:
    """Connect the caller with *destination*, in any spelling; where that fails, say so.

    The rules are those of now: what was allowed when the destination was stored may not be any
    more. Raises `CallerHungUp` when the caller leaves before anybody has answered.
    """
    await call.forget_keys()
    leg, rules = await _leg(call, visit, desk, user, destination), desk.transfer
    if isinstance(leg, Outcome):
        outcome = leg
    else:
        desk.record.connects(destination)
        await call.say(P.PLEASE_HOLD)
        outcome = await call.transfer(
            leg,
            hears=rules.hears,
            give_up=GIVE_UP if rules.may_give_up else "",
            screening=_question(visit.caller, desk) if user and user.transfer_screening else (),
            leaves_server=rules.leaves_server,
        )
    log.info("transfer", destination=destination[-3:], outcome=outcome.value)
    desk.record.transferred(printable(destination), outcome)
    if words := how_it_ended(outcome):
        await call.say(*words)
    return outcome


def how_it_ended(outcome: Outcome) -> Sentence:
    """What somebody hears who is not connected; nothing where there is nothing to say."""
    return _WHY[outcome]


async def comes_back(call: Call, visit: Visit, desk: Desk) -> bool:
    """Has a transfer led to this mailbox again? Then the call is refused; to be asked first.

    Not for a call that was answered: its other end would talk to a mailbox, and be charged.
    """
    try:
        chain = await call.chain()
    except LineFault as error:
        log.warning("not known where the call has been", reason=str(error))
        return False
    if not chain.numbers:
        return False
    try:
        user = await desk.accounts.owner_of(visit.dialled)
    except DirectoryUnavailable:
        user = None
    if not chain.comes_back_to(_own(visit, desk, user)):
        return False
    log.warning(
        "a transfer came back, refused", mailbox=visit.dialled, mailboxes=len(chain.numbers)
    )
    await call.refuse()
    return True


async def _leg(
    call: Call, visit: Visit, desk: Desk, user: User | None, destination: str
) -> Leg | Outcome:
    """Whom to call, or why nobody may be called."""
    match may_dial(destination, desk.transfer.dialling, desk.rules.sites):
        case Denied() as denied:
            log.warning("transfer not allowed", why=denied.why.value, kind=denied.kind.value)
            return Outcome.NOT_ALLOWED
        case Allowed() as allowed:
            chain = await call.chain()
            been_at = (*chain.numbers, *(hop.number for hop in visit.redirection.hops))
            own = _own(visit, desk, user)
            if leads_back(allowed.number, own, own_numbers(been_at, desk.rules.site)):
                return Outcome.LOOP
            if not await _may_cost(call, desk, user, allowed):
                return Outcome.NOT_ALLOWED
            return Leg(
                allowed,
                shown=_shown(visit.caller, desk),
                seconds=user.transfer_seconds if user else TRANSFER_SECONDS.default,
                chain=_with_this_mailbox(chain, visit, desk),
            )


async def _may_cost(call: Call, desk: Desk, user: User | None, destination: Allowed) -> bool:
    """By the rights of the mailbox's owner, who pays; the journal says what was refused (UM-05)."""
    if user is None or desk.rights is None:
        return True
    name = f"transfer {call.id} {secrets.token_hex(8)}"
    refused = await desk.rights.take(user, Outgoing.VOICE, destination, name)
    if refused:
        desk.record.not_allowed(refused.reason)
    return refused is None


def _own(visit: Visit, desk: Desk, user: User | None) -> frozenset[str]:
    """Every number that leads to this mailbox."""
    numbers = (*user.numbers, user.mailbox) if user else ()
    return own_numbers((*numbers, visit.dialled), desk.rules.site)


def _with_this_mailbox(chain: Chain, visit: Visit, desk: Desk) -> Chain:
    [number] = own_numbers([visit.dialled], desk.rules.site) or [visit.dialled]
    return chain.and_then(number)


def _shown(caller: Caller, desk: Desk) -> Caller:
    """For the display of a telephone in the house."""
    return Caller(extension_of(caller.number, desk.rules.site) or caller.number, caller.name)


def _question(caller: Caller, desk: Desk) -> Sentence:
    """Who calls, and which key accepts (XFER-05)."""
    number = _shown(caller, desk).number
    who: Sentence = (P.CALL_FROM, Digits(number)) if number else (P.CALL_FROM_UNKNOWN,)
    return (*who, P.TO_ACCEPT, P.PRESS, Digits(ACCEPT))
