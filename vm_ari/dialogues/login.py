"""The owner logs in: mailbox number where it is not known, then the PIN."""

import structlog

from vm_ari.dialogues.desk import Desk, Visit
from vm_ari.dialogues.main_menu import main_menu
from vm_ari.domain.pin import PinCheck
from vm_ari.domain.users import User
from vm_ari.ports import DirectoryUnavailable, MailboxUnavailable
from vm_ari.speech.catalogue import P
from vm_ari.speech.language import language
from vm_ari.telephony.call import TRIES, Call
from vm_ari.telephony.dtmf import Back, number_until_hash

log = structlog.get_logger("vm_ari.calls")


async def log_in(call: Call, visit: Visit, desk: Desk, user: User | None = None) -> None:
    """Ask for what is missing, then open the main menu; ends politely after three failures."""
    try:
        owner = await _identify(call, visit, desk, user)
    except DirectoryUnavailable:
        await call.say(P.LOGIN_NOT_POSSIBLE, P.GOODBYE)
        return
    if owner is None:
        await call.say(P.GOODBYE)
        return
    call.language = language(owner.language)
    await _open(call, desk, owner)


async def _open(call: Call, desk: Desk, owner: User) -> None:
    try:
        async with desk.inboxes.open(owner) as inbox:
            await main_menu(call, inbox, desk)
    except MailboxUnavailable as error:
        log.warning("mailbox not available", user=owner.id, reason=str(error))
        await call.say(P.MAILBOX_UNAVAILABLE, P.GOODBYE)


async def _identify(call: Call, visit: Visit, desk: Desk, known: User | None) -> User | None:
    """The user who proved to be one; None when he gave up or failed too often."""
    for _ in range(TRIES):
        user, mailbox = known, visit.dialled
        if known is None:
            typed = await call.collect((P.ENTER_MAILBOX,), number_until_hash())
            if typed is Back.BACK:
                return None
            mailbox = str(typed)
            user = await desk.accounts.owner_of(mailbox)
        pin = await call.collect((P.ENTER_PIN,), number_until_hash())
        if pin is Back.BACK:
            return None
        match await desk.accounts.check_pin(
            user, str(pin), caller=visit.caller.number, mailbox=mailbox
        ):
            case PinCheck.RIGHT:
                return user
            case PinCheck.LOCKED if known:
                await call.say(P.LOGIN_LOCKED)
                return None
            case _:
                call.forget_keys()
                await call.say(P.LOGIN_FAILED)
    return None
