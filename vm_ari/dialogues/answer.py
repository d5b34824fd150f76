"""A caller reaches a mailbox: greeting, then a message, a transfer, the owner's login, or out."""

from collections.abc import Mapping
from dataclasses import replace
from enum import Enum

import structlog

from vm_ari.dialogues.conference import conference, door_of
from vm_ari.dialogues.desk import Desk, Visit
from vm_ari.dialogues.greeting import Offer, greet, offer_of, wished_language
from vm_ari.dialogues.leave_message import leave_message
from vm_ari.dialogues.login import log_in
from vm_ari.dialogues.receive_fax import is_for_fax
from vm_ari.dialogues.transfer import comes_back, connect
from vm_ari.domain.answering import decide
from vm_ari.domain.greeting_choice import NoMailboxNotice
from vm_ari.domain.greetings import SITE, GlobalMode, Greeting, GreetingKey
from vm_ari.domain.journal import Result
from vm_ari.domain.situation import Situation
from vm_ari.domain.users import User
from vm_ari.ports import DirectoryUnavailable, GreetingsUnavailable
from vm_ari.speech.catalogue import P
from vm_ari.speech.language import language, languages
from vm_ari.telephony.call import Call
from vm_ari.telephony.dtmf import Back
from vm_ari.telephony.menu import Action

log = structlog.get_logger("vm_ari.calls")


class Exit(Enum):
    """How the call leaves us: its ``VM_ARI_STATUS``, and the dialplan extension to go on at."""

    END = ("SUCCESS", "")
    NO_MAILBOX = ("NOMAILBOX", "")
    NOT_STORED = ("FAILED", "")
    OPERATOR = ("USEREXIT", "o")
    ASSISTANT = ("USEREXIT", "a")
    ELSEWHERE = ("FALLBACK", "")
    """The dialplan ends it before it is answered, and another node is asked."""
    FAX = ("FAX", "")
    """The dialplan receives it."""

    @property
    def status(self) -> str:
        """What the dialplan is told."""
        return self.value[0]

    @property
    def extension(self) -> str:
        """Where it goes on; empty: where it was."""
        return self.value[1]


_DIALPLAN = {Exit.OPERATOR, Exit.ASSISTANT}


async def answer(call: Call, visit: Visit, desk: Desk) -> Exit:
    """Greet the caller on behalf of the number that was dialled.

    With the directory away the message is taken all the same; its owner is found later. Who gives
    up the login is greeted again.
    """
    if await comes_back(call, visit, desk):
        desk.record.ends(Result.REFUSED)
        return Exit.END
    await call.answer()
    chosen, leaving = None, None
    while leaving is None:
        situation = await _situation(visit, desk, chosen or "")
        desk.record.owner(situation.user, visit.dialled)
        if chosen is None and await is_for_fax(call, visit, desk, situation.user):
            desk.record.became_fax()
            return Exit.FAX
        if chosen is None:
            if door := door_of(situation.user, visit.dialled, desk):
                await conference(call, visit, desk, door)
                return Exit.END
            if situation.user:
                desk.on_call(situation.user, visit.dialled)
            chosen = await _language(call, desk, situation)
            situation = replace(situation, chosen_language=chosen)
        leaving = await _serve(call, visit, desk, situation)
    return leaving


async def _situation(visit: Visit, desk: Desk, chosen: str) -> Situation:
    """Everything that decides, as it is now."""
    user, unknown = None, False
    try:
        user = await desk.accounts.owner_of(visit.dialled)
    except DirectoryUnavailable as error:
        log.warning("owner not known yet", reason=str(error))
        unknown = True
    greetings, mode = await _greetings(desk, user)
    return Situation(
        user=user,
        owner_unknown=unknown,
        dialled=visit.dialled,
        caller=visit.caller,
        at=desk.clock.now(),
        rules=desk.rules,
        greetings=greetings,
        global_mode=mode,
        spoken=languages(),
        chosen_language=chosen,
        calendar=desk.calendar,
    )


async def _greetings(
    desk: Desk, user: User | None
) -> tuple[Mapping[GreetingKey, Greeting], GlobalMode]:
    """The owner's and the site's; without them there still is the default greeting."""
    try:
        return await desk.greetings.for_callers(user.id if user else SITE)
    except GreetingsUnavailable as error:
        log.error("greetings cannot be read", reason=str(error))
        return {}, GlobalMode.OFF


async def _language(call: Call, desk: Desk, situation: Situation) -> str:
    """What the caller wants, where he is to be asked (LANG-02); empty: what is usual."""
    menu = decide(situation).greeting.language.menu
    return await wished_language(call, menu) if menu else ""


async def _serve(call: Call, visit: Visit, desk: Desk, situation: Situation) -> Exit | None:
    """Greeting, and what the caller wants then; None if it begins again."""
    answer = decide(situation)
    call.language = language(answer.greeting.language.prompts)
    desk.record.greeted(answer)
    await desk.record.keep()
    log.info(
        "greeting",
        rung=answer.greeting.rung.value,
        profile=answer.active.profile.value if answer.active else "",
        language=answer.greeting.language.language,
    )
    if isinstance(answer.plays, NoMailboxNotice):
        desk.record.ends(Result.NO_MAILBOX)
        await call.last_words(P.UNKNOWN_MAILBOX, P.GOODBYE)
        return Exit.NO_MAILBOX
    offer = offer_of(answer, exits=visit.exits, operator=Exit.OPERATOR.extension)
    action = await greet(call, desk, answer, offer)
    leaving = await _follow(action, call, visit, desk, situation.user, offer)
    if leaving in _DIALPLAN:
        desk.record.ends(Result.LEFT_TO_DIALPLAN)
    return leaving


async def _follow(
    action: Action | None,
    call: Call,
    visit: Visit,
    desk: Desk,
    user: User | None,
    offer: Offer,
) -> Exit | None:
    match action:
        case Action.LOG_IN if Exit.ASSISTANT.extension in visit.exits:
            return Exit.ASSISTANT
        case Action.LOG_IN:
            return None if await log_in(call, visit, desk, user) is Back.BACK else Exit.END
        case Action.OPERATOR if not offer.operator:
            return Exit.OPERATOR
        case Action.OPERATOR | Action.CONNECT:
            number = offer.operator if action is Action.OPERATOR else offer.destination
            return await _connect(call, visit, desk, user, offer, number)
        case _ if offer.message:
            return await _message(call, visit, desk, user)
        case _:
            desk.record.announced()
            return Exit.END


async def _connect(
    call: Call, visit: Visit, desk: Desk, user: User | None, offer: Offer, number: str
) -> Exit:
    """Who is not connected may leave a message after all (XFER-02)."""
    outcome = await connect(call, visit, desk, user, number)
    if outcome.connected:
        return Exit.END
    if not offer.message:
        await call.last_words(P.GOODBYE)
        return Exit.END
    await call.say(P.LEAVE_A_MESSAGE)
    return await _message(call, visit, desk, user)


async def _message(call: Call, visit: Visit, desk: Desk, user: User | None) -> Exit:
    return Exit.END if await leave_message(call, visit, desk, user) else Exit.NOT_STORED
