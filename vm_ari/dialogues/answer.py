"""A caller reaches a mailbox: greeting, then a message, the owner's login, or a way out."""

from enum import Enum

import structlog

from vm_ari.dialogues.desk import Desk, Visit
from vm_ari.dialogues.leave_message import leave_message
from vm_ari.dialogues.login import log_in
from vm_ari.domain.numbers import normalise
from vm_ari.domain.settings import spoken_number
from vm_ari.domain.users import User
from vm_ari.ports import DirectoryUnavailable
from vm_ari.speech.catalogue import P
from vm_ari.speech.parts import Digits, Sentence
from vm_ari.telephony.call import Call
from vm_ari.telephony.dtmf import Back
from vm_ari.telephony.menu import Action

log = structlog.get_logger("vm_ari.calls")


class Exit(Enum):
    """How the call leaves us; the value is the dialplan extension to go on at."""

    END = ""
    OPERATOR = "o"
    ASSISTANT = "a"


async def answer(call: Call, visit: Visit, desk: Desk) -> Exit:
    """Greet the caller on behalf of the number that was dialled.

    With the directory away the message is taken all the same; its owner is found later.
    """
    await call.answer()
    try:
        user = await desk.accounts.owner_of(visit.dialled)
    except DirectoryUnavailable as error:
        log.warning("owner not known yet", reason=str(error))
        return await _greet(call, visit, desk, None)
    if user is None and not desk.rules.default_recipient:
        await call.last_words(P.UNKNOWN_MAILBOX, P.GOODBYE)
        return Exit.END
    return await _greet(call, visit, desk, user)


async def _greet(call: Call, visit: Visit, desk: Desk, user: User | None) -> Exit:
    """Greeting, and what the caller wants then; who gives up the login is greeted again."""
    call.language = desk.language_of(user)
    takes_messages = user is None or (user.voice_mail_enabled and user.takes_messages)
    leaving = None
    while leaving is None:
        key = await _greeting(call, visit, desk, user, record=takes_messages)
        leaving = await _follow(key, call, visit, desk, user, record=takes_messages)
    return leaving


async def _greeting(
    call: Call, visit: Visit, desk: Desk, user: User | None, *, record: bool
) -> Action | None:
    """Speak; what did the caller choose meanwhile?"""
    actions = [Action.QUICK_MESSAGE] if record else []
    actions += [Action.LOG_IN]
    actions += [Action.OPERATOR] if Exit.OPERATOR.value in visit.exits else []
    choices = desk.keys.choices(actions)
    key = await call.say_or_key(_words(visit, desk, user), "".join(choices))
    return None if key is None else choices[key]


async def _follow(
    action: Action | None, call: Call, visit: Visit, desk: Desk, user: User | None, *, record: bool
) -> Exit | None:
    """Do it; None if the greeting begins again."""
    match action:
        case Action.LOG_IN if Exit.ASSISTANT.value in visit.exits:
            return Exit.ASSISTANT
        case Action.LOG_IN:
            return None if await log_in(call, visit, desk, user) is Back.BACK else Exit.END
        case Action.OPERATOR:
            return Exit.OPERATOR
        case _ if record:
            await leave_message(call, visit, desk, user)
    return Exit.END


def _words(visit: Visit, desk: Desk, user: User | None) -> Sentence:
    """The default greeting (GREET-06)."""
    if user and not user.voice_mail_enabled:
        return (P.MAILBOX_DISABLED, P.GOODBYE)
    own = (*user.numbers, user.mailbox)[0] if user else visit.dialled
    number = normalise(own, desk.rules.site) or own
    spoken = Digits(spoken_number(number, desk.rules.site, desk.rules.number_style))
    if user and not user.takes_messages:
        return (P.YOU_HAVE_REACHED, spoken, P.NO_MESSAGES_TAKEN, P.GOODBYE)
    return (P.YOU_HAVE_REACHED, spoken, P.LEAVE_A_MESSAGE)
