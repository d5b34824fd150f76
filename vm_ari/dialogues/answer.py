"""A caller reaches a mailbox: greeting, then a message, the owner's login, or a way out."""

from enum import Enum

from vm_ari.dialogues.desk import Desk, Visit
from vm_ari.dialogues.leave_message import leave_message
from vm_ari.dialogues.login import log_in
from vm_ari.domain.settings import spoken_number
from vm_ari.domain.users import User
from vm_ari.ports import DirectoryUnavailable
from vm_ari.speech.catalogue import P
from vm_ari.speech.language import language
from vm_ari.speech.parts import Digits, Sentence
from vm_ari.telephony.call import Call
from vm_ari.telephony.menu import Action


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
    except DirectoryUnavailable:
        return await _greet(call, visit, desk, None)
    if user is None and not desk.rules.default_recipient:
        await call.say(P.UNKNOWN_MAILBOX, P.GOODBYE)
        return Exit.END
    return await _greet(call, visit, desk, user)


async def _greet(call: Call, visit: Visit, desk: Desk, user: User | None) -> Exit:
    if user:
        call.language = language(user.language)
    if user and not user.voice_mail_enabled:
        return await _greeting(
            call, visit, desk, user, (P.MAILBOX_DISABLED, P.GOODBYE), record=False
        )
    number = spoken_number(
        user.numbers[0] if user else visit.dialled, desk.rules.site, desk.rules.number_style
    )
    reached: Sentence = (P.YOU_HAVE_REACHED, Digits(number))
    if user and not user.takes_messages:
        ending = (*reached, P.NO_MESSAGES_TAKEN, P.GOODBYE)
        return await _greeting(call, visit, desk, user, ending, record=False)
    return await _greeting(call, visit, desk, user, (*reached, P.LEAVE_A_MESSAGE), record=True)


async def _greeting(
    call: Call, visit: Visit, desk: Desk, user: User | None, words: Sentence, *, record: bool
) -> Exit:
    actions = [Action.QUICK_MESSAGE] if record else []
    actions += [Action.LOG_IN] if user else []
    actions += [Action.OPERATOR] if Exit.OPERATOR.value in visit.exits else []
    choices = desk.keys.choices(actions)
    key = await call.say_or_key(words, "".join(choices))
    match choices.get(key or ""):
        case Action.LOG_IN if Exit.ASSISTANT.value in visit.exits:
            return Exit.ASSISTANT
        case Action.LOG_IN:
            await log_in(call, visit, desk, user)
        case Action.OPERATOR:
            return Exit.OPERATOR
        case _ if record:
            await leave_message(call, visit, desk, user)
    return Exit.END
