"""The owner logs in: mailbox number where it is not known, then the PIN."""

from dataclasses import dataclass, replace
from typing import Literal

import structlog

from vm_ari.dialogues.desk import Desk, Visit
from vm_ari.dialogues.main_menu import main_menu, settings_menu
from vm_ari.dialogues.pin_menu import choose_new_pin
from vm_ari.domain.access import Proof, Standing, Verdict
from vm_ari.domain.pin import PinCheck
from vm_ari.domain.preferences import Access
from vm_ari.domain.users import User
from vm_ari.ports import MailboxUnavailable
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Sentence
from vm_ari.telephony.call import TRIES, Call
from vm_ari.telephony.dtmf import Back, number_until_hash

log = structlog.get_logger("vm_ari.calls")


@dataclass(frozen=True)
class Owner:
    """Somebody who is the owner of a mailbox, and how we know."""

    user: User
    proof: Proof


async def log_in(
    call: Call, visit: Visit, desk: Desk, user: User | None = None
) -> Literal[Back.BACK] | None:
    """Ask for what is missing, then open the main menu; ends politely after three failures.

    Answers `Back` without a word to a user who wants to go back to where he came from. Raises
    `DirectoryUnavailable`.
    """
    if user is not None:
        call.language = desk.language_of(user)
    desk.record.logging_in(user)
    match await identify(call, visit, desk, user):
        case Owner(owner, proof):
            desk.record.logged_in(owner)
            call.language = desk.language_of(owner)
            await _open(call, replace(desk, proof=proof), owner)
        case Back.BACK:
            return Back.BACK
        case farewell:
            await call.last_words(*farewell)
    return None


async def _open(call: Call, desk: Desk, owner: User) -> None:
    if owner.access is not Access.FULL:
        await settings_menu(call, desk, owner)
        return
    try:
        async with desk.inboxes.open(owner) as inbox:
            if desk.quotas and await desk.quotas.at_login(owner, inbox.mailbox):
                await call.say(P.MAILBOX_NEARLY_FULL)
            await main_menu(call, inbox, desk)
    except MailboxUnavailable as error:
        log.warning("mailbox not available", user=owner.id, reason=str(error))
        await call.last_words(P.MAILBOX_UNAVAILABLE, P.GOODBYE)


async def identify(
    call: Call, visit: Visit, desk: Desk, known: User | None
) -> Owner | Literal[Back.BACK] | Sentence:
    """The user who proved to be one, or what there is left to say to somebody who did not.

    Raises `DirectoryUnavailable`.
    """
    if known and desk.logins.decide(known, visit.origin).verdict is Verdict.REFUSE:
        return (P.LOGIN_NOT_POSSIBLE, P.GOODBYE)
    for _ in range(TRIES):
        mailbox = visit.dialled if known else await _typed(call, P.ENTER_MAILBOX)
        if mailbox is Back.BACK:
            return Back.BACK
        answer = await _attempt(call, visit, desk, known, mailbox)
        if answer is not None:
            return answer
    return (P.GOODBYE,)


async def _attempt(
    call: Call, visit: Visit, desk: Desk, known: User | None, mailbox: str
) -> Owner | Literal[Back.BACK] | Sentence | None:
    """One try for a mailbox; None: he may try again."""
    user = known or await desk.accounts.owner_of(mailbox)
    if user and await desk.logins.admits(user, visit.origin):
        return Owner(user, Proof.TELEPHONE)
    match await _check_pin(call, visit, desk, user, mailbox):
        case PinCheck.RIGHT if user:
            return await _let_in(call, desk, user)
        case PinCheck.LOCKED if known:
            return (P.LOGIN_LOCKED, P.GOODBYE)
        case Back.BACK:
            return Back.BACK if known else None  # None: to the mailbox number, which was wrong
        case _:
            await call.forget_keys()
            await call.say(P.LOGIN_FAILED)
            return None


async def _check_pin(
    call: Call, visit: Visit, desk: Desk, user: User | None, mailbox: str
) -> PinCheck | Literal[Back.BACK]:
    """Asked and counted for every mailbox, also for one that does not exist."""
    pin = await _typed(call, P.ENTER_PIN)
    if pin is Back.BACK:
        return Back.BACK
    return await desk.logins.check_pin(user, pin, visit.origin, mailbox=mailbox)


async def _let_in(call: Call, desk: Desk, user: User) -> Owner | Sentence:
    """The PIN was right; one that has ended must be changed first, where that is still possible."""
    owner = Owner(user, Proof.PIN)
    match await desk.logins.standing(user):
        case Standing.OPEN:
            return owner
        case Standing.EXPIRED:
            return (P.PIN_EXPIRED, P.GOODBYE)
        case Standing.MUST_CHANGE:
            call.language = desk.language_of(user)
            await call.forget_keys()  # they were meant for the menu
            await call.say(P.PIN_MUST_CHANGE)
            return owner if await choose_new_pin(call, desk, user) else (P.GOODBYE,)


async def _typed(call: Call, question: P) -> str | Literal[Back.BACK]:
    return await call.collect((question,), number_until_hash())
